// What a page must have for those who do not see it, or see it badly: a list of what is wrong. Evaluated in the page.
(() => {
  const wrong = [];
  const say = (node, what) => wrong.push(`${what}: ${node.outerHTML.replace(/\s+/g, " ").slice(0, 140)}`);
  const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: false });
  const each = (selector, look) => document.querySelectorAll(selector).forEach((e) => shown(e) && look(e));

  // ---- Structure ----
  if (document.documentElement.lang !== "en") wrong.push("no lang");
  if (document.title.trim().length < 5) wrong.push("no title");
  for (const [selector, count] of [["main", 1], ["body > header", 1], ["body > footer", 1], ["h1", 1]])
    if (document.querySelectorAll(selector).length !== count) wrong.push(`not ${count} ${selector}`);
  each("nav", (e) => e.getAttribute("aria-label") || say(e, "a navigation without a name"));
  let level = 1;
  each("h1, h2, h3, h4, h5, h6", (e) => {
    const now = Number(e.tagName[1]);
    if (now > level + 1) say(e, `h${level} is followed by h${now}`);
    if (!e.textContent.trim()) say(e, "an empty heading");
    level = now;
  });
  for (const e of document.body.children)
    if (!["HEADER", "MAIN", "FOOTER", "SCRIPT"].includes(e.tagName)) say(e, "beside the landmarks");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`an id twice: ${id}`);
  for (const name of ["aria-labelledby", "aria-describedby", "for"])
    each(`[${name}]`, (e) => e.getAttribute(name).split(" ").every((id) => document.getElementById(id)) || say(e, `${name} leads nowhere`));
  each("a[href^='#']", (e) => document.getElementById(e.getAttribute("href").slice(1)) || say(e, "a link that leads nowhere"));
  each("[tabindex]", (e) => e.tabIndex > 0 && say(e, "a place of its own in the order of Tab"));
  each("img", (e) => e.hasAttribute("alt") || say(e, "a picture without alt"));
  each("svg", (e) => e.getAttribute("aria-hidden") === "true" || (e.getAttribute("role") === "img" && e.getAttribute("aria-label")) || say(e, "a drawing without a name"));
  each("table", (e) => e.querySelector("th[scope=col]") || say(e, "a table without headings"));
  each("tbody tr", (e) => e.querySelector("th[scope=row]") || say(e, "a row without a heading"));
  each("[style], style", (e) => e.hasAttribute("style") && say(e, "an inline style"));
  if (!document.querySelector("header").innerText.includes("Not a medical device")) wrong.push("no notice");

  // ---- Things to press: 24 pixels each way, but for links in a text ----
  each("button, input, summary, .button, nav a", (e) => {
    if (e.type === "file" && document.documentElement.classList.contains("js")) return; // its label is the button
    const r = e.getBoundingClientRect();
    if ((r.width < 24 || r.height < 24) && e.type !== "checkbox") say(e, `${r.width} x ${r.height} pixels`);
  });

  // ---- Contrast ----
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const d = canvas.getImageData(0, 0, 1, 1).data;
    return [d[0], d[1], d[2], d[3] / 255];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      layers.push(rgba(getComputedStyle(e).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    const page = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return layers.reverse().reduce((below, top) => over(top, below), page);
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let texts = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || !shown(e) || e.closest(".unseen, .skip, svg, script")) continue;
    const back = behind(e);
    const [a, b] = [light(over(rgba(getComputedStyle(e).color), back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    texts++;
    if (ratio < 4.5) say(e, `contrast ${ratio.toFixed(2)}`);
  }
  if (texts < 5) wrong.push("hardly any text");
  if (document.documentElement.scrollWidth > innerWidth) {
    wrong.push(`${document.documentElement.scrollWidth} pixels wide, in ${innerWidth}`);
    each("body *", (e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".sheet, ul, .strip") && say(e, "sticks out"));
  }
  return wrong;
})()
