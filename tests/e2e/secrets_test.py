#!/usr/bin/env python3
"""No secret leaves the process but to its vendor. campaignd runs as in production with a distinctive
value in every secret setting (docs/settings.md names them, so a new one is planted too), from the
environment and from NAME_FILE. Each vendor refuses a campaign once and repeats the credentials that
it was sent in its error. Then the log, the data directory (SQLite with its WAL), exported
histories, /metrics, all answers of the API, and the programs that print settings are searched for
every planted value, as it is and in the usual encodings.

A canary that is no secret goes the same ways: a place where it is not found was not searched.

    tests/e2e/secrets_test.py          --red: takes the canary for a secret, and must fail
"""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
import urllib.parse

import harness
import production
from harness import BIN, ROOT, bearer, expect

CANARY = "canary-5b21f0c7e9"

CHANGES = {
    "auth": {"jwt": {"issuer": "https://issuer.example", "audiences": ["campaignd"]}},
    "codec": {"encryption": {"encrypt": False}},
    "vendors": production.UNLIMITED,
    "campaign": {"moderation": {"model": "omni-moderation-latest"}},
    "activities": {"compensations": {"maximum_attempts": 1}}}

# Vendors with a token, and the calls at which they refuse: by then a campaign has made something.
REFUSALS = [("notion", ""), ("memory", "memories.put"), ("openai", "chat.completions"),
            ("openai", "moderations.create"), ("figma", ""), ("github", ""),
            ("slack", "chat.postMessage"), ("sendgrid", "mail.send"), ("buffer", "createPost"),
            ("cms", "content.published"), ("grafana", "dashboards.save"),
            ("github", "git.deleteRef")]


def secret_names():
    """Environment names of all secret settings."""
    text = (ROOT / "docs" / "settings.md").read_text()
    found = re.findall(r"^\| `\S+` \| secret \|[^|]*\| `(\w+)` \|", text, re.MULTILINE)
    expect(len(found) >= 11, f"docs/settings.md names {found}")
    return found


def planted_value(name):
    mark = "planted" + base64.b16encode(os.urandom(12)).decode().lower()
    if name == "CAMPAIGND_ENCRYPTION_KEYS":
        return "k1 " + base64.b64encode(os.urandom(32)).decode()
    if name == "CMS_WEBHOOK_SECRET":
        return "whsec_" + base64.b64encode(mark.encode()).decode()
    if name == "GOOGLE_CHAT_SERVICE_ACCOUNT":
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], capture_output=True,
                             text=True, check=True).stdout
        return json.dumps({"type": "service_account", "private_key_id": mark, "private_key": key,
                           "client_email": "app@example.com",
                           "token_uri": "http://127.0.0.1:9/token"})
    return f"{mark}-{name.lower().replace('_', '-')}"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(secret):
    """A JWT of an admin, signed with the planted secret."""
    claims = {"iss": "https://issuer.example", "aud": "campaignd", "sub": "ann@example.com",
              "roles": ["admin"], "namespace": "*", "exp": int(time.time()) + 3600}
    text = ".".join(base64url(json.dumps(part).encode())
                    for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64url(signature)}"


def plant(directory):
    """name -> value, and the environment that brings them in: half of them by file."""
    planted = {name: planted_value(name) for name in secret_names()}
    environment = {}
    for index, (name, value) in enumerate(sorted(planted.items())):
        if index % 2:
            path = directory / f"file-of-{name.lower()}"
            path.write_text(value + "\n")
            environment[name + "_FILE"] = str(path)
        else:
            environment[name] = value
    return planted, environment


def forms(value):
    """How a value may look in a file."""
    words = [value]
    if value.startswith("whsec_"):
        words += [value[6:], base64.b64decode(value[6:]).decode()]
    if value.startswith("k1 "):
        words += [value[3:]]
    if value.startswith("ck_"):  # its first part names it
        words += [value.split("_", 2)[2]]
    if value.startswith("eyJ"):
        words += [value.rsplit(".", 1)[1]]
    if value.startswith("{"):
        words = json.loads(value)["private_key"].split("\n")[1:-2]
    found = set()
    for word in words:
        found |= {word.encode(), urllib.parse.quote(word, safe="").encode(),
                  json.dumps(word)[1:-1].encode()}
        for shift in range(3):  # in the middle of a longer text in base64
            inner = base64.b64encode(b"\0" * shift + word.encode())
            found.add(inner[4 if shift else 0:-4])
    return found


