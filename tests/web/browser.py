#!/usr/bin/env python3
"""The page of ecg-serve in a real browser, against the answers of ecg-predict.

    browser.py TOOLS WORK [--shots DIR] [--model FILE]

--shots   writes pictures of the pages, for phone and desktop, light and dark
--model   another model for them than the quickly trained one
"""
import argparse
import base64
import csv
import io
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import devtools

HERE = Path(__file__).resolve().parent
NET = "conv2d 8 3x3 relu; maxpool 2x2; conv2d 12 3x3 relu; maxpool 2x2; flatten; dense 7; softmax"
failed, passed = [], 0


def check(true, what, found=""):
    global passed
    if true:
        passed += 1
    else:
        failed.append(what)
        print(f"FAILED: {what} {found}", flush=True)


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, **more).stdout


class Server:
    def __init__(self, tools, model, *options):
        self.process = subprocess.Popen([str(tools / "ecg-serve"), "-m", str(model), "--listen", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = ""
        for line in self.process.stdout:
            found = re.search(r"http://[0-9.]+:[0-9]+", line)
            if found:
                self.url = found.group()
                break
        if not self.url:
            raise RuntimeError("ecg-serve did not say where it listens")

    def close(self):
        self.process.terminate()
        return self.process.wait(30)


def prepare(tools, work):
    """Pictures, a model that is sometimes uncertain, and what ecg-predict says."""
    run(tools / "ecg-beats", "synth", "-o", work / "beats", "-n", "420", "--patients", "20", "-q")
    model = work / "beats.ecgm"
    run(tools / "ecg-train", work / "beats/train", "-o", model, "--size", "32x48", "--net", NET, "--epochs", "5", "--seed", "1",
        "--lr", "0.005", "-q")
    run(tools / "ecg-eval", "-m", model, work / "beats/test", "--calibrate", "--coverage", "0.6", "-q")
    run(tools / "ecg-eval", "-m", model, work / "beats/test", "--card", work / "CARD.md", "-q")
    pictures = sorted((work / "beats/test").rglob("*.png"))
    lines = run(tools / "ecg-predict", "-m", model, "-q", "--json", *pictures).splitlines()
    plain = run(tools / "ecg-predict", "-m", model, "-q", *pictures).splitlines()
    answers = {}
    for line, text in zip(lines, plain):
        a = json.loads(line)
        a["text"] = text.split("\t")[2]
        a["numbers"] = {k: v for k, v in re.findall(r'"([^"]+)":([-+.e0-9]+)', re.search(r'"probabilities":{(.*?)}', line).group(1))}
        answers[a["image"]] = a
    return model, answers


def some(answers, status, n):
    found = [Path(p) for p, a in answers.items() if a["status"] == status]
    assert len(found) >= n, f"{len(found)} pictures are {status}, {n} are needed"
    return found[:: max(1, len(found) // n)][:n]


# ---- What a card says ----
CARD = """(name => { const c = [...document.querySelectorAll("#cards > .card")].find(c => c.getAttribute("aria-label") === name
    && !c.classList.contains("waiting")); if (!c) return null; const q = s => c.querySelector(s);
    if (q("img") && !q("img").complete) return null;
    return {kind: c.className, chip: q(".chip")?.textContent, head: q("h3").innerText, cls: q(".class")?.textContent,
    share: q(".share")?.textContent, exact: q(".exact")?.textContent, brief: q(".brief")?.textContent,
    link: q(".brief a")?.getAttribute("href"), reasons: [...c.querySelectorAll(".reasons li")].map(e => e.textContent),
    bars: Object.fromEntries([...c.querySelectorAll(".bars tbody tr")].map(r => [r.querySelector("th").textContent, r.querySelector("data").value])),
    widths: [...c.querySelectorAll(".bars rect")].map(r => Number(r.getAttribute("width"))),
    image: q("img")?.naturalWidth, facts: q(".facts")?.textContent}; })"""


def card(page, name):
    return page.until(f"{CARD}({json.dumps(name)})")


def percent(p):
    if 0 < p < 0.001:
        return "<\u202f0.1\u202f%"
    return ">\u202f99.9\u202f%" if 0.999 < p < 1 else f"{100 * p:.1f}\u202f%"


def same(page, name, answer, way):
    c = card(page, name)
    check(c["cls"] == answer["class"], f"{way}: the class of ecg-predict", c)
    check(c["exact"] == answer["text"], f"{way}: the probability of ecg-predict", (c["exact"], answer["text"]))
    check(c["share"] == percent(answer["probability"]), f"{way}: in percent", c["share"])
    check({k: v for k, v in c["bars"].items()} == answer["numbers"], f"{way}: all probabilities", (c["bars"], answer["numbers"]))
    check(c["widths"] == sorted(c["widths"], reverse=True) and abs(sum(c["widths"]) - 100) < 0.01, f"{way}: bars", c["widths"])
    check(c["image"] == 192, f"{way}: the picture is shown", c["image"])
    check(("uncertain" in c["kind"]) == (answer["status"] == "uncertain"), f"{way}: its status", c["kind"])
    check(c["reasons"] == answer["reasons"], f"{way}: its reasons", c["reasons"])
    check("ms on the server" in c["facts"] and "SHA-256" in c["facts"], f"{way}: time and hash", c["facts"])
    return c


# ---- The ways in ----
def ways_in(page, url, answers):
    sure, doubt = some(answers, "ok", 4), some(answers, "uncertain", 1)
    page.go(url)
    page.until("document.documentElement.dataset.ready === 'yes'")
    page.choose("#file", sure[0], doubt[0])
    c = same(page, sure[0].name, answers[str(sure[0])], "chosen")
    check(c["chip"] == "Answer" and len(c["brief"]) > 30 and c["link"].startswith("/classes/"), "an explanation and a link", c)
    c = same(page, doubt[0].name, answers[str(doubt[0])], "chosen, uncertain")
    check(c["chip"] == "Uncertain" and c["head"].startswith("Perhaps") and c["reasons"], "uncertain is an answer of its own", c)
    page.drag("dragEnter", sure[1])
    check(page.js("getComputedStyle(document.getElementById('over')).display") == "grid", "the whole page is the drop zone")
    page.drag("dragOver", sure[1])
    page.drag("drop", sure[1])
    same(page, sure[1].name, answers[str(sure[1])], "dropped")
    check(page.js("document.getElementById('over').hidden"), "the drop zone is gone after a drop")
    data = base64.b64encode(sure[2].read_bytes()).decode()
    page.js(f"""(() => {{ const bytes = Uint8Array.from(atob("{data}"), c => c.charCodeAt(0));
        const t = new DataTransfer(); t.items.add(new File([bytes], "image.png", {{type: "image/png"}}));
        document.body.dispatchEvent(new ClipboardEvent("paste", {{clipboardData: t, bubbles: true, cancelable: true}})); }})()""")
    same(page, "pasted picture", answers[str(sure[2])], "pasted")
    page.js("document.querySelector('#samples li:last-child button').click()")
    c = card(page, "sample: No heartbeat at all")
    check("not-ecg" in c["kind"] and c["head"] == "Not a heartbeat picture" and c["reasons"], "no heartbeat", c)
    check("\n" not in page.js("document.getElementById('say').textContent") and
          "not a heartbeat picture" in page.js("document.getElementById('say').textContent"), "the answer is spoken")


def heat(page):
    page.click("#cards .card.ok .heat")
    state = """(() => { const c = document.querySelector("#cards .card.ok"); return [c.querySelector(".heat").getAttribute("aria-pressed"),
        c.querySelector("img").src.slice(0, 22), c.querySelector("img").alt]; })()"""
    page.until("document.querySelector('#cards .card.ok .heat').getAttribute('aria-pressed') === 'true'")
    on = page.js(state)
    check(on[1] == "data:image/png;base64," and "heatmap" in on[2], "the heatmap is shown", on)
    check(page.until("document.querySelector('#cards .card.ok img').naturalWidth") > 0, "it is a picture")
    page.click("#cards .card.ok .heat")
    off = page.js(state)
    check(off[0] == "false" and off[1].startswith("blob:") and "heatmap" not in off[2], "and hidden again", off)


def history(page):
    rows = page.js("document.querySelectorAll('#rows tr').length")
    check(rows == 5, "the history has a line for each", rows)
    text = page.js("""import("/visit.js").then(v => { const list = structuredClone(v.all().map(({url, ...e}) => e));
        list[0].name = '=HYPERLINK("http://x")'; list[1].name = "  +1"; list[2].name = 'a "b", c'; return v.csv(list); })""")
    table = list(csv.reader(io.StringIO(text, newline="")))
    check(len(table) == 6 and all(len(r) == len(table[0]) for r in table), "CSV: a line for each", table)
    check(table[1][1] == '\'=HYPERLINK("http://x")' and table[2][1] == "'  +1" and table[3][1] == 'a "b", c',
          "CSV: nothing that a spreadsheet would compute", [r[1] for r in table])
    shown = page.js("[...document.querySelectorAll('.card.ok .exact')].map(e => e.textContent)")
    check(all(any(r[3] == x for r in table) for x in shown), "CSV: the probabilities of the page", shown)
    j = json.loads(page.js("import('/visit.js').then(v => v.json(v.all()))"))
    check(len(j) == 5 and all(len(e["probabilities"]) == 7 and len(e["sha256"]) == 64 for e in j), "JSON")
    page.call("Page.reload")
    page.event("Page.loadEventFired")
    check(page.until("document.querySelectorAll('#rows tr').length") == 5, "a reload keeps the history")
    page.click("#forget")
    check(page.js("document.getElementById('visit').hidden && sessionStorage.getItem('ecg-visit') === null"), "it can be forgotten")


def trouble(browser, url, work):
    page = browser.page()
    page.go(url)
    page.until("document.documentElement.dataset.ready === 'yes'")
    evil = work / "<img src=x onerror=document.title='pwned'>.png"
    evil.write_text("no picture at all")
    page.choose("#file", evil)
    c = card(page, evil.name)
    check("failed" in c["kind"] and len(c["brief"]) > 10, "what is no picture is explained", c)
    check(page.js("!document.querySelector('#cards img') && !document.title.includes('pwned')"), "a name is text, not markup")
    page.js("""(() => { const t = new DataTransfer(); t.items.add(new File([new Uint8Array(17 << 20)], "large.png", {type: "image/png"}));
        document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: t, bubbles: true, cancelable: true})); })()""")
    c = card(page, "large.png")
    check("too large" in c["brief"] and "16" in c["brief"], "too large is said before it is sent", c)
    said = page.complaints()
    check(all("415" in s or "422" in s for s in said), "no other complaint than the refused picture", said)
    page.close()


def guarded(browser, tools, model, work, answers):
    """A server that asks for a token and keeps uploads."""
    (work / "token").write_text("open-sesame-0123456789\n")
    server = Server(tools, model, "--token", str(work / "token"), "--uploads", str(work / "kept"), "--retain-days", "3")
    one = some(answers, "ok", 1)[0]
    try:
        page = browser.page()
        page.go(server.url)
        page.until("document.documentElement.dataset.ready === 'yes'")
        check("keeps it for 3 days" in page.js("document.getElementById('form').innerText"), "what is kept is said")
        page.choose("#file", one)
        page.until("!document.getElementById('key').hidden")
        check(page.js("document.activeElement.id") == "token", "the token is asked for")
        page.call("Input.insertText", text="wrong")
        page.key("Enter")
        page.until("performance.getEntriesByName(location.origin + '/api/v1/predict').length === 2 && "
                   "!document.getElementById('key').hidden")
        page.js("document.getElementById('token').value = ''; document.getElementById('token').focus()")
        page.call("Input.insertText", text="open-sesame-0123456789")
        page.key("Enter")
        page.until("document.querySelector('#cards .shots') !== null")
        c = same(page, one.name, answers[str(one)], "with a token")
        check("Kept" in c["facts"] and "yes" in c["facts"], "it was kept", c["facts"])
        check(page.js("document.getElementById('key').hidden"), "the token is asked for once")
        page.close()
    finally:
        server.close()


def keyboard(browser, url):
    """Tab through the page: in order, each place visible; then a sample by Enter, and its answer by Tab and Enter."""
    page = browser.page(height=1400)
    page.go(url)
    page.until("document.documentElement.dataset.ready === 'yes'")
    look = """(() => { const e = document.activeElement; if (e === document.body) return null;
        window.seen = window.seen || []; const before = window.seen.at(-1); window.seen.push(e);
        const shows = n => { const s = getComputedStyle(n); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2; };
        const inner = getComputedStyle(e, "::after");
        const r = (e.type === "file" ? e.nextElementSibling : e).getBoundingClientRect();
        return {what: e.outerHTML.slice(0, 80), ring: shows(e) || (e.type === "file" && shows(e.nextElementSibling)) ||
            (inner.outlineStyle !== "none" && parseFloat(inner.outlineWidth) >= 2), wide: r.width > 3 && r.height > 3,
            order: !before || !!(before.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING),
            inside: r.bottom > 0 && r.top < innerHeight, sample: e.name === "sample"}; })()"""
    places = []
    for _ in range(60):
        page.key("Tab")
        at = page.js(look)
        if at is None or (places and "skip" in at["what"]):
            break
        places.append(at)
    check(len(places) > 12 and "skip" in places[0]["what"], "Tab begins with the skip link", places[:1])
    for what in ("ring", "wide", "order", "inside"):
        bad = [p for p in places if not p[what]]
        check(not bad, f"focus: {what}", bad)
    check(page.js("document.querySelectorAll('a[href], button, input:not([type=hidden])').length") >= len(places), "nothing twice")
    page.go(url)
    page.until("document.documentElement.dataset.ready === 'yes'")
    for _ in range(30):
        page.key("Tab")
        if page.js("document.activeElement.name === 'sample'"):
            break
    page.key("Tab")
    name = page.js("document.activeElement.textContent.trim()")
    page.key("Enter")
    c = card(page, f"sample: {name}")
    check(c["cls"] is not None or "not-ecg" in c["kind"], "a sample by the keyboard alone", c)
    check(page.js("document.getElementById('say').textContent").startswith(f"sample: {name}: "), "its answer is spoken")
    check(page.js("document.activeElement.name") == "sample", "the focus stays where it was")
    for _ in range(30):
        page.key("Tab")
        if page.js("document.activeElement.matches('#cards .heat')"):
            break
    page.key(" ")
    page.until("document.querySelector('#cards .heat').getAttribute('aria-pressed') === 'true'")
    for _ in range(10):
        page.key("Tab")
        if page.js("document.activeElement.matches('#cards .brief a, #cards .bars a')"):
            break
    page.forget("Page.loadEventFired")
    page.key("Enter")
    page.event("Page.loadEventFired")
    check("/classes/" in page.js("location.pathname"), "the information page by the keyboard alone")
    check(not page.complaints(), "keyboard: no complaint", page.complaints())
    page.close()


def named(page, where):
    """Every control has a role and a name in the tree that screen readers get."""
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {}
    for n in nodes:
        role, name = n.get("role", {}).get("value"), n.get("name", {}).get("value", "")
        if n.get("ignored"):
            continue
        roles.setdefault(role, []).append(name)
        if role in ("button", "link", "textbox", "checkbox", "image", "heading", "table", "region", "navigation", "article") and not name.strip():
            check(False, f"{where}: a {role} without a name", n)
    for role in ("banner", "main", "contentinfo", "navigation", "link", "heading"):
        check(role in roles, f"{where}: {role}", sorted(map(str, roles)))


def pages(browser, server, shots):
    for width, height in ((320, 640), (390, 844), (1280, 900)):
        for dark in (False, True)[: 1 if width == 320 else 2]:
            touch = width < 500
            page = browser.page(width=width, height=height, dark=dark, touch=touch)
            look = f"{width} pixels, {'dark' if dark else 'light'}"
            tag = f"{width}-{'dark' if dark else 'light'}"
            for path in ("/", "answers", "/classes", "/classes/premature-ventricular-contraction", "/about", "/nowhere"):
                if path == "answers":
                    for i in (8, 6, 5, 4):
                        page.js(f"document.querySelector('#samples li:nth-child({i}) button').click()")
                        page.until(f"document.querySelectorAll('#cards .shots').length === {[8, 6, 5, 4].index(i) + 1}")
                    page.js("document.querySelector('.heat').click()")
                    page.until("document.querySelector('.heat').getAttribute('aria-pressed') === 'true'")
                else:
                    page.go(server.url + path)
                if path == "/":
                    page.until("document.documentElement.dataset.ready === 'yes'")
                wrong = page.js((HERE / "access.js").read_text())
                check(not wrong, f"{look}: {path}", wrong)
                if width != 390:
                    named(page, f"{look}: {path}")
                if shots and width != 320:
                    page.shot(str(Path(shots) / f"{path.strip('/').split('/')[-1] or 'home'}-{tag}.png"))
            said = [s for s in page.complaints() if "404" not in s]
            check(not said, f"{look}: no complaint", said)
            page.close()


def plain(browser, url, answers, shots):
    """Without JavaScript: the form, and a sample."""
    one, two = some(answers, "ok", 1)[0], some(answers, "uncertain", 1)[0]
    page = browser.page(script=False, height=1400)
    page.go(url)
    page.choose("#file", one, two)
    page.forget("Page.loadEventFired")
    page.click("#form .plain button")
    page.event("Page.loadEventFired")
    read = """[...document.querySelectorAll(".results .card")].map(c => ({kind: c.className, head: c.querySelector("h2").textContent,
        cls: c.querySelector("h2 bdi")?.textContent, exact: c.querySelector(".exact")?.textContent,
        bars: Object.fromEntries([...c.querySelectorAll(".bars tbody tr")].map(r => [r.querySelector("th").textContent, r.querySelector("data").value])),
        images: [...c.querySelectorAll("img")].map(i => i.naturalWidth)}))"""
    got = page.js(read)
    check(page.js("location.pathname") == "/predict" and len(got) == 2, "a form without JavaScript", got)
    for c, path in zip(got, (one, two)):
        a = answers[str(path)]
        check(c["cls"] == a["class"] and c["exact"] == a["text"] and c["bars"] == a["numbers"], "plain: the answer of ecg-predict", c)
        check(len(c["images"]) == 2 and all(c["images"]), "plain: picture and heatmap", c["images"])
    wrong = page.js((HERE / "access.js").read_text())
    check(not wrong, "plain: accessible", wrong)
    if shots:
        page.shot(str(Path(shots) / "plain-1280-light.png"))
    page.go(url)
    if shots:
        page.shot(str(Path(shots) / "plain-home-1280-light.png"))
    page.forget("Page.loadEventFired")
    page.click("#samples li:last-child button")
    page.event("Page.loadEventFired")
    got = page.js(read)
    check(len(got) == 1 and got[0]["head"] == "Not a heartbeat picture", "plain: a sample", got)
    check(not page.complaints(), "plain: no complaint", page.complaints())
    page.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tools", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--shots")
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    if not (args.tools / "ecg-serve").exists():
        skip("ecg-serve was not built")
    program = devtools.find()
    if not program:
        skip("no Chromium")
    shutil.rmtree(args.work, ignore_errors=True)
    args.work.mkdir(parents=True)
    if args.shots:
        Path(args.shots).mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    model, answers = prepare(args.tools.resolve(), args.work.resolve())
    print(f"{time.monotonic() - start:.1f} s: pictures and model", flush=True)
    server, browser = Server(args.tools, model, "--card", str(args.work / "CARD.md")), devtools.Browser(program)
    try:
        page = browser.page()
        ways_in(page, server.url, answers)
        heat(page)
        history(page)
        check(not page.complaints(), "no complaint of the browser", page.complaints())
        page.close()
        trouble(browser, server.url, args.work.resolve())
        guarded(browser, args.tools, model, args.work.resolve(), answers)
        keyboard(browser, server.url)
        plain(browser, server.url, answers, args.shots)
        print(f"{time.monotonic() - start:.1f} s: ways in", flush=True)
        if args.model:
            server.close()
            server = Server(args.tools, args.model, "--card", str(args.work / "CARD.md"))
        pages(browser, server, args.shots)
    finally:
        browser.close()
        code = server.close()
    check(code == 0, "the server ended well", code)
    print(f"{time.monotonic() - start:.1f} s: passed {passed} of {passed + len(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
