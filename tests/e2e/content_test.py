#!/usr/bin/env python3
"""What the language model costs and what moderation finds, over the real server: a budget is kept,
the same brief is paid for once, a model that is not there is replaced, findings reach the
reviewers, a text that a rule forbids ends the campaign, and a vendor's days are waited for.

    tests/e2e/content_test.py
"""

import datetime

import harness
from harness import expect

SETTINGS = """
outbound:
  breaker:
    consecutive_failures: 100
vendors:
  openai:
    model: missing-model
    fallback_models: [gpt-4o-mini]
    prices: ["gpt-4o-mini 0.15 0.60", "* 1 1"]
campaign:
  moderation:
    model: omni-moderation-latest
    on_block: fail
    rules: ["promise warning (?i)guaranteed", "forbidden block (?i)forbidden words"]
  content:
    prompts:
      version: e2e
      user: |
        Write about {{campaign_name}} for {{target_audience}}.
        {{#pieces}}
        - {{id}}: {{instructions}}
        {{/pieces}}
"""


def start(server, name, **changes):
    body = {**harness.campaign("Spring running"), **changes}
    started = server.client.ok("POST", "/v1/campaigns", {"campaign": body, "request_id": name})
    return started["workflow_id"]


def failure(server, workflow_id):
    server.wait_ended(workflow_id)
    return server.client.ok("GET", f"/v1/workflows/{workflow_id}/result").get("failure", {})


def result(server, workflow_id):
    server.client.ok("POST", f"/v1/workflows/{workflow_id}/signals/approve", {"decided_by": "ann"})
    server.wait_ended(workflow_id)
    return server.client.ok("GET", f"/v1/workflows/{workflow_id}/result?wait=30s")["result"]["value"]


def chat_calls(sandbox, workflow_id):
    calls = sandbox.client.ok("GET", f"/__sandbox/calls?workflow_id={workflow_id}")["calls"]
    return [call for call in calls if call["operation"] == "chat.completions"
            and call.get("workflow_id") == workflow_id]


def the_same_brief_is_paid_for_once(server, sandbox):
    first = start(server, "content-first")
    server.await_review(first)
    done = result(server, first)
    expect(done["model_used"] == "gpt-4o-mini", f"the fallback model: {done}")
    expect(done["prompt_version"].startswith("e2e-"), f"the templates' version: {done}")
    expect(done["cost_usd"] > 0, f"its cost: {done}")
    expect(len(chat_calls(sandbox, first)) == 2, "the missing model, then the other")
    second = start(server, "content-second")
    server.await_review(second)
    done = result(server, second)
    expect(not done.get("cost_usd"), f"nothing is paid again: {done}")
    expect(not chat_calls(sandbox, second), "no call")
    expect(server.metric("model_cost_usd_total") > 0, "model_cost_usd_total")


def a_budget_is_kept(server, sandbox):
    workflow_id = start(server, "content-poor", budget_usd=0.000001, target_audience="misers")
    found = failure(server, workflow_id)
    expect(found.get("type") == "BudgetExceeded", found)
    expect(not chat_calls(sandbox, workflow_id), "no call was made")
    expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")


def findings_reach_the_reviewers(server, sandbox):
    workflow_id = start(server, "content-findings", target_audience="doubters")
    server.await_review(workflow_id)
    path = f"/v1/workflows/{workflow_id}/signals"
    server.client.ok("POST", path + "/update_content",
                     {"content_id": "headline", "new_content": "Guaranteed, stupid runners"})

    def pull():
        found = [r for r in sandbox.existing(workflow_id) if r["kind"] == "pull"]
        return str(found[0]["detail"]) if found else ""
    harness.wait_until(lambda: "## Moderation" in pull() and "harassment" in pull(), 60,
                       "the pull request shows what moderation found")
    rules = sorted(f["rule"] for f in server.progress(workflow_id)["moderation"])
    expect(rules == ["harassment", "promise"], rules)
    server.client.ok("POST", path + "/update_content",
                     {"content_id": "headline", "new_content": "These are forbidden words"})
    found = failure(server, workflow_id)
    expect(found.get("type") == "ContentBlocked", found)
    expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")


def an_image_is_waited_for(server, sandbox):
    """A vendor that fails for a while costs no image: of the first attempt's two, one cannot be had
    (a request is tried four times)."""
    sandbox.fault(vendor="figma", operation="images.get", kind="error", status=503, rate=1,
                  count=7)
    workflow_id = start(server, "content-images", channels=["email", "social"])
    server.await_review(workflow_id)
    done = result(server, workflow_id)
    expect(len(done["asset_urls"]) == 2 and not done.get("warnings"), f"the images: {done}")
    sandbox.clear_faults()


def a_source_that_fails_is_named(server, sandbox):
    """Notion without databases has no name but its own."""
    fault = sandbox.fault(vendor="notion", kind="error", status=400)
    workflow_id = start(server, "content-sources", target_audience="the curious")
    server.await_review(workflow_id)
    warnings = result(server, workflow_id)["warnings"]
    expect(len(warnings) == 1 and warnings[0].startswith("research: notion gave nothing: "),
           f"the warnings: {warnings}")
    found = failure(server, start(server, "content-no-source", research_sources=["notion"],
                                  target_audience="the curious"))
    expect("; notion: " in found.get("message", ""), f"all sources failed: {found}")
    sandbox.client.ok("DELETE", f"/__sandbox/faults/{fault['id']}")


def a_vendor_may_be_away_for_days(server, sandbox):
    """Figma's limits of small plans: the breaker is open as long, and an operator may know better."""
    days = 3
    fault = sandbox.fault(vendor="figma", operation="images.get", kind="rate_limit",
                          retry_after_s=days * 86400, count=1)
    workflow_id = start(server, "content-days", target_audience="the patient")

    def figma():
        return next(b for b in server.rest("GET", "/v1/breakers")["breakers"]
                    if b["service"] == "figma")
    harness.wait_until(lambda: figma()["state"] == "open", 60, "Figma's breaker to open")
    expect(server.metric("circuit_breaker_state", service="figma") == 1, "the metric")
    probe = datetime.datetime.fromisoformat(figma()["next_probe_at"][:19] + "+00:00")
    wait = probe - datetime.datetime.now(datetime.timezone.utc)
    expect(wait > datetime.timedelta(days=days, minutes=-10), f"the next probe comes in {wait}")

    def waiting():
        return server.rest("GET", f"/v1/workflows/{workflow_id}").get("pending_activities", [])
    harness.wait_until(lambda: any(a.get("postponed") for a in waiting()), 60, "it waits")
    expect(all(a["attempt"] == 1 for a in waiting()), f"no attempt is used: {waiting()}")
    sandbox.client.ok("DELETE", f"/__sandbox/faults/{fault['id']}")
    server.rest("POST", "/v1/breakers/figma/force-close", {"reason": "the plan was raised"})
    server.rest("POST", f"/v1/workflows/{workflow_id}/retry-now", {})
    server.await_review(workflow_id)
    server.rest("POST", "/v1/breakers/figma/reset", {"reason": "done"})


def run():
    with harness.Workplace("content") as place:
        sandbox = place.sandbox()
        settings = place.directory / "campaignd.yaml"
        settings.write_text(SETTINGS)
        server = place.server(sandbox, ["--config", settings])
        the_same_brief_is_paid_for_once(server, sandbox)
        a_budget_is_kept(server, sandbox)
        findings_reach_the_reviewers(server, sandbox)
        an_image_is_waited_for(server, sandbox)
        a_source_that_fails_is_named(server, sandbox)
        a_vendor_may_be_away_for_days(server, sandbox)
        print("content: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
