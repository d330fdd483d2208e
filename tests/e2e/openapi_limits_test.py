#!/usr/bin/env python3
"""The limits of /openapi.json are those that the server checks, field by field and in both directions:
what is beyond a limit is a violation of that field, what is at it is not, and a field without a limit
in the document has none in the server.

    tests/e2e/openapi_limits_test.py [OPERATION...]
"""

import json
import re
import sys
import urllib.parse

import harness
from api_document import Document
from harness import Failed

DEPTH_MAX = 4
HUGE = "x" * 30000
# A violation of these words is one of a length, a count or a range.
OF_A_LIMIT = re.compile(r"characters|bytes|items|elements|between|negative|at most|too long")
# Checked by another rule than their length: a longer one is refused all the same.
SHAPED = {"uri", "email"}


class Field:
    """A field of a request: where it is, and its schema."""

    def __init__(self, operation, place, path, schema, required):
        self.operation = operation
        self.place = place  # path, query, body
        self.path = path    # ["campaign", "tone"]
        self.schema = schema
        self.required = required

    def __str__(self):
        return f"{self.operation}: {'.'.join(self.path)}"


def fields_of(document, name):
    _, _, operation = document.operations[name]
    for parameter in document.parameters(operation):
        if parameter["in"] in ("path", "query"):
            yield Field(name, parameter["in"], [parameter["name"]], parameter["schema"],
                        parameter.get("required", False))
    body = document.body_schema(operation)
    if body:
        yield from body_fields(document, name, body, [])


def body_fields(document, name, schema, path):
    for key, part in schema.get("properties", {}).items():
        required = key in schema.get("required", []) and not path
        yield Field(name, "body", path + [key], merged(document, part), required)
        target = document.resolve(part)
        if target.get("type") == "object" and len(path) < DEPTH_MAX and "metadata" not in target.get(
                "properties", {}) and "additionalProperties" not in target:
            yield from body_fields(document, name, target, path + [key])


def merged(document, part):
    return {**document.resolve(part), **{k: v for k, v in part.items() if k != "$ref"}}


def text_of(length, schema):
    """A text of that many characters that fits the pattern, or None."""
    pattern = schema.get("pattern", "")
    for text in ("a" * length, "U" + "A" * (length - 1), "1:" + "1" * (length - 2),
                 ("aaaaaaaa-" * length)[:length - 1] + "a", ("a" * 8 + "-" + "a" * length)[:length]):
        if len(text) == length and (not pattern or re.search(pattern, text)):
            return text
    return "a" * length if not pattern else None


def beyond(schema):
    """(what it is, a value) for every limit."""
    if schema.get("type") == "array":
        items = schema.get("items", {})
        for what, value in beyond(items):
            yield f"an element {what}", [value]
        if "maxItems" in schema:
            good = good_item(items)
            yield "with too many elements", [good] * (schema["maxItems"] + 1)
        return
    if "maxLength" in schema:
        yield "too long", text_of(schema["maxLength"] + 1, schema) or "a" * (schema["maxLength"] + 1)
    if "pattern" in schema and "30s" not in schema.get("examples", []):
        yield "of another pattern", "\u00e9\u00e9 !"
    if "enum" in schema:
        yield "of another word", "nonsense"
    if "maximum" in schema:
        yield "too large", schema["maximum"] + 1
    if "minimum" in schema:
        yield "too small", schema["minimum"] - 1


def good_item(items):
    if "enum" in items:
        return next(word for word in items["enum"] if word)
    if items.get("format") == "uri":
        return "https://example.com/"
    if items.get("format") == "email":
        return "ann@example.com"
    if items.get("type") == "object" or "$ref" in items:
        return {}
    return text_of(max(3, items.get("minLength", 1)), items) or "@daily"


def at(schema):
    """Values at the limits."""
    if schema.get("type") == "array":
        return
    if "maxLength" in schema and schema.get("format") not in SHAPED:
        text = text_of(schema["maxLength"], schema)
        if text is not None:
            yield text
    for name in ("maximum", "minimum"):
        if name in schema:
            yield schema[name]


