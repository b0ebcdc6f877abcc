/* The page of ecg-predict --html, line by line: before and after its data. Included once, by record_html.c.
 */
#ifndef ECG_TOOLS_PREDICT_RECORD_PAGE_H
#define ECG_TOOLS_PREDICT_RECORD_PAGE_H

/* clang-format off */
static const char *const RECORD_PAGE_HEAD[] = {
    "<!DOCTYPE html>\n",
    "<html lang=\"en\">\n",
    "<head>\n",
    "<meta charset=\"utf-8\">\n",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    "<title>Beats of a recording</title>\n",
    "<style>\n",
    ":root { color-scheme: light dark; --bg: #fff; --fg: #1b1b1b; --dim: #666; --grid: #f3dada;"
    " --grid2: #e6b8b8; --line: #222; --card: #f6f6f6; --edge: #d5d5d5 }\n",
    "@media (prefers-color-scheme: dark) {\n",
    ":root { --bg: #15171a; --fg: #e8e8e8; --dim: #9aa0a6; --grid: #2a2224; --grid2: #45302f;"
    " --line: #e4e4e4; --card: #1f2226; --edge: #3a3f45 }\n",
    "}\n",
    "* { box-sizing: border-box }\n",
    "body { margin: 0 auto; padding: 12px; max-width: 1400px; background: var(--bg); color:"
    " var(--fg); font: 15px/1.4 system-ui, sans-serif }\n",
    "h1 { font-size: 1.2rem; margin: 0 0 4px }\n",
    "p { margin: 4px 0; color: var(--dim) }\n",
    ".notice { color: var(--fg); border-left: 4px solid #c60; padding-left: 8px }\n",
    "nav { position: sticky; top: 0; z-index: 1; background: var(--bg); padding: 8px 0; display:"
    " flex; flex-wrap: wrap; gap: 6px; align-items: center }\n",
    "button { font: inherit; min-height: 40px; padding: 4px 12px; color: var(--fg); background:"
    " var(--card); border: 1px solid var(--edge); border-radius: 6px; cursor: pointer }\n",
    "button:focus-visible, input:focus-visible { outline: 3px solid #48f; outline-offset: 1px }\n",
    "input[type=range] { flex: 1 1 160px; min-width: 0; height: 40px }\n",
    "#legend { display: flex; flex-wrap: wrap; gap: 6px; margin: 6px 0 }\n",
    "#legend i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right:"
    " 6px }\n",
    "canvas { display: block; width: 100%; margin: 0 0 8px; border: 1px solid var(--edge);"
    " border-radius: 4px }\n",
    "#say { flex: 1 0 100%; min-height: 1.4em; margin: 0; color: var(--fg) }\n",
    "</style>\n",
    "</head>\n",
    "<body>\n",
    "<h1 id=\"title\"></h1>\n",
    "<p class=\"notice\" id=\"notice\"></p>\n",
    "<p id=\"figures\"></p>\n",
    "<div id=\"legend\" aria-label=\"Classes: press one to go to its next beat\"></div>\n",
    "<nav>\n",
    "<button id=\"back\" aria-label=\"one page back\">&#9664;</button>\n",
    "<button id=\"on\" aria-label=\"one page on\">&#9654;</button>\n",
    "<input id=\"at\" type=\"range\" min=\"0\" value=\"0\" step=\"1\" aria-label=\"time\">\n",
    "<span id=\"time\"></span>\n",
    "<button id=\"doubt\">next doubtful</button>\n",
    "<p id=\"say\" aria-live=\"polite\">Point at a beat, or press a class to go to its next beat;"
    " arrow keys leaf. Pale: less certain.</p>\n",
    "</nav>\n",
    "<div id=\"rows\"></div>\n",
    "<script>\n",
};

