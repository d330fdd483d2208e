"""The API's document as the tests use it: operations by name, references, and a check of values
against its schemas (what JSON Schema means by the words that the document uses)."""

import json
import re


class Document:
    def __init__(self, text):
        self.json = json.loads(text)
        self.operations = {}  # operationId -> (method, path, operation)
        for path, methods in self.json["paths"].items():
            for method, operation in methods.items():
                self.operations[operation["operationId"]] = (method.upper(), path, operation)

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.json
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def parameters(self, operation):
        return [self.resolve(parameter) for parameter in operation.get("parameters", [])]

    def body_schema(self, operation):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return content and self.resolve(content["schema"])

    def answer_schema(self, operation, status):
        responses = operation["responses"]
        response = self.resolve(responses.get(str(status), responses["default"]))
        content = response.get("content", {}).get("application/json")
        return content and content["schema"]

    def problems(self, value, schema, where="$"):
        """What of `value` is not as the schema says."""
        siblings = {key: part for key, part in schema.items() if key != "$ref"}
        if "$ref" in schema:
            yield from self.problems(value, self.resolve(schema), where)
            schema = siblings
        if "oneOf" in schema:
            fits = [s for s in schema["oneOf"] if not list(self.problems(value, s, where))]
            if len(fits) != 1:
                yield f"{where} fits {len(fits)} of its choices"
        if "const" in schema and value != schema["const"]:
            yield f"{where} is not {schema['const']}"
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where} is {value!r}, not one of {schema['enum']}"
        if "type" in schema and not self._has_type(value, schema["type"]):
            yield f"{where} is {type(value).__name__}, not {schema['type']}"
            return
        if isinstance(value, dict):
            yield from self._object_problems(value, schema, where)
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                yield from self.problems(item, schema["items"], f"{where}[{index}]")
        if isinstance(value, str):
            if len(value) > schema.get("maxLength", len(value)):
                yield f"{where} is too long"
            if "pattern" in schema and not re.search(schema["pattern"], value):
                yield f"{where} does not match {schema['pattern']}"

    def _object_problems(self, value, schema, where):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}.{name} is missing"
        for name, item in value.items():
            if name in properties:
                yield from self.problems(item, properties[name], f"{where}.{name}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self.problems(item, schema["additionalProperties"], f"{where}.{name}")
            elif properties and "additionalProperties" not in schema:
                yield f"{where}.{name} is not in the document"

    @staticmethod
    def _has_type(value, types):
        for name in [types] if isinstance(types, str) else types:
            if name == "integer" and isinstance(value, int) and not isinstance(value, bool):
                return True
            if name == "number" and isinstance(value, (int, float)) and not isinstance(value, bool):
                return True
            kind = {"string": str, "boolean": bool, "object": dict, "array": list}.get(name)
            if kind is not None and isinstance(value, kind):
                return True
        return False
