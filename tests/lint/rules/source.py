"""What the rules share: C++ text without comments and string contents."""

import re

_TOKEN = re.compile(
    r'R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])+'"
    r"|//[^\n]*"
    r"|/\*.*?\*/",
    re.DOTALL)


def _blank(match):
    text = match.group(0)
    if text.startswith("'") and len(text) > 8:  # digit separators, not a character
        return text
    kept = text[0] + text[-1] if text[0] in "\"'" else ""
    lines = "\n" * text.count("\n")
    return kept[:1] + lines + kept[1:] if kept else lines


def code(text):
    """`text` with comments and string contents removed; line numbers stay."""
    return _TOKEN.sub(_blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def is_cpp(path):
    return path.endswith((".h", ".cc"))


def closing(text, offset, opening="{", closer="}"):
    """Offset just behind the bracket that closes the one at `offset`; -1 when there is none."""
    depth = 0
    for i in range(offset, len(text)):
        if text[i] == opening:
            depth += 1
        elif text[i] == closer:
            depth -= 1
            if depth == 0:
                return i + 1
    return -1