class Checker:
    def __init__(self, server):
        self.client = server.client
        self.document = Document(server.client.raw("GET", "/openapi.json")[2])
        self.calls = 0
        self.problems = []

    def violations(self, field, value, absent=False):
        """field -> description of the answer to a request where only this field is interesting."""
        method, path, _ = self.document.operations[field.operation]
        query, body = {}, {}
        for name in re.findall(r"\{(\w+)\}", path):
            own = field.place == "path" and field.path == [name]
            text = str(value) if own else "none"
            path = path.replace("{" + name + "}", urllib.parse.quote(text, safe=""))
        if field.place == "query" and not absent:
            query[field.path[0]] = value
        if field.place == "body" and not absent:
            place = body
            for name in field.path[:-1]:
                place = place.setdefault(name, {})
            place[field.path[-1]] = value
        if query:
            path += "?" + urllib.parse.urlencode(query)
        self.calls += 1
        self.status, answer = self.client.call(method, path, body if method in ("POST", "PATCH", "PUT") else None)
        if self.status >= 500:
            self.problems.append(f"{field}: HTTP {self.status}: {json.dumps(answer)[:300]}")
        found = {}
        for detail in answer.get("details", []) if isinstance(answer, dict) else []:
            for violation in detail.get("field_violations", []):
                found[violation["field"]] = violation["description"]
        return found

    def violation(self, field, value, absent=False):
        name = ".".join(field.path)
        # The front door knows one namespace of a call, wherever it stands.
        nested = ["namespace"] if field.path[-1] == "namespace" else []
        for where, what in self.violations(field, value, absent).items():
            if where in (name, *nested) or where.startswith((name + ".", name + "[")):
                return what
        return None

    def check(self, field):
        schema = field.schema
        if field.required and field.place != "path":
            if self.violation(field, None, absent=True) is None:
                self.problems.append(f"{field} is required in the document and not in the server")
        for what, value in beyond(schema):
            if field.place == "path" and value in ("", None):
                continue
            # A query that is so long that the target has no room for it is 414.
            if self.violation(field, value) is None and self.status != 414:
                self.problems.append(f"{field}: the server takes one that is {what}")
            self.check_words(field, schema, value)
        for value in at(schema):
            said = self.violation(field, value)
            if said is not None and OF_A_LIMIT.search(said):
                self.problems.append(f"{field}: at its limit the server says: {said}")
        self.check_unlimited(field, schema)

    def check_words(self, field, schema, value):
        """A refusal that lists the words lists those of the document."""
        words = schema.get("items", schema).get("enum")
        said = re.search(r"must be (?:one of )?((?:\w+, )+(?:or )?\w+)$",
                         self.violation(field, value) or "") if words else None
        if said and {w for w in re.split(r", (?:or )?", said[1])} != set(words) - {"", "UNSPECIFIED"}:
            self.problems.append(f"{field}: the server says {said[0]}, the document {words}")

    def check_unlimited(self, field, schema):
        kind = schema.get("type")
        if kind == "string" and not {"maxLength", "enum", "format", "pattern"} & schema.keys():
            self.complain(field, self.violation(field, HUGE[:6000 if field.place != "body" else None]))
        if kind == "integer":
            if "maximum" not in schema:
                self.complain(field, self.violation(field, 2**31 - 1))
            if "minimum" not in schema:
                self.complain(field, self.violation(field, -1))
        if kind == "array" and "maxItems" not in schema:
            self.complain(field, self.violation(field, [good_item(schema["items"])] * 2000))

    def complain(self, field, said):
        if said is not None and OF_A_LIMIT.search(said):
            self.problems.append(f"{field} has a limit that is not in the document: {said}")


def run():
    with harness.Workplace("limits") as place:
        server = place.server(place.sandbox())
        checker = Checker(server)
        names = sys.argv[1:] or [name for name, (_, path, _) in checker.document.operations.items()
                                 if path.startswith("/v1/")]
        fields = [field for name in names for field in fields_of(checker.document, name)]
        if not fields:
            raise Failed(f"{names} take no fields")
        for field in fields:
            checker.check(field)
        if checker.problems:
            raise Failed(f"{len(checker.problems)} problems:\n  " + "\n  ".join(checker.problems))
        print(f"limits: fine, {len(fields)} fields, {checker.calls} calls")
        return 0


if __name__ == "__main__":
    harness.main(run)
