"""Coroutine shapes that look right and are not."""

import re

from rules import source

NAME = "coroutines"
DOC = "no capturing lambda as a coroutine; no await in a catch"

_LAMBDA = re.compile(r"(?<![\w\])])\[(?P<captures>[^\[\]]*)\]\s*(?P<rest>[({])")
_CATCH = re.compile(r"\bcatch\s*\([^)]*\)\s*\{")
_CO = re.compile(r"\bco_(await|return|yield)\b")


def _body(text, match):
    """(start, end) of the lambda's body, or None when this is no lambda."""
    offset = match.start("rest")
    if text[offset] == "(":
        offset = source.closing(text, offset, "(", ")")
        if offset < 0:
            return None
        brace = text.find("{", offset)
        if brace < 0 or not re.fullmatch(r"[\w\s:<>,*&\->()]*", text[offset:brace]):
            return None
        offset = brace
    end = source.closing(text, offset)
    return None if end < 0 else (offset, end)


def _without_lambdas(text):
    """`text` with the bodies of the lambdas inside it blanked."""
    for match in _LAMBDA.finditer(text):
        body = _body(text, match)
        if body:
            start, end = body
            blank = re.sub(r"[^\n]", " ", text[start:end])
            text = text[:start] + blank + text[end:]
    return text


def applies(path):
    return source.is_cpp(path)


def check(path, text):
    text = source.code(text)
    result = []
    for match in _LAMBDA.finditer(text):
        captures = match.group("captures").strip()
        body = _body(text, match)
        if not captures or not body:
            continue
        inside = text[body[0] + 1:body[1] - 1]
        if _CO.search(_without_lambdas(inside)):
            result.append((source.line_of(text, match.start()),
                           f"a lambda that captures [{captures}] is a coroutine: the captures die "
                           "with the lambda; use a function with arguments"))
    for match in _CATCH.finditer(text):
        end = source.closing(text, match.end() - 1)
        found = re.search(r"\bco_await\b", text[match.end():end])
        if found:
            result.append((source.line_of(text, match.end() + found.start()),
                           "co_await in a catch: leave the handler first"))
    return result


BAD = [
    ("saga/x.cc", "auto f = [this]() -> Task<int> { co_return 1; };\n"),
    ("saga/x.cc", "Run([&, x](int y) mutable -> base::Task<void> {\n  co_await Go(x);\n});\n"),
    ("saga/x.cc", "auto f = [&] { co_await g(); };\n"),
    ("saga/x.cc", "try {\n} catch (...) {\n  co_await Undo();\n}\n"),
]
GOOD = [
    ("saga/x.cc", "auto f = []() -> Task<int> { co_return 1; };\n"),
    ("saga/x.cc", "auto f = [this](int a) { return Go(a); };\nco_await f(1);\n"),
    ("saga/x.cc", "int a[3] = {1, 2, 3};\nauto b = a[x](co_await y);\n"),
]
