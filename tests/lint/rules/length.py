"""A ratchet on the length of files: nobody must rewrite today, nothing may get longer."""

from rules import source

NAME = "length"
DOC = "files stay short"

LINES_MAX = 700
# Files that were longer when the rule came: their length then. Only ever lower these numbers.
RATCHET = {}


def applies(path):
    return source.is_cpp(path) or path.endswith((".py", ".proto"))


def check(path, text):
    lines = text.count("\n")
    limit = max(LINES_MAX, RATCHET.get(path, 0))
    if lines <= limit:
        return []
    return [(lines, f"{lines} lines; at most {limit}: split it by subject")]


BAD = [("saga/x.cc", "int x;\n" * (LINES_MAX + 1))]
GOOD = [("saga/x.cc", "int x;\n" * LINES_MAX)]
