#!/usr/bin/env python3
"""A campaign under review: changed texts reach the pull request, also over a SIGKILL; the first
decision wins; a rejection leaves nothing alive.

    tests/e2e/review_test.py
"""

import harness
from harness import expect

NEW_HEADLINE = "Run again this spring, together"


def start(server, name):
    body = {"campaign": harness.campaign(name, seed=name), "request_id": name}
    started = server.client.ok("POST", "/v1/campaigns", body)
    workflow_id = started["workflow_id"]
    server.await_review(workflow_id)
    return workflow_id


def resource(sandbox, workflow_id, kind):
    found = [r for r in sandbox.existing(workflow_id) if r["kind"] == kind]
    expect(len(found) == 1, f"{workflow_id}: {len(found)} of {kind}")
    return found[0]


def activities(server, workflow_id):
    history = server.client.ok("GET", f"/v1/workflows/{workflow_id}/history?page_size=1000")
    return [event["activity_task_scheduled"]["activity_type"] for event in history["events"]
            if "activity_task_scheduled" in event]


def changed_texts_are_shown(server, sandbox):
    workflow_id = start(server, "review-shown")
    path = f"/v1/workflows/{workflow_id}/signals"
    answer = server.client.ok("POST", path + "/update_content",
                              {"content_id": "headline", "new_content": NEW_HEADLINE})
    expect(answer["content_revision"] == 2, f"update_content: {answer}")
    server.kill()  # before, while or after the review is refreshed
    server.start()
    harness.wait_until(
        lambda: NEW_HEADLINE in str(resource(sandbox, workflow_id, "pull")["detail"]), 60,
        "the pull request shows the new headline")
    server.client.ok("POST", path + "/approve", {"decided_by": "ann"})
    code, answer = server.client.call("POST", path + "/approve", {"decided_by": "bob"})
    expect(code == 409 and "ann" in answer["message"], f"second decision: {code}: {answer}")
    server.wait_ended(workflow_id)
    expect(server.status(workflow_id) == "COMPLETED", server.status(workflow_id))
    names = activities(server, workflow_id)
    expect(names.count("refresh_review_activity") == 1, names)
    code, answer = server.client.call("POST", path + "/reject", {"decided_by": "bob"})
    expect(code == 409 and "ann" in answer["message"], f"decision at the end: {code}: {answer}")


def rejection_leaves_nothing(server, sandbox):
    workflow_id = start(server, "review-rejected")
    path = f"/v1/workflows/{workflow_id}/signals"
    server.client.ok("POST", path + "/update_content",
                     {"content_id": "headline", "new_content": NEW_HEADLINE})
    server.client.ok("POST", path + "/reject", {"decided_by": "bob", "comment": "not our voice"})
    server.wait_ended(workflow_id)
    expect(server.status(workflow_id) == "FAILED", server.status(workflow_id))
    expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")


def run():
    with harness.Workplace("review") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        changed_texts_are_shown(server, sandbox)
        rejection_leaves_nothing(server, sandbox)
        print("review: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
