#!/usr/bin/env python3
"""/openapi.json is a good OpenAPI 3.1 document: no errors and no warnings of @redocly/cli (the
exceptions and their reasons are in api_tools/redocly.yaml), and every operation, parameter, field and
answer says what it is, and no route is left out.

    tests/e2e/openapi_lint_test.py
"""

import json
import re
import subprocess

import harness
import npm
from api_document import Document
from harness import Failed

CONFIG = harness.ROOT / "tests" / "e2e" / "api_tools" / "redocly.yaml"


def lint(tools, path):
    done = subprocess.run(
        [npm.program(tools, "redocly"), "lint", path, "--config", CONFIG, "--format", "json"],
        capture_output=True, text=True, timeout=300, check=False, cwd=path.parent,
        env={**npm.ENVIRONMENT, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    start = done.stdout.find("{")
    if start < 0:
        raise Failed(f"redocly: {done.stdout}{done.stderr}")
    report = json.loads(done.stdout[start:])
    for problem in report["problems"]:
        where = problem["location"][0].get("pointer", "") if problem["location"] else ""
        yield f"{problem['severity']}: {problem['ruleId']}: {problem['message']} ({where})"


def undescribed(document):
    for name, (_, path, operation) in document.operations.items():
        for key in ("summary", "description", "x-required-role"):
            if not operation.get(key):
                yield f"{name} ({path}) has no {key}"
        for parameter in document.parameters(operation):
            if not parameter.get("description"):
                yield f"{name}: {parameter['name']} has no description"
        for status, response in operation["responses"].items():
            if not document.resolve(response).get("description"):
                yield f"{name}: the answer {status} has no description"
        if path.startswith("/v1/") and "401" not in operation["responses"]:
            yield f"{name} has no 401"
    for name, schema in document.json["components"]["schemas"].items():
        if not schema.get("description"):
            yield f"{name} has no description: its .proto file has no comment on it"
        for field, part in schema.get("properties", {}).items():
            if not part.get("description"):
                yield f"{name}.{field} has no description: its .proto file has no comment on it"


def missing_routes(document):
    """Routes that the server has beside its services: gateway/auth/permissions.cc names them."""
    rules = (harness.ROOT / "gateway" / "auth" / "permissions.cc").read_text()
    routes = re.findall(r'\{"([A-Z]+) (/[^"]*)"', rules)
    if not routes:
        yield "gateway/auth/permissions.cc names no route"
    for method, path in routes:
        path = path.replace("...}", "}")
        if not path.startswith("/docs") and method.lower() not in document.json["paths"].get(path, {}):
            yield f"{method} {path} is not in gateway/openapi/base.json"


def run():
    tools = npm.api_tools()
    with harness.Workplace("lint") as place:
        server = place.server(place.sandbox())
        status, _, text = server.client.raw("GET", "/openapi.json")
        if status != 200:
            raise Failed(f"/openapi.json: HTTP {status}")
        path = place.directory / "openapi.json"
        path.write_bytes(text)
        document = Document(text)
        problems = [*undescribed(document), *missing_routes(document), *lint(tools, path)]
        if problems:
            raise Failed(f"{len(problems)} problems:\n  " + "\n  ".join(problems[:200]))
        print(f"lint: fine, {len(document.operations)} operations")
        return 0


if __name__ == "__main__":
    harness.main(run)
