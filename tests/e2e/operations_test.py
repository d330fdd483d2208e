#!/usr/bin/env python3
"""What operators do when vendors are in trouble, on the real programs: a breaker opens while GitHub
is down, campaigns wait and go on by themselves; what was handed over is taken back while Buffer is
away for long; the kill switch stops every call and survives a
SIGKILL; breakers are forced by hand; a dry run sends nothing. Over REST and campaignctl.

    tests/e2e/operations_test.py
"""

import collections
import json
import urllib.parse

import harness
from harness import expect

SETTINGS = """
outbound:
  kill_switch_recheck: 200ms
  breaker:
    open_initial: 300ms
    open_max: 1s
    drain_per_second: 200
campaign:
  undo_window: 11m20s  # 20 s until a mail has to be taken back for certain
"""


def start(server, name, **fields):
    body = {"campaign": {**harness.campaign(name), **fields}, "request_id": name}
    return server.client.ok("POST", "/v1/campaigns", body)["workflow_id"]


def breaker(server, service):
    listed = server.client.ok("GET", "/v1/breakers")["breakers"]
    found = [b for b in listed if b["service"] == service]
    expect(len(found) == 1, f"{service} in {listed}")
    return found[0]


def calls(sandbox):
    return sandbox.client.ok("GET", "/__sandbox/healthz")["calls"]


def approve(server, workflow_id):
    server.await_review(workflow_id)
    server.client.ok("POST", f"/v1/workflows/{workflow_id}/signals/approve", {"decided_by": "ann"})


def outage(server, sandbox):
    for service in ("github", "slack", "notion", "grafana"):
        expect(breaker(server, service)["state"] == "closed", f"{service} at the start")
    expect(server.metric("circuit_breaker_state") == 0, "all breakers are closed")
    sandbox.fault(vendor="github", kind="reset")
    waiting = [start(server, f"outage-{i}") for i in range(8)]
    harness.wait_until(lambda: breaker(server, "github")["state"] != "closed", 60,
                       "GitHub's breaker opens")
    harness.wait_until(lambda: int(breaker(server, "github").get("calls_held", 0)) > 0, 60,
                       "calls are held back")
    expect(breaker(server, "slack")["state"] == "closed", "slack is not touched")
    expect(server.metric("circuit_breaker_failures_total") >= 5, "failures are counted")
    table = server.ctl("breakers")[0]
    expect("github" in table and "NEXT PROBE" in table, table)
    for workflow_id in waiting:
        expect(server.status(workflow_id) == "RUNNING", f"{workflow_id} waits")
    sandbox.clear_faults()
    for workflow_id in waiting:
        approve(server, workflow_id)
    for workflow_id in waiting:
        server.wait_ended(workflow_id)
        expect(server.status(workflow_id) == "COMPLETED", f"{workflow_id} completes")
    expect(breaker(server, "github")["state"] == "closed", "GitHub's breaker is closed again")
    expect(not sandbox.resources()["duplicates"], "nothing is there twice")


def mails(sandbox, workflow_id):
    """What became of the campaign's mails: their states."""
    return [r["state"] for r in sandbox.resources(workflow_id=workflow_id)["resources"]
            if r["vendor"] == "sendgrid" and r["kind"] == "mail"]


def distribution_outage(server, sandbox):
    """Buffer is away for longer than the undo window: the mail is taken back, also by a server that
    is killed meanwhile, and goes out together with the post, once."""
    sandbox.fault(vendor="buffer", kind="reset")
    workflow_id = start(server, "amidst", channels=["email", "social", "blog"])
    approve(server, workflow_id)
    harness.wait_until(lambda: mails(sandbox, workflow_id) == ["queued"], 60,
                       "the mail to be handed over")
    harness.wait_until(lambda: breaker(server, "buffer")["state"] != "closed", 60,
                       "Buffer's breaker opens")
    server.kill()
    server.start()
    expect(breaker(server, "buffer")["state"] != "closed", "an outage goes on after SIGKILL")
    harness.wait_until(lambda: mails(sandbox, workflow_id) == ["cancelled"], 60,
                       "the mail to be taken back")
    expect(server.status(workflow_id) == "RUNNING", "the campaign waits")
    sandbox.clear_faults()
    server.wait_ended(workflow_id)
    expect(server.status(workflow_id) == "COMPLETED", "the campaign completes")
    sent = collections.Counter(mails(sandbox, workflow_id))
    expect(sent == {"queued": 1, "cancelled": 1}, f"mails: {sent}")
    vendors = collections.Counter(r["vendor"] for r in sandbox.existing(workflow_id)
                                  if r["kind"] in ("post", "mail"))
    expect(vendors == {"sendgrid": 1, "buffer": 1}, f"alive: {vendors}")
    expect(not sandbox.resources()["duplicates"], "nothing is there twice")


