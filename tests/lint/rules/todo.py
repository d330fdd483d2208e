"""FIXME stays on its branch; a TODO names its area and what would make us do it."""

import re

NAME = "todo"
DOC = "no FIXME; TODO(area): reason"

_FIXME = re.compile(r"\b(FIXME|XXX|HACK)\b")
_TODO = re.compile(r"\bTODO\b(?!\([a-z0-9/_-]+\): \S)")


def applies(path):
    return not path.startswith("tests/lint/") and path.endswith(
        (".h", ".cc", ".proto", ".py", ".sh", ".yaml", ".cmake", ".txt", "Makefile"))


def check(path, text):
    result = []
    for number, line in enumerate(text.split("\n"), 1):
        found = _FIXME.search(line)
        if found:
            result.append((number, f"{found.group(0)} does not leave its branch"))
        if _TODO.search(line):
            result.append((number, "write TODO(area): what would make us do it"))
    return result


BAD = [
    ("saga/x.cc", "// FIXME: later\n"),
    ("saga/x.cc", "// TODO: later\n"),
    ("saga/x.cc", "// TODO(bob)\n"),
]
GOOD = [("saga/x.cc", "// TODO(saga): when a second store needs it\n")]
