#!/usr/bin/env python3
"""Campaigns with compressed and encrypted payloads: nothing readable in the store's files, all of it
over REST; a rotation; a key that is gone and comes back.

    tests/e2e/encryption_test.py
"""

import base64
import json
import os
import signal

import harness
from harness import expect

GOAL = "planted-goal-4711"
AUDIENCE = "planted-audience-4712"
HEADLINE = "Planted-headline-4713 for you"
COMMENT = "planted-comment-4714"


def key(name):
    return f"{name} {base64.b64encode(os.urandom(32)).decode()}\n"


class Keys:
    def __init__(self, place):
        self.path = place.directory / "keys"

    def write(self, *lines):
        new = self.path.with_suffix(".new")
        new.write_text("# of a test\n" + "".join(lines))
        new.rename(self.path)


def start(server, name):
    body = harness.campaign(name, seed=name)
    body["campaign_goals"] = [GOAL]
    body["target_audience"] = AUDIENCE
    started = server.rest("POST", "/v1/campaigns", {"campaign": body, "request_id": name})
    again = server.rest("POST", "/v1/campaigns", {"campaign": body, "request_id": name})
    expect(again["workflow_id"] == started["workflow_id"], f"repeated start: {again}")
    workflow_id = started["workflow_id"]
    server.await_review(workflow_id)
    return workflow_id


def stored(place):
    """The bytes of the engine's store."""
    files = list((place.directory / "data").glob("runs.db*"))
    expect(files, "there is no store")
    return b"".join(file.read_bytes() for file in files)


def planted(place):
    data = stored(place).lower()
    return [data[at:at + 40] for at in (data.find(b"planted-"),) if at >= 0]


def history(server, workflow_id):
    return json.dumps(server.rest("GET", f"/v1/workflows/{workflow_id}/history?page_size=1000"))


def nothing_readable(place, server):
    workflow_id = start(server, "secret-one")
    path = f"/v1/workflows/{workflow_id}/signals"
    server.rest("POST", path + "/update_content",
                {"content_id": "headline", "new_content": HEADLINE})
    expect(not planted(place), f"readable while it waits: {planted(place)}")
    server.rest("POST", path + "/approve", {"decided_by": "ann", "comment": COMMENT})
    server.wait_ended(workflow_id)
    expect(server.status(workflow_id) == "COMPLETED", server.status(workflow_id))
    expect(b"encryption-key-id" in stored(place), "nothing is encrypted")
    expect(not planted(place), f"readable at the end: {planted(place)}")
    shown = history(server, workflow_id)
    for text in (GOAL, AUDIENCE, HEADLINE):
        expect(text in shown, f"{text} is not in the history over REST")
    expect("encryption-key-id" not in shown, "the history over REST is encrypted")


def rotation(keys, server, old, new):
    workflow_id = start(server, "secret-two")
    keys.write(new, old)
    os.kill(server.pid, signal.SIGHUP)
    other = start(server, "secret-three")
    for one in (workflow_id, other):
        server.rest("POST", f"/v1/workflows/{one}/signals/approve", {"decided_by": "ann"})
        server.wait_ended(one)
        expect(server.status(one) == "COMPLETED", server.status(one))
    log = server.log.read_text(errors="replace")
    secrets = [line.split()[1] for line in (old, new)]
    expect(not any(secret in log for secret in secrets), "a key is in the log")


def missing_key(keys, server, old, new):
    workflow_id = start(server, "secret-four")
    server.stop()
    keys.write(old)  # the one that encrypted it is gone
    server.start()
    code, answer = server.client.call("POST", f"/v1/workflows/{workflow_id}/signals/approve",
                                      {"decided_by": "ann"})
    expect(code >= 400, f"approved without the key: {code}: {answer}")
    server.client.call("POST", f"/v1/workflows/{workflow_id}/cancel", {"reason": "enough"})

    def stuck():
        info = server.rest("GET", f"/v1/workflows/{workflow_id}")
        return info if info["status"] == "STUCK" else None
    info = harness.wait_until(stuck, 60, "the run is STUCK")
    expect("payload codec" in info["status_reason"] and '"new"' in info["status_reason"],
           info["status_reason"])
    keys.write(new, old)
    server.wait_ended(workflow_id, 120)
    expect(server.status(workflow_id) == "CANCELED", server.status(workflow_id))


def run():
    with harness.Workplace("encryption") as place:
        keys = Keys(place)
        old, new = key("old"), key("new")
        keys.write(old)
        settings = place.directory / "settings.yaml"
        settings.write_text("codec:\n  compression: zlib\n  encode_failures: true\n  encryption:\n"
                            f"    keys_file: {keys.path}\n")
        sandbox = place.sandbox()
        server = place.server(sandbox, ["--config", settings])
        nothing_readable(place, server)
        rotation(keys, server, old, new)
        missing_key(keys, server, old, new)
        print("encryption: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
