#!/usr/bin/env python3
"""The channel "cms" over the real server: a dry run names its call, a campaign publishes one article
whatever happens to the answers or to the server, a campaign that fails afterwards takes it back, and
a CMS that has unsubscribed fails the campaign without leaving anything.

    tests/e2e/cms_test.py
"""

import harness
from harness import expect


def start(server, name, **changes):
    body = {**harness.campaign("Spring running"), "channels": ["email", "cms"], **changes}
    return server.rest("POST", "/v1/campaigns",
                       {"campaign": body, "request_id": name})["workflow_id"]


def approve(server, workflow_id):
    server.await_review(workflow_id)
    server.rest("POST", f"/v1/workflows/{workflow_id}/signals/approve", {"decided_by": "ann"})


def approved(server, workflow_id):
    """How it ends then."""
    approve(server, workflow_id)
    return server.wait_ended(workflow_id)


def articles(sandbox, workflow_id):
    found = sandbox.resources(workflow_id=workflow_id)["resources"]
    return [r for r in found if r["vendor"] == "cms" and r["kind"] == "article"]


def calls(sandbox, workflow_id, operation):
    found = sandbox.client.ok("GET", f"/__sandbox/calls?workflow_id={workflow_id}")["calls"]
    return [call for call in found if call["operation"] == operation]


def a_dry_run_names_its_call(server, sandbox):
    workflow_id = start(server, "cms-dry", dry_run=True)
    server.wait_ended(workflow_id)
    plan = server.rest("GET", f"/v1/workflows/{workflow_id}/result")["result"]["value"]
    planned = [call for call in plan["would_send"] if call["vendor"] == "cms"]
    expect(len(planned) == 1, plan["would_send"])
    expect(planned[0]["phase"] == "distribution", planned)
    expect(planned[0]["target"] == f"{sandbox.url}/cms/hooks/content", planned)
    expect(not articles(sandbox, workflow_id), "a dry run sends nothing")


def one_article_whatever_happens_to_the_answers(server, sandbox):
    sandbox.fault(vendor="cms", kind="lost_response", count=2)
    workflow_id = start(server, "cms-published")
    expect(approved(server, workflow_id) == "COMPLETED", server.status(workflow_id))
    made = articles(sandbox, workflow_id)
    expect([a["state"] for a in made] == ["published"], made)
    sent = calls(sandbox, workflow_id, "content.published")
    expect(len(sent) == 3, f"{len(sent)} calls: two answers were lost")
    expect(len({call["idempotency_key"] for call in sent}) == 1, "all with one key")
    result = server.rest("GET", f"/v1/workflows/{workflow_id}/result")["result"]["value"]
    expect("cms" in str(result), result)


def a_kill_amidst_the_call_makes_no_second_article(server, sandbox):
    sandbox.fault(vendor="cms", kind="latency", latency_ms=5000, count=1)
    workflow_id = start(server, "cms-killed")
    approve(server, workflow_id)
    harness.wait_until(lambda: calls(sandbox, workflow_id, "content.published"), 60, "the event")
    server.kill()
    server.start()
    expect(server.wait_ended(workflow_id) == "COMPLETED", server.status(workflow_id))
    expect([a["state"] for a in articles(sandbox, workflow_id)] == ["published"],
           articles(sandbox, workflow_id))
    sent = calls(sandbox, workflow_id, "content.published")
    expect(len(sent) == 2, f"{len(sent)} calls: one before the kill, one after it")
    expect(len({call["idempotency_key"] for call in sent}) == 1, "both with one key")
    expect(all(call["status"] in (0, 201) for call in sent), f"the same body: {sent}")


def what_fails_later_takes_it_back(server, sandbox):
    fault = sandbox.fault(vendor="grafana", operation="dashboards.save", kind="error", status=400)
    workflow_id = start(server, "cms-retracted")
    expect(approved(server, workflow_id) == "FAILED", server.status(workflow_id))
    sandbox.client.ok("DELETE", f"/__sandbox/faults/{fault['id']}")
    expect([a["state"] for a in articles(sandbox, workflow_id)] == ["retracted"],
           articles(sandbox, workflow_id))
    expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")


def one_that_has_unsubscribed_fails_the_campaign(server, sandbox):
    fault = sandbox.fault(vendor="cms", operation="content.published", kind="error", status=410)
    workflow_id = start(server, "cms-gone")
    expect(approved(server, workflow_id) == "FAILED", server.status(workflow_id))
    sandbox.client.ok("DELETE", f"/__sandbox/faults/{fault['id']}")
    failure = server.rest("GET", f"/v1/workflows/{workflow_id}/result")["failure"]
    expect("wants no more events" in str(failure), failure)
    expect(len(calls(sandbox, workflow_id, "content.published")) == 1, "410 is not tried again")
    expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")


def run():
    with harness.Workplace("cms") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        a_dry_run_names_its_call(server, sandbox)
        one_article_whatever_happens_to_the_answers(server, sandbox)
        a_kill_amidst_the_call_makes_no_second_article(server, sandbox)
        what_fails_later_takes_it_back(server, sandbox)
        one_that_has_unsubscribed_fails_the_campaign(server, sandbox)
        print("cms: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