def start(server, sandbox, name):
    body = harness.campaign(f"Spring {CANARY}", sandbox=sandbox if name == "good" else None)
    body["channels"] = ["email", "social", "blog", "cms"]
    body["target_audience"] = f"runners of {name}"  # no two ask the model the same
    return server.rest("POST", "/v1/campaigns",
                       {"campaign": body, "request_id": name})["workflow_id"]


def see_through(server, workflow_id, seconds=90):
    """Until the campaign has ended, or stays STUCK or paused; approves it on its way."""
    def look():
        info = server.rest("GET", f"/v1/workflows/{workflow_id}")
        if info["status"] not in ("RUNNING",):
            return info["status"]
        progress = server.progress(workflow_id)
        if progress.get("waiting_for_approval") and not progress.get("decision"):
            server.client.call("POST", f"/v1/workflows/{workflow_id}/signals/approve",
                               {"decided_by": "ann", "comment": CANARY})
        return None
    return harness.wait_until(look, seconds, f"{workflow_id} to come to its end")


def failing_campaigns(server, sandbox):
    ids, endings = [], {}
    for vendor, operation in REFUSALS:
        fault = {"vendor": vendor, "kind": "echo"}
        if operation:
            fault["operation"] = operation
        faults = [fault]
        if operation == "git.deleteRef":  # the undo is refused as well
            faults.append({"vendor": "grafana", "operation": "dashboards.save", "kind": "echo"})
        made = [sandbox.fault(**each) for each in faults]
        workflow_id = start(server, sandbox, f"refused by {vendor} {operation}")
        endings[f"{vendor} {operation}"] = see_through(server, workflow_id)
        ids.append(workflow_id)
        calls = sandbox.client.ok("GET", f"/__sandbox/calls?vendor={vendor}&limit=100000")["calls"]
        expect(any(c.get("fault") == "echo" and c["workflow_id"] == workflow_id for c in calls),
               f"{vendor} {operation}: nothing was refused")
        for each in made:
            sandbox.client.ok("DELETE", f"/__sandbox/faults/{each['id']}")
    expect("FAILED" in endings.values(), endings)
    return ids, endings


