"""Links in documents lead somewhere: to files of the tree, and to headings in them."""

import pathlib
import re

NAME = "links"
DOC = "links in documents exist"

_ROOT = pathlib.Path(__file__).resolve().parents[3]
_LINK = re.compile(r"(?<!\!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def _blank(match):
    return "\n" * match.group(0).count("\n")


def anchors(text):
    """The anchors of a document's headings, as GitHub makes them."""
    result = set()
    for heading in re.findall(r"^#{1,6} +(.*)$", _FENCE.sub(_blank, text), re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
        result.add(name.replace(" ", "-"))
    return result


def applies(path):
    return path.endswith(".md")


def check(path, text):
    result = []
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub(_blank, text))
    for match in _LINK.finditer(prose):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", link):
            continue
        line = prose.count("\n", 0, match.start()) + 1
        name, _, anchor = link.partition("#")
        target = (_ROOT / path).parent / name if name else _ROOT / path
        if name and not target.exists():
            result.append((line, f"no such file: {link}"))
        elif anchor and (not name or name.endswith(".md")):
            there = text if not name else target.read_text(encoding="utf-8")
            if anchor not in anchors(there):
                result.append((line, f"no such heading: {link}"))
    return result


BAD = [
    ("README.md", "See [here](docs/no-such-file.md).\n"),
    ("README.md", "# One\n\nSee [here](#two).\n"),
]
GOOD = [
    ("README.md", "# One two\n\nSee [here](#one-two), [there](Makefile), [web](https://a.test/).\n"),
    ("README.md", "```\n[x](nowhere)\n```\n"),
]
