#!/usr/bin/env python3
"""Every call of every connector passes the schema that its vendor publishes, and so does every answer
of vendor-sandbox: `prism proxy SPEC SANDBOX --errors` stands between the two. Prism comes from npm
with the versions of package-lock.json, into the build directory.

    tests/contract/specs/prism_test.py [VENDOR...]
"""

import http.client
import json
import pathlib
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "e2e"))

import harness  # noqa: E402
import npm  # noqa: E402
from harness import Failed  # noqa: E402

# Vendor: files, where it lives in the sandbox, calls that its file does not hold.
VENDORS = {
    "notion": (["notion.json"], "/notion", []),
    "openai": (["openai-chat.trimmed.json"], "/openai/v1", ["moderations.create"]),
    "figma": (["figma.lite.json"], "/figma", []),
    "github": (["github.trimmed.json"], "/github", []),
    "slack": (["slack.openapi3.json"], "/slack/api", []),
    "sendgrid": (["sendgrid-mail.json", "sendgrid-scheduled-sends.json"], "/sendgrid", []),
}
# A request that each schema forbids. Prism says nothing of a schema that it cannot read: then this
# one gets through.
FORBIDDEN = {
    "notion": ("POST", "/v1/search", {"page_size": "many"}),
    "openai": ("POST", "/chat/completions", {"model": "m"}),
    "figma": ("GET", "/v1/images/key", None),
    "github": ("POST", "/repos/acme/site/pulls", {"title": "t"}),
    "slack": ("POST", "/chat.postMessage", {"text": "to nobody"}),
    "sendgrid": ("POST", "/v3/mail/send", {"subject": "s"}),
}
# Vendors whose answers have far more fields than the sandbox gives.
LOOSE = ("github", "slack")
START_SECONDS = 120
CALLS_SECONDS = 300


def loosen(node):
    """For answers: vendors add fields at any time, and the sandbox leaves out what nobody reads. The
    types, formats and values of what is there are checked."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        if isinstance(node.get("required"), list):
            del node["required"]
        node = node.values()
    elif not isinstance(node, list):
        return
    for child in node:
        loosen(child)


def mend_slack(spec):
    """Slack's archived file: refusals come with 200 as well, and a message's blocks are a list."""
    for methods in spec["paths"].values():
        for operation in methods.values():
            answers = operation["responses"]
            success = answers["200"]["content"]["application/json"]
            refusal = answers.get("default", {}).get("content", {}).get("application/json")
            if refusal:
                success["schema"] = {"anyOf": [success["schema"], refusal["schema"]]}
    answer = spec["paths"]["/chat.update"]["post"]["responses"]["200"]["content"]
    message = answer["application/json"]["schema"]["anyOf"][0]["properties"]["message"]
    message["properties"]["blocks"] = {"type": "array", "items": {"type": "object"}}


def merged(into, other):
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merged(into[key], value)
        else:
            into.setdefault(key, value)
    return into


def spec_of(vendor, directory):
    """The vendor's file for Prism, made of those that it publishes."""
    spec = {}
    for name in VENDORS[vendor][0]:
        merged(spec, json.loads((HERE / name).read_text()))
    if vendor in LOOSE:
        # Their requests have schemas of their own: components are parts of answers alone.
        loosen(spec["components"].get("schemas", {}))
        for methods in spec["paths"].values():
            for operation in methods.values():
                if isinstance(operation, dict):
                    loosen(operation.get("responses", {}))
    if vendor == "slack":
        mend_slack(spec)
    if vendor == "notion":  # its file knows no sort by "timestamp", its documentation does
        spec["components"]["schemas"]["sortObject"]["required"] = ["direction"]
    path = directory / f"{vendor}.json"
    path.write_text(json.dumps(spec))
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def refuses(vendor, port):
    method, path, body = FORBIDDEN[vendor]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": "Bearer test", "X-Figma-Token": "test",
               "Notion-Version": "2025-09-03", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status in (400, 422) and b"stoplight.io/prism" in said


def check(vendor, prism, sandbox_url, directory):
    """What went wrong, as text; nothing when every call passed."""
    _, prefix, skipped = VENDORS[vendor]
    port = free_port()
    log_path = directory / f"{vendor}.log"
    with open(log_path, "w", encoding="utf-8") as log:
        proxy = subprocess.Popen(
            [prism, "proxy", spec_of(vendor, directory), sandbox_url + prefix, "--errors",
             "-h", "127.0.0.1", "-p", str(port)], stdout=log, stderr=subprocess.STDOUT)
    try:
        harness.wait_until(lambda: listens(port) or proxy.poll() is not None, START_SECONDS,
                           f"prism for {vendor}")
        if proxy.poll() is not None:
            return f"prism for {vendor} ended:\n{log_path.read_text()}"
        if not refuses(vendor, port):
            return f"prism let a request through that the schema of {vendor} forbids"
        calls = subprocess.run(
            [harness.BIN / "contract_calls", sandbox_url, vendor, f"http://127.0.0.1:{port}",
             *skipped], capture_output=True, text=True, timeout=CALLS_SECONDS, check=False)
    finally:
        proxy.terminate()
        proxy.wait()
    print(calls.stdout, end="")
    if calls.returncode == 0:
        return ""
    said = [line for line in log_path.read_text().splitlines() if "Violation" in line]
    return f"{vendor}:\n{calls.stdout}" + "\n".join(sorted(set(said)))


def run():
    prism = npm.program(npm.packages("prism", "tests/contract/specs"), "prism")
    with harness.Workplace("prism") as place:
        sandbox = place.sandbox()
        failed = [problem for vendor in sys.argv[1:] or VENDORS
                  if (problem := check(vendor, prism, sandbox.url, place.directory))]
        if failed:
            raise Failed("\n".join(failed))
    print("contract: fine")
    return 0


if __name__ == "__main__":
    harness.main(run)