static const char *const RECORD_PAGE_TAIL[] = {
    "'use strict';\n",
    "const $ = id => document.getElementById(id), R = DATA.rate;\n",
    "const bytes = Uint8Array.from(atob(DATA.lead), c => c.charCodeAt(0)), view = new"
    " DataView(bytes.buffer);\n",
    "const mv = i => { const v = view.getInt16(2 * i, true); return v === -32768 ? NaN : v / 200 };\n",
    "const N = bytes.length / 2, END = N / R, B = DATA.beats.map(b => ({ t: b[0] / DATA.frames, c:"
    " b[1], p: b[2] / 1000 }));\n",
    "const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#b8860b', '#56b4e9', '#8a5cd6',"
    " '#7f7f7f'];\n",
    "const ON_DARK = ['#4ea8e6', '#f2914a', '#35c79b', '#e3a3ca', '#dcb04a', '#93d4f5', '#b798f2',"
    " '#ababab'];\n",
    "const dark = matchMedia('(prefers-color-scheme: dark)');\n",
    "const color = c => DATA.order[c] < 0 ? '#888' : (dark.matches ? ON_DARK : COLORS)[DATA.order[c] %"
    " 8];\n",
    "let from = 0, long = 10, rows = 6, hit = -1;\n",
    "const clock = t => { const s = Math.floor(t); return (s >= 3600 ? Math.floor(s / 3600) + ':' :"
    " '') + String(Math.floor(s / 60) % 60).padStart(2, '0') + ':' + String(s % 60).padStart(2, '0')"
    " };\n",
    "$('title').textContent = 'Record ' + DATA.record + ', lead ' + DATA.name;\n",
    "document.title = $('title').textContent;\n",
    "$('notice').textContent = DATA.notice;\n",
    "$('figures').textContent = DATA.figures;\n",
    "let all = [];\n",
    "for (let i = 0; i < N; i += 7) if (!isNaN(mv(i))) all.push(mv(i));\n",
    "all.sort((a, b) => a - b);\n",
    "const q = f => all.length ? all[Math.min(all.length - 1, Math.floor(f * all.length))] : 0;\n",
    "const middle = (q(0.001) + q(0.999)) / 2, span = Math.max(1.5, 1.25 * (q(0.999) - q(0.001)));\n",
    "function first(t) { let a = 0, b = B.length; while (a < b) { const m = (a + b) >> 1; if (B[m].t"
    " < t) a = m + 1; else b = m } return a }\n",
    "function draw() {\n",
    "  document.querySelectorAll('#legend i').forEach(i => { i.style.background = color(i.dataset.c) });\n",
    "  const css = getComputedStyle(document.documentElement), get = n => css.getPropertyValue(n);\n",
    "  const wide = $('rows').clientWidth, dpr = window.devicePixelRatio || 1, high = 120;\n",
    "  long = wide < 600 ? 4 : wide < 1000 ? 8 : 10;\n",
    "  rows = wide < 600 ? 5 : 6;\n",
    "  from = Math.max(0, Math.min(from, END - 1));\n",
    "  const have = $('rows').children;\n",
    "  while (have.length > rows) have[have.length - 1].remove();\n",
    "  for (let r = 0; r < rows; r++) {\n",
    "    let c = have[r];\n",
    "    if (!c) { c = document.createElement('canvas'); c.addEventListener('pointermove', point);"
    " c.addEventListener('pointerdown', point); $('rows').appendChild(c) }\n",
    "    const t0 = from + r * long;\n",
    "    c.hidden = t0 >= END;\n",
    "    c.dataset.t0 = t0;\n",
    "    c.width = Math.round(wide * dpr); c.height = Math.round(high * dpr); c.style.height = high"
    " + 'px';\n",
    "    const g = c.getContext('2d'), X = t => (t - t0) / long * wide, Y = v => high * 0.56 - (v -"
    " middle) / span * high * 0.8;\n",
    "    g.setTransform(dpr, 0, 0, dpr, 0, 0);\n",
    "    for (let k = 0; k <= long * 5; k++) { g.fillStyle = get(k % 5 ? '--grid' : '--grid2');"
    " g.fillRect(X(t0 + k / 5), 0, 1, high) }\n",
    "    for (let v = Math.ceil(middle - span); v < middle + span; v += 0.5) { g.fillStyle = get(v %"
    " 1 ? '--grid' : '--grid2'); g.fillRect(0, Y(v), wide, 1) }\n",
    "    for (let i = first(t0); i < B.length && B[i].t < t0 + long; i++) {\n",
    "      const b = B[i];\n",
    "      const rr = Math.min(i ? b.t - B[i - 1].t : 1, i + 1 < B.length ? B[i + 1].t - b.t : 1), w"
    " = Math.max(4, X(t0 + Math.min(0.4, 0.45 * rr)));\n",
    "      g.globalAlpha = 0.15 + 0.35 * Math.max(0, 2 * b.p - 1);\n",
    "      g.fillStyle = color(b.c);\n",
    "      g.fillRect(X(b.t) - w / 2, 16, w, high - 16);\n",
    "      g.globalAlpha = 1;\n",
    "      g.font = 'bold 11px system-ui, sans-serif'; g.textAlign = 'center';\n",
    "      g.fillText(DATA.letters[b.c], X(b.t), 12);\n",
    "      g.fillRect(X(b.t) - w / 2, 14, w * b.p, 2);\n",
    "      if (i === hit) { g.strokeStyle = get('--fg'); g.lineWidth = 2; g.strokeRect(X(b.t) - w / 2, 1,"
    " w, high - 2) }\n",
    "    }\n",
    "    g.strokeStyle = get('--line'); g.lineWidth = 1.1; g.lineJoin = 'round'; g.beginPath();\n",
    "    let pen = false;\n",
    "    for (let i = Math.max(0, Math.floor(t0 * R)); i < N && i <= (t0 + long) * R; i++) {\n",
    "      const v = mv(i);\n",
    "      if (isNaN(v)) { pen = false; continue }\n",
    "      if (pen) g.lineTo(X(i / R), Y(v)); else g.moveTo(X(i / R), Y(v));\n",
    "      pen = true;\n",
    "    }\n",
    "    g.stroke();\n",
    "    g.fillStyle = get('--dim'); g.font = '11px system-ui, sans-serif'; g.textAlign = 'left';\n",
    "    g.fillText(clock(t0), 4, high - 5);\n",
    "  }\n",
    "  $('at').max = Math.max(0, Math.floor(END / long)); $('at').value = Math.floor(from / long);\n",
    "  $('time').textContent = clock(from) + ' of ' + clock(END);\n",
    "}\n",
    "function tell(i) {\n",
    "  hit = i;\n",
    "  if (i < 0) return;\n",
    "  const b = B[i];\n",
    "  $('say').textContent = clock(b.t) + ': ' + DATA.classes[b.c] + ', ' + Math.round(100 * b.p) +"
    " ' % certain' + (i ? ', ' + Math.round(1000 * (b.t - B[i - 1].t)) + ' ms after the beat before'"
    " : '');\n",
    "}\n",
    "function point(e) {\n",
    "  const c = e.currentTarget, t = Number(c.dataset.t0) + e.offsetX / c.clientWidth * long, i ="
    " first(t);\n",
    "  const best = i > 0 && (i >= B.length || t - B[i - 1].t < B[i].t - t) ? i - 1 : i;\n",
    "  if (best < B.length && best !== hit) { tell(best); draw() }\n",
    "}\n",
    "function go(t) { from = Math.floor(Math.max(0, t) / long) * long; draw() }\n",
    "function next(wanted) {\n",
    "  const start = hit >= 0 && B[hit].t >= from && B[hit].t < from + rows * long ? hit + 1 :"
    " first(from);\n",
    "  for (let k = 0; k < B.length; k++) { const i = (start + k) % B.length; if (wanted(B[i])) {"
    " tell(i); if (B[i].t < from || B[i].t >= from + rows * long) go(B[i].t); else draw(); return } }\n",
    "}\n",
    "DATA.classes.forEach((name, c) => {\n",
    "  const n = B.filter(b => b.c === c).length, b = document.createElement('button'), i ="
    " document.createElement('i');\n",
    "  if (!n) return;\n",
    "  i.dataset.c = c; b.append(i, DATA.letters[c] + ' ' + (name === DATA.letters[c]"
    " ? '' : name + ' ') + n);\n",
    "  b.addEventListener('click', () => next(x => x.c === c));\n",
    "  $('legend').append(b);\n",
    "});\n",
    "$('back').addEventListener('click', () => go(from - rows * long));\n",
    "$('on').addEventListener('click', () => { if (from + rows * long < END) go(from + rows * long)"
    " });\n",
    "$('doubt').addEventListener('click', () => next(b => b.p < 0.7));\n",
    "$('at').addEventListener('input', () => go($('at').value * long));\n",
    "addEventListener('keydown', e => { if (e.target === $('at')) return; if (e.key === 'ArrowLeft')"
    " $('back').click(); if (e.key === 'ArrowRight') $('on').click() });\n",
    "addEventListener('resize', draw);\n",
    "dark.addEventListener('change', draw);\n",
    "draw();\n",
    "</script>\n",
    "</body>\n",
    "</html>\n",
};
/* clang-format on */

#endif