def kill_switch(server, sandbox):
    code, answer = server.client.call("POST", "/v1/kill-switch", {"on": True})
    expect(code == 400, f"without a reason: {code}: {answer}")
    state = server.client.ok("POST", "/v1/kill-switch",
                             {"on": True, "reason": "wrong price", "identity": "ann"})
    expect(state["on"] and state["changed_by"] == "ann", state)
    before = calls(sandbox)
    held = [start(server, f"held-{i}") for i in range(4)]
    harness.wait_until(
        lambda: int(server.client.ok("GET", "/v1/kill-switch").get("calls_held", 0)) >= 8, 60,
        "calls are held back")
    expect(calls(sandbox) == before, "no call left")
    server.kill()
    server.start()
    state = server.client.ok("GET", "/v1/kill-switch")
    expect(state["on"] and state["reason"] == "wrong price", f"after SIGKILL: {state}")
    expect(server.metric("outbound_kill_switch") == 1, "the metric says so")
    harness.wait_until(
        lambda: int(server.client.ok("GET", "/v1/kill-switch").get("calls_held", 0)) >= 4, 60,
        "calls are held back after the restart")
    expect(calls(sandbox) == before, "no call left after the restart")
    for workflow_id in held:
        expect(server.status(workflow_id) == "RUNNING", f"{workflow_id} waits")
    expect("ON" in server.ctl("kill-switch")[0], "campaignctl kill-switch")
    server.ctl("kill-switch", "off", "--reason", "price is right")
    for workflow_id in held:
        approve(server, workflow_id)
    for workflow_id in held:
        server.wait_ended(workflow_id)
        expect(server.status(workflow_id) == "COMPLETED", f"{workflow_id} completes")
    log = json.loads(server.ctl("kill-switch", "log", "--output", "json")[0])["changes"]
    expect([c["action"] for c in log] == ["off", "on"], log)
    expect(log[1]["identity"] == "ann" and log[1]["reason"] == "wrong price", log)


def forced_breakers(server, sandbox):
    server.ctl("breakers", "force-open", "notion", "--reason", "upkeep")
    forced = breaker(server, "notion")
    expect(forced["state"] == "open" and forced["forced"] == "open", forced)
    before = len(sandbox.client.ok("GET", "/__sandbox/calls?vendor=notion&limit=1000")["calls"])
    waiting = start(server, "forced", research_sources=["notion"])
    harness.wait_until(lambda: int(breaker(server, "notion").get("calls_held", 0)) > 0, 60,
                       "a call is held back")
    server.kill()
    server.start()
    expect(breaker(server, "notion")["forced"] == "open", "a force survives SIGKILL")
    after = len(sandbox.client.ok("GET", "/__sandbox/calls?vendor=notion&limit=1000")["calls"])
    expect(after == before, "notion was not called")
    expect(server.status(waiting) == "RUNNING", "the campaign waits")
    path = "/v1/breakers/" + urllib.parse.quote("notion") + "/reset"
    released = server.client.ok("POST", path, {"reason": "done", "identity": "bob"})
    expect(released["state"] == "closed" and not released.get("forced"), released)
    approve(server, waiting)
    server.wait_ended(waiting)
    expect(server.status(waiting) == "COMPLETED", "the campaign completes")
    server.ctl("breakers", "reset", "nobody", "--reason", "x", code=3)  # no such service


def dry_run(server, sandbox):
    before = calls(sandbox)
    workflow_id = start(server, "dry", dry_run=True)
    server.wait_ended(workflow_id)
    expect(server.status(workflow_id) == "COMPLETED", "a dry run completes")
    expect(calls(sandbox) == before, "a dry run calls nobody")
    progress = server.progress(workflow_id)
    vendors = {call["vendor"] for call in progress["would_send"]}
    expect({"github", "slack", "sendgrid", "buffer", "grafana", "openai"} <= vendors, vendors)
    text = server.ctl("result", workflow_id)[0]
    expect("nothing was sent" in text and "sendgrid" in text, text)


def run():
    with harness.Workplace("operations") as place:
        sandbox = place.sandbox()
        settings = place.directory / "settings.yaml"
        settings.write_text(SETTINGS)
        server = place.server(sandbox, ["--config", settings])
        outage(server, sandbox)
        distribution_outage(server, sandbox)
        kill_switch(server, sandbox)
        forced_breakers(server, sandbox)
        dry_run(server, sandbox)
        print("operations: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
