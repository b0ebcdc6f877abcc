"""page.py FILE.html [EVAL.json]: a report must be well-formed, hold all it needs, let nothing run, and say the
figures of the JSON object. Prints what is wrong; exit code 0 when nothing is."""
import json
import re
import sys
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr"}
SELF_CLOSED = {"path", "rect", "circle"}
FORBIDDEN = {"script", "link", "iframe", "object", "embed", "base", "form", "input", "foreignobject", "use", "image"}


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.errors, self.images, self.text = [], [], 0, []
        self.data, self.ids, self.links, self.svgs, self.titled = [], [], [], 0, 0

    def handle_startendtag(self, tag, attrs):
        self.look(tag, attrs)
        if tag not in SELF_CLOSED | VOID:
            self.errors.append(f"<{tag}/> is not an empty element")

    def handle_starttag(self, tag, attrs):
        self.look(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.errors.append(f"</{tag}> at {self.getpos()} ends {self.open[-1:] or 'nothing'}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)
        elif re.search(r"https?:|url\(|@import|expression", data):
            self.errors.append("the style names another file")

    def look(self, tag, attrs):
        names = [k for k, _ in attrs]
        if len(names) != len(set(names)):
            self.errors.append(f"<{tag}> at {self.getpos()} has an attribute twice")
        a = dict(attrs)
        if tag in FORBIDDEN:
            self.errors.append(f"<{tag}> at {self.getpos()}")
        for k, v in attrs:
            if k not in ("alt", "aria-label") and re.search(r"https?:|//|javascript:", v or "") and k != "src":
                self.errors.append(f"<{tag} {k}={v[:40]!r}> names another file")
            if k.startswith("on") or k in ("srcset", "xlink:href", "action", "formaction"):
                self.errors.append(f"<{tag} {k}> at {self.getpos()}")
            if k == "src" and not (v or "").startswith("data:image/png;base64,"):
                self.errors.append(f"<{tag} src={v[:40]!r}>")
            if k == "href":
                self.links.append(v)
            if k == "id":
                self.ids.append(v)
        if tag == "img":
            self.images += 1
            if not a.get("alt"):
                self.errors.append("a picture without alt")
        if tag == "svg":
            self.svgs += 1
            if a.get("role") != "img" and a.get("aria-hidden") != "true":
                self.errors.append("a drawing that says nothing to who cannot see it")
        if tag == "data":
            self.data.append(float(a["value"]))


def main():
    raw = open(sys.argv[1], "rb").read()
    text = raw.decode("utf-8")  # must be UTF-8
    p = Page()
    p.feed(text)
    p.close()
    errors = p.errors
    if p.open:
        errors.append(f"never ended: {p.open}")
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
        errors.append("a control character")
    if len(p.ids) != len(set(p.ids)):
        errors.append("an id twice")
    for link in p.links:
        if not (link.startswith("#") and link[1:] in p.ids):
            errors.append(f"a link that leads nowhere: {link}")
    words = " ".join("".join(p.text).split())
    if "Not a medical device" not in words:
        errors.append("no notice")
    if len(sys.argv) > 2:
        j = json.load(open(sys.argv[2]))
        want = [("images", j["images"])]
        want += [(k, j[k]) for k in ("accuracy", "macro_f1", "balanced_accuracy", "kappa", "loss", "brier", "ece")]
        ci = j["ci"] or {}
        want += [(f"ci {k}", v) for k in ("accuracy", "macro_f1", "kappa", "loss", "ece") for v in ci.get(k, [])]
        for c in j["classes"]:
            want += [(f"{c['name']} {k}", c[k]) for k in ("sensitivity", "specificity", "ppv", "f1", "auc", "pr_auc")]
        have = {f"{v:.9g}" for v in p.data}
        for key, v in want:
            if v is not None and f"{v:.9g}" not in have:
                errors.append(f"{key} = {v} is not on the page")
        for c in j["classes"]:
            if " ".join(c["name"].split()) not in words:
                errors.append(f"class {c['name']!r} is not on the page")
        if not p.svgs:
            errors.append("no curve")
        if f"{j['images']}" not in words:
            errors.append("number of pictures")
    for e in errors:
        print(e)
    print(f"{p.images} pictures, {p.svgs} drawings, {len(p.data)} figures, {len(raw)} bytes")
    sys.exit(bool(errors))


main()