def answers(server, ids):
    """Everything that the API says: name -> bytes."""
    paths = ["/metrics", "/v1/workflows?page_size=1000", "/v1/workflow-counts", "/v1/breakers",
             "/v1/kill-switch", "/v1/operator-changes", "/v1/audit/events", "/v1/wizards",
             "/v1/workflow-versions", "/healthz", "/readyz", "/openapi.json"]
    for workflow_id in ids:
        paths += [f"/v1/workflows/{workflow_id}{rest}" for rest in (
            "", "/progress", "/saga", "/result", "/history?page_size=1000")]
    found = {}
    for path in paths:
        status, headers, body = server.client.raw("GET", path)
        found[path] = body + json.dumps(headers).encode()
        # The result of a run that waits for an operator is not there yet.
        expect(status // 100 == 2 or path.endswith("/result"), f"{path}: HTTP {status}")
    return found


def printed(server, ids, environment, settings, key):
    """What our programs print."""
    key_file = server.directory / "api.key"
    key_file.write_text(key)
    commands = {"campaignd --print-settings": [BIN / "campaignd", "--config", settings,
                                               "--print-settings"]}
    ctl = [BIN / "campaignctl", "--address", server.grpc, "--token-file", key_file]
    commands["campaignctl breakers"] = [*ctl, "breakers"]
    for workflow_id in ids:
        commands[f"campaignctl history export {workflow_id}"] = [
            *ctl, "history", "export", workflow_id]
        commands[f"campaignctl history {workflow_id}"] = [*ctl, "history", workflow_id]
    found = {}
    for name, command in commands.items():
        done = subprocess.run([str(c) for c in command], env={**os.environ, **environment},
                              capture_output=True, timeout=60, check=False)
        said = done.stdout + done.stderr
        expect(done.returncode == 0,  # what failed printed nothing that could be searched
               f"{name} ended with {done.returncode}: {said[-500:].decode(errors='replace')}")
        found[name] = said
    return found


def files(server):
    return {str(path): path.read_bytes() for path in
            [server.log, server.log.with_suffix(".out"),
             *sorted((server.directory / "data").rglob("*"))] if path.is_file()}


def search(planted, places):
    """Lines "NAME in PLACE"."""
    found = []
    for name, value in planted.items():
        for form in forms(value):
            found += [f"{name} in {place}: ...{text[max(0, at - 60):at]!r}"
                      for place, text in places.items() if (at := text.find(form)) >= 0]
    return found


def searched_everywhere(places):
    """The canary is where a secret would be."""
    for what, chosen in {
            "the log": [p for p in places if p.endswith("campaignd.log")],
            "the store": [p for p in places if "/runs.db" in p],
            "the WAL": [p for p in places if p.endswith("runs.db-wal")],
            "histories": [p for p in places if "/history?" in p],
            "exports": [p for p in places if "history export" in p],
            "progress": [p for p in places if p.endswith("/progress")]}.items():
        expect(chosen, f"{what} was not looked at: {sorted(places)}")
        if what == "the log":  # names no campaign's name, but its workflows
            expect(any(b"refused, you sent" in places[p] for p in chosen), "no refusal was logged")
            continue
        expect(any(form in places[p] for p in chosen for form in forms(CANARY)),
               f"the canary is not in {what}")


def run():
    red = "--red" in sys.argv[1:]
    with harness.Workplace("secrets") as place:
        planted, environment = plant(place.directory)
        os.environ["SANDBOX_CMS_SECRET"] = planted["CMS_WEBHOOK_SECRET"]
        sandbox = place.sandbox()
        del os.environ["SANDBOX_CMS_SECRET"]
        settings = place.directory / "campaignd.yaml"
        cms = {"cms": {"base_url": f"{sandbox.url}/cms/hooks/content"}}
        settings.write_text(production.settings(
            sandbox.url, {**CHANGES, "vendors": {**CHANGES["vendors"], **cms}}))
        server = harness.Server(place.directory, sandbox,
                                ["--config", settings, "--log-level", "debug"], environment,
                                dev=False)
        place.programs.append(server)
        made = subprocess.run([str(BIN / "campaignd"), "--config", str(settings), "--data-dir",
                               str(server.directory / "data"), "--create-admin-key", "test"],
                              env={**os.environ, **environment}, capture_output=True, text=True,
                              timeout=60, check=False)
        expect(made.returncode == 0, made.stderr)
        planted["API_KEY"] = made.stdout.strip()
        planted["JWT"] = token(planted["CAMPAIGND_JWT_SECRET"])
        server.start()
        server.client = harness.Client(server.url, bearer(planted["API_KEY"]))
        status, answer = harness.Client(server.url, bearer(planted["JWT"])).call(
            "GET", "/v1/workflows")
        expect(status == 200, f"with a JWT: HTTP {status}: {answer}")
        status, answer = harness.Client(server.url, bearer(planted["API_KEY"] + "x")).call(
            "GET", "/v1/workflows")
        expect(status == 401, f"with a wrong key: HTTP {status}: {answer}")
        good = start(server, sandbox, "good")
        expect(see_through(server, good) == "COMPLETED", server.status(good))
        failed, endings = failing_campaigns(server, sandbox)
        ids = [good, *failed]
        places = {**answers(server, ids), **printed(server, ids, environment, settings, planted["API_KEY"]),
                  **files(server)}
        searched_everywhere(places)
        server.stop()
        places.update({f"stopped: {name}": text for name, text in files(server).items()})
        if red:
            planted["CANARY"] = CANARY
        found = search(planted, places)
        expect(not found, f"{len(found)} leaks:\n" + "\n".join(found[:40]))
        print(f"secrets: fine; {len(planted)} secrets, {len(places)} places, {endings}")
        return 0


if __name__ == "__main__":
    harness.main(run)
