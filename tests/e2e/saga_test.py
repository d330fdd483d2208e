#!/usr/bin/env python3
"""What a campaign says when it could not be taken back whole, over the real programs: why an undo
is blocked and how often each reason is said, what an operator skipped and what a person did by
hand, and what a terminated campaign leaves.

    tests/e2e/saga_test.py
"""

import time

import harness
from harness import expect


def start(server, name, **changes):
    body = {**harness.campaign("Spring running"), **changes}
    started = server.rest("POST", "/v1/campaigns", {"campaign": body, "request_id": name})
    server.await_review(started["workflow_id"])
    return started["workflow_id"]


def states(server, workflow_id):
    return {phase["phase"]: phase["state"] for phase in server.progress(workflow_id)["phases"]}


def drafts(sandbox, workflow_id):
    return [r for r in sandbox.existing(workflow_id) if r["vendor"] == "memory"]


def stuck(server, workflow_id):
    harness.wait_until(lambda: server.status(workflow_id) == "STUCK", 60, "the blocked undo")
    return server.rest("GET", f"/v1/workflows/{workflow_id}")["status_reason"]


def a_skipped_undo_is_not_called_undone(server, sandbox):
    sandbox.fault(vendor="memory", operation="memories.delete", kind="error", status=403)
    workflow_id = start(server, "skipped")
    server.ctl("reject", workflow_id, "--by", "ann", "--reason", "too loud")
    reason = stuck(server, workflow_id)
    expect("delete_content_drafts_activity of step content_creation_activity cannot be retried: "
           in reason, reason)
    expect(reason.count("403") == 1 and "the same for 5 more: " in reason, reason)
    shown, _ = server.ctl("saga", workflow_id)
    expect("BLOCKED    1 of " in shown, shown)
    expect(max(map(len, shown.splitlines())) < 320, shown)
    server.ctl("saga", "skip", workflow_id, "content_creation_activity", "--reason",
               "they may stay")
    expect(server.wait_ended(workflow_id) == "FAILED", "it was rejected")
    expect(len(drafts(sandbox, workflow_id)) == 6, drafts(sandbox, workflow_id))

    progress = server.progress(workflow_id)
    said = "not undone: content (skipped by "
    expect(said in progress["message"] and "they may stay)" in progress["message"], progress)
    expect("undone: rejected" not in progress["message"], progress)
    expect(states(server, workflow_id)["content"] == "not_undone", progress)
    expect(states(server, workflow_id)["design"] == "compensated", progress)
    failure = server.rest("GET", f"/v1/workflows/{workflow_id}/result")["failure"]
    expect("too loud; not undone: content_creation_activity (skipped by " in failure["message"],
           failure)
    for command in ("result", "watch"):
        printed, _ = server.ctl(command, workflow_id, code=1)
        rows = [line.split() for line in printed.splitlines()]
        expect(["design_assets_activity", "SUCCEEDED", "COMPLETED"] in rows, printed)
        expect(any(row[:3] == ["content_creation_activity", "SUCCEEDED", "SKIPPED"]
                   for row in rows), printed)
    shown, _ = server.ctl("saga", workflow_id)
    expect("not undone: content_creation_activity (skipped by " in shown, shown)
    sandbox.clear_faults()


def what_was_done_by_hand_is_said(server, sandbox):
    sandbox.fault(vendor="memory", operation="memories.delete", kind="error", status=403)
    workflow_id = start(server, "by-hand")
    server.ctl("cancel", workflow_id, "--reason", "budget cut")
    stuck(server, workflow_id)
    server.ctl("saga", "resolve", workflow_id, "content_creation_activity", "--reason",
               "deleted in the console")
    expect(server.wait_ended(workflow_id) == "CANCELED", "it was canceled")
    message = server.progress(workflow_id)["message"]
    expect(message.startswith("canceled and undone: ") and
           "undone by hand: content (" in message and "deleted in the console" in message, message)
    expect(states(server, workflow_id)["content"] == "compensated", message)
    sandbox.clear_faults()


def canceled_before_its_time(server):
    """The distribution of a campaign that waits for its time has not begun, and did not fail."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 24 * 3600))
    workflow_id = start(server, "scheduled", schedule_time=when)
    server.ctl("approve", workflow_id, "--by", "ann")
    harness.wait_until(lambda: "distribution begins" in server.progress(workflow_id)["message"], 60,
                       "the wait for its time")
    expect(states(server, workflow_id)["distribution"] == "pending", states(server, workflow_id))
    server.ctl("cancel", workflow_id, "--reason", "budget cut")
    expect(server.wait_ended(workflow_id) == "CANCELED", "it was canceled")
    expect(states(server, workflow_id) == {
        "research": "completed", "content": "compensated", "design": "compensated",
        "review": "compensated", "distribution": "pending", "analytics": "pending"},
           states(server, workflow_id))


def terminated(server, sandbox):
    workflow_id = start(server, "terminated")
    server.ctl("terminate", workflow_id, "--reason", "test")
    progress = server.progress(workflow_id)
    left = "content_creation_activity, design_assets_activity, review_approval_activity"
    expect(progress["message"] == f"Terminated: test; not undone: {left}", progress)
    expect(not progress.get("waiting_for_approval"), progress)
    expect(states(server, workflow_id)["review"] == "terminated", progress)
    shown, _ = server.ctl("saga", workflow_id)
    expect("saga was FORWARD when its run ended: TERMINATED\n" in shown, shown)
    expect(f"not undone: {left}\n" in shown, shown)
    expect(sandbox.existing(workflow_id), "nothing was undone")


def ended_before_it_did_anything(server, sandbox):
    """Research changes nothing at vendors: what ends there leaves nothing."""
    sandbox.fault(vendor="notion", kind="latency", latency_ms=600_000)
    for verb, status in (("cancel", "CANCELED"), ("terminate", "TERMINATED")):
        body = {**harness.campaign("Spring running"), "research_sources": ["notion"]}
        workflow_id = server.rest("POST", "/v1/campaigns", {"campaign": body, "request_id": verb}
                                  )["workflow_id"]
        harness.wait_until(lambda w=workflow_id: states(server, w)["research"] == "running", 60,
                           "the research")
        server.ctl(verb, workflow_id)
        expect(server.wait_ended(workflow_id) == status, verb)
        saga = server.rest("GET", f"/v1/workflows/{workflow_id}/saga")
        expect(saga["state"] == "COMPENSATED", saga)
        expect([s["outcome"] for s in saga["steps"]] == ["UNKNOWN"], saga)
        expect(states(server, workflow_id)["research"] == status.lower(),
               server.progress(workflow_id))
        if verb == "cancel":
            message = server.progress(workflow_id)["message"]
            expect("there was nothing to undo" in message, message)
    sandbox.clear_faults()


def run():
    with harness.Workplace("saga") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        a_skipped_undo_is_not_called_undone(server, sandbox)
        what_was_done_by_hand_is_said(server, sandbox)
        canceled_before_its_time(server)
        terminated(server, sandbox)
        ended_before_it_did_anything(server, sandbox)
        print("saga: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
