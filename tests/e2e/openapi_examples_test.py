#!/usr/bin/env python3
"""Every example of docs/api/examples against a real server and sandbox: the answer, and the one that
the example shows, fit the schema of /openapi.json. Every operation has an example; those of webhooks
are signed as their vendor would.

    tests/e2e/openapi_examples_test.py [--update]    --update writes the answers into the examples
"""

import argparse
import http.client
import json
import pathlib
import urllib.parse

import approvals_test
import google_chat_test
import harness
from api_document import Document
from harness import Failed, wait_until

EXAMPLES = harness.ROOT / "docs" / "api" / "examples"
WITHOUT = {"GetAsset", "GetOpenApi"}  # an image, and the document itself
SECRET = "ck_ab12cd34_its-secret-shown-this-once"  # instead of a real one


class Runner:
    def __init__(self, server, sandbox, update):
        self.server = server
        self.sandbox = sandbox
        self.update = update
        self.document = Document(server.client.raw("GET", "/openapi.json")[2])
        self.answers = {}  # of the operations so far
        self.headers = {"Content-Type": "application/json"}

    def prepare(self, step):
        if "call" in step:
            self.server.client.ok(*step["call"])
        if "until" in step:
            path, field, value = step["until"]
            wait_until(lambda: self.server.client.ok("GET", path).get(field) == value, 60,
                       f"{field} of {path} to be {value}")
        if "fault" in step:
            self.sandbox.fault(**step["fault"])
        if "clear_faults" in step:
            self.sandbox.clear_faults()

    def target(self, example):
        method, path, operation = self.document.operations[example["operation"]]
        for name, value in example.get("path", {}).items():
            if name in example.get("from", {}):  # an earlier answer has the real one
                operation_before, fields = example["from"][name]
                value = self.answers[operation_before]
                for field in fields.split("."):
                    value = value[field]
            path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
        if "query" in example:
            path += "?" + urllib.parse.urlencode(example["query"])
        return method, path, operation

    def run(self, file):
        example = json.loads(file.read_text())
        if example["operation"] not in self.document.operations:
            return [f"there is no operation {example['operation']}"]
        for step in example.get("before", []):
            self.prepare(step)
        method, path, operation = self.target(example)
        if "stream" in example:
            return self.stream(example, path)
        if "signed" in example:
            status, data = self.signed(example)
        else:
            body = json.dumps(example["body"]).encode() if "body" in example else None
            headers = {**self.headers, **example.get("headers", {})}
            status, _, data = self.server.client.raw(method, path, body, headers)
        if status != 200:
            return [f"HTTP {status}: {data.decode()}"]
        return self.look(example, operation, data, file)

    def signed(self, example):
        """What the vendor would send: (status, answer)."""
        kind, body = example["signed"], example["body"]
        if kind == "slack":
            place = "commands" if "command" in body else "interactions"
            status, answer = approvals_test.slack_post(self.server, place, body)
        elif kind == "github":
            headers = example["headers"]
            status, answer = approvals_test.github_post(
                self.server, headers["X-GitHub-Event"], body, headers["X-GitHub-Delivery"])
        else:
            status, answer = google_chat_test.Google(self.sandbox, self.server).post(body)
            answer = json.dumps(answer)
        return status, answer.encode()

    def look(self, example, operation, data, file):
        """What is wrong with the answer `data` and with the one that the example shows."""
        if list(operation["responses"]["200"]["content"]) == ["text/plain"]:
            names = [line.split("{")[0] for line in example["response"].splitlines()]
            return [f"{name!r} is not in the answer" for name in names if name not in data.decode()]
        if not data:
            return ["shows an answer where there is none"] if "response" in example else []
        got = json.loads(data)
        self.answers[example["operation"]] = dict(got)
        if example["operation"] == "CreateApiKey":  # from now on every call needs one
            self.headers["Authorization"] = f"Bearer {got['secret']}"
            got["secret"] = SECRET
        schema = self.document.answer_schema(operation, 200)
        problems = list(self.document.problems(got, schema))
        body_schema = self.document.body_schema(operation)
        if "body" in example and body_schema is not None:
            problems += self.document.problems(example["body"], body_schema, "body")
        if self.update:
            example["response"] = got
            file.write_text(json.dumps(example, indent=2, ensure_ascii=False) + "\n")
        elif "response" not in example:
            problems.append("shows no answer; run this with --update")
        else:
            problems += self.document.problems(example["response"], schema, "shown")
        return problems

    def stream(self, example, path):
        """The first event or line fits its schema."""
        connection = http.client.HTTPConnection(*self.server.client.address, timeout=60)
        connection.request("GET", path, headers=self.headers)
        response = connection.getresponse()
        kind = response.getheader("Content-Type", "")
        success = self.document.operations[example["operation"]][2]["responses"]["200"]
        try:
            if kind.split(";")[0] not in success["content"]:
                return [f"is {kind}, not {list(success['content'])}: {response.read(1000)}"]
            if example["stream"] == "lines":
                return list(self.document.problems(json.loads(response.readline()),
                                                   success["x-line-schema"]))
            event, data = first_event(response)
        finally:
            connection.close()
        problems = list(self.document.problems(json.loads(data), success["x-event-schema"]))
        return problems + ([] if event == example["stream"] else [f"event is {event}"])


def first_event(lines):
    event, data = None, None
    for line in lines:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        event = value if name == "event" else event
        data = value if name == "data" else data
        if not line.strip() and data is not None:
            break
    return event, data


def errors_are_described(runner):
    """Refusals fit the schema of errors, whatever their details."""
    for method, path, body in (
            ("POST", "/v1/campaigns", {"campaign": {"tone": "angry"}}),
            ("GET", "/v1/workflows/no-such-workflow", None),
            ("GET", "/v1/wizards/no-such-wizard", None),
            ("GET", "/v1/schedules/no-such-schedule", None),
            ("POST", "/v1/breakers/none/reset", {"reason": "test"}),
            ("GET", "/v2", None), ("DELETE", "/v1/campaigns", None)):
        data = None if body is None else json.dumps(body).encode()
        status, _, text = runner.server.client.raw(method, path, data, runner.headers)
        answer = json.loads(text)
        schema = {"$ref": "#/components/schemas/Status"}
        for problem in runner.document.problems(answer, schema):
            yield f"{method} {path}: HTTP {status}: {problem}: {json.dumps(answer)}"


def run():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    with harness.Workplace("examples") as place:
        sandbox = place.sandbox()
        server = place.server(
            sandbox, ["--config", google_chat_test.settings(place.directory, sandbox)])
        runner = Runner(server, sandbox, args.update)
        problems = []
        files = sorted(EXAMPLES.glob("*.json"), key=pathlib.Path.as_posix)
        for file in files:
            try:
                problems += [f"{file.name}: {problem}" for problem in runner.run(file)]
            except (Failed, OSError, KeyError) as error:
                problems.append(f"{file.name}: {error!r}")
        shown = {json.loads(file.read_text())["operation"] for file in files}
        problems += [f"{name} has no example" for name in
                     sorted(runner.document.operations) if name not in shown | WITHOUT]
        problems += errors_are_described(runner)
        if problems:
            raise Failed(f"{len(problems)} problems:\n  " + "\n  ".join(problems))
        print(f"examples: fine, {len(files)}")
        return 0


if __name__ == "__main__":
    harness.main(run)
