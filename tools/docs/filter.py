#!/usr/bin/env python3
"""A header as Doxygen wants it: our comments are plain, and those that explain a declaration become its own.

    filter.py HEADER >OUT

The first comment is the file's. A comment before a declaration documents it, one behind a member or a declaration on the
same line documents that. Blocks that are set in by four columns are code, `---- Title ----` is a heading.
"""
import re
import sys

ESCAPE = re.compile(r"([\\@<>&#%$])")


def escape(text):
    return re.sub(r"`([^`\n]+)`", r"<tt>\1</tt>", ESCAPE.sub(r"\\\1", text))


def body(comment):
    """Lines of a comment without its marks."""
    lines = comment[2:-2].split("\n")
    return [lines[0].strip()] + [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in lines[1:]]


def written(lines):
    """The same as Doxygen's text; as many lines or more."""
    out, code, blank = [], False, False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        is_code = indent >= 4 and (code or blank)
        if is_code and not code:
            out.append("@code{.unparsed}")
        if code and not is_code and line:
            out.append("@endcode")
            code = False
        code = code or is_code
        blank = not line
        if code:
            out.append(line[4:])
            continue
        heading = re.match(r"---- (.*?) ----(.*)$", line)
        if heading:
            out += [f"@par {escape(heading.group(1))}", escape(heading.group(2).strip())]
        elif indent in (2, 3) or re.match(r"[A-Z][A-Z0-9_]+: ", line):
            out.append("@n " + escape(line.strip()))
        else:
            out.append(escape(line.strip()))
    if code:
        out.append("@endcode")
    return out


def block(lines, mark="/**"):
    return mark + " " + "\n * ".join(lines).rstrip() + " */"


def filtered(text, name):
    out, at, first = [], 0, True
    for m in re.finditer(r"/\*.*?\*/", text, re.S):
        before, comment = text[at:m.start()], m.group(0)
        out.append(before)
        at = m.end()
        lines = body(comment)
        line_before = text[text.rfind("\n", 0, m.start()) + 1:m.start()]
        line_after = text[m.end():text.find("\n", m.end())]
        following = text[m.end():].lstrip()
        if first:
            first = False
            lines[0] = lines[0].removeprefix(name.rsplit("/", 1)[-1] + ": ")
            out.append(block([f"@file {name}"] + written(lines)))
        elif line_before.lstrip().startswith("#"):
            out.append(comment)
        elif line_before.strip():
            # Behind a member or a declaration; in the middle of one it stays what it is.
            out.append(block(written(lines), "/**<") if not line_after.strip() else comment)
        elif following.startswith(("#ifdef", "/*")):
            # A comment that stands by itself: of nothing in particular, so of the file.
            out.append(block([f"@file {name}"] + written(lines)))
        else:
            out.append(block(written(lines)))
    out.append(text[at:])
    return "".join(out)


def main():
    path = sys.argv[1]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    name = "ecgcnn/" + path.rsplit("/", 1)[-1]
    sys.stdout.write(filtered(text, name))


if __name__ == "__main__":
    main()
