#!/usr/bin/env python3
"""Approvals from where people are: Slack's buttons, dialog and command, GitHub's reviews, edits,
merges and closings; replays and reorderings; 200 decisions at once; a crash after the answer;
reminders and expiry. The sandbox presses the buttons and sends the events.

    tests/e2e/approvals_test.py
    tests/e2e/approvals_test.py --red    loses the stored webhooks on purpose: it must fail
"""

import argparse
import base64
import concurrent.futures
import hashlib
import hmac
import json
import time
import urllib.parse
import uuid

import harness
from harness import Failed, expect

SLACK_SECRET = b"sandbox-slack-signing-secret"
GITHUB_SECRET = b"sandbox-github-webhook-secret"
REPOSITORY = "acme/campaigns"
SETTINGS = """
webhooks:
  slack:
    approvers: [UAPPROVER, "uboss@example.com"]
"""
ALL_MAY = """
webhooks:
  slack:
    approvers: ["*"]
"""
IMPATIENT = """
campaign:
  approval:
    remind_after: 1s
    expire_after: 4s
    on_expiry: %s
"""


def until(condition, what, seconds=60):
    return harness.wait_until(condition, seconds, what)


# --- what people and vendors do -------------------------------------------------------------


def start(server, name, **changes):
    body = {"campaign": {**harness.campaign(name, seed=name), **changes}, "request_id": name}
    workflow_id = server.client.ok("POST", "/v1/campaigns", body)["workflow_id"]
    server.await_review(workflow_id)
    return workflow_id


def press(sandbox, workflow_id, action, user="U0REVIEWER1", name="ann"):
    return sandbox.client.ok("POST", "/__sandbox/slack/press", {
        "workflow_id": workflow_id, "action": action, "user": {"id": user, "name": name}})


def whispers(sandbox, user):
    return [r["detail"]["text"] for r in sandbox.resources(kind="ephemeral")["resources"]
            if r["detail"]["user"] == user]


def message(sandbox, workflow_id):
    found = [r for r in sandbox.resources(workflow_id=workflow_id, kind="message")["resources"]
             if not r["detail"].get("thread_ts")]
    expect(len(found) == 1, f"{workflow_id}: {len(found)} messages")
    return found[0]


def github(sandbox, login, method, path, body=None, accept=(200, 201, 204)):
    data = None if body is None else json.dumps(body).encode()
    status, _, answer = sandbox.client.raw(
        method, f"/github/repos/{REPOSITORY}{path}", data,
        {"Authorization": f"Bearer sandbox-user-{login}", "Content-Type": "application/json",
         "User-Agent": "approvals-test"})
    if status not in accept:
        raise Failed(f"{method} {path}: HTTP {status}: {answer[:500]}")
    return json.loads(answer) if answer else None


def pull_of(server, sandbox, workflow_id):
    number = server.progress(workflow_id)["review"]["github_pr_number"]
    return github(sandbox, "reader", "GET", f"/pulls/{number}")


def review(server, sandbox, workflow_id, login, event, text="", commit=None):
    pull = pull_of(server, sandbox, workflow_id)
    body = {"event": event, "body": text, "commit_id": commit or pull["head"]["sha"]}
    github(sandbox, login, "POST", f"/pulls/{pull['number']}/reviews", body)


def comments(server, sandbox, workflow_id):
    number = server.progress(workflow_id)["review"]["github_pr_number"]
    return [c["body"] for c in
            github(sandbox, "reader", "GET", f"/issues/{number}/comments?per_page=100")]


def slack_post(server, kind, form, at=None, secret=SLACK_SECRET, signature=None):
    body = urllib.parse.urlencode(form).encode()
    at = str(int(time.time() if at is None else at))
    signature = signature or "v0=" + hmac.new(secret, b"v0:" + at.encode() + b":" + body,
                                              hashlib.sha256).hexdigest()
    status, _, answer = server.client.raw("POST", f"/webhooks/slack/{kind}", body, {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at, "X-Slack-Signature": signature})
    return status, answer.decode()


def press_payload(workflow_id, place, user, name):
    return {"payload": json.dumps({
        "type": "block_actions", "user": {"id": user, "username": name},
        "container": {"message_ts": place["slack_message_ts"],
                      "channel_id": place["slack_channel"]},
        "actions": [{"action_id": "campaign_approve", "value": workflow_id,
                     "action_ts": "1.1"}]})}


def github_post(server, event, payload, delivery=None, secret=GITHUB_SECRET):
    body = json.dumps(payload).encode()
    status, _, answer = server.client.raw("POST", "/webhooks/github", body, {
        "Content-Type": "application/json", "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery or str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()})
    return status, answer.decode()


def review_payload(pull, login, state="approved", number=1, text=""):
    return {"action": "submitted", "repository": {"full_name": REPOSITORY},
            "review": {"id": number, "user": {"login": login}, "state": state, "body": text,
                       "commit_id": pull["head"]["sha"]},
            "pull_request": {"number": pull["number"], "head": pull["head"]},
            "sender": {"login": login}}


def updates(server, workflow_id, names=("approve", "reject")):
    """The accepted updates of the history with these names."""
    history = server.client.ok("GET", f"/v1/workflows/{workflow_id}/history?page_size=1000")
    accepted = [event["workflow_execution_update_accepted"] for event in history["events"]
                if "workflow_execution_update_accepted" in event]
    return [each for each in accepted
            if each.get("update_name", each.get("name")) in names]


def audited(server, workflow_id, condition='action = "ApproveCampaign" AND outcome != "STARTED"'):
    """What the audit trail has of the campaign, oldest first: how decisions ended."""
    text = urllib.parse.quote(f'subject = "workflow/{workflow_id}" AND {condition}')
    return server.client.ok("GET", f"/v1/audit/events?filter={text}&order_by=sequence").get(
        "events", [])


def quiet(server):
    """Waits until no webhook is waiting."""
    until(lambda: server.metric("webhook_deliveries_waiting") == 0, "all webhooks to be done")


def settled(server, sandbox):
    """Waits until everything that the sandbox sends has arrived and is done."""
    until(lambda: all(d["state"] not in ("queued", "sending") for d in
                      sandbox.client.ok("GET", "/__sandbox/hooks")["deliveries"]),
          "all webhooks to be sent")
    quiet(server)


# --- Slack ----------------------------------------------------------------------------------


def slack_approves(server, sandbox):
    workflow_id = start(server, "slack-approves")
    expect("campaign_approve" in json.dumps(message(sandbox, workflow_id)), "there are buttons")
    press(sandbox, workflow_id, "approve", "USTRANGER", "mallory")
    told = until(lambda: whispers(sandbox, "USTRANGER"), "the stranger is told")
    expect("may not decide" in told[0] and "U0REVIEWER1" in told[0], told)
    expect(server.progress(workflow_id).get("waiting_for_approval"), "a stranger decides nothing")
    press(sandbox, workflow_id, "approve")
    server.wait_ended(workflow_id)
    decision = server.progress(workflow_id)["decision"]
    expect(decision["decided_by"] == "slack:U0REVIEWER1 (ann)" and decision["via"] == "slack",
           decision)
    result = server.client.ok("GET", f"/v1/workflows/{workflow_id}/result")
    expect("slack:U0REVIEWER1 (ann)" in json.dumps(result), f"the report: {result}")
    expect("slack:U0REVIEWER1 (ann)" in json.dumps(updates(server, workflow_id)), "the history")
    kept = until(lambda: audited(server, workflow_id), "the decision is in the audit trail")
    expect([(e["actor"], e["action"], e["outcome"]) for e in kept] ==
           [("slack:U0REVIEWER1 (ann)", "ApproveCampaign", "OK")], kept)
    before = audited(server, workflow_id, 'action = "ApproveCampaign" AND outcome = "STARTED"')
    expect([e["sequence"] for e in before] == [kept[0]["started_by"]],
           f"recorded before it was made: {before}")
    shown = message(sandbox, workflow_id)
    expect(not shown["alive"] and "<@U0REVIEWER1>" in json.dumps(shown), shown)
    # Somebody who looks at the old message comes too late.
    press(sandbox, workflow_id, "approve", "UAPPROVER", "bob")
    told = until(lambda: whispers(sandbox, "UAPPROVER"), "the late one is told")
    expect("already approved by <@U0REVIEWER1>" in told[0] and "UTC" in told[0], told)
    outcomes = until(lambda: len(audited(server, workflow_id)) == 2 and
                     [e["outcome"] for e in audited(server, workflow_id)],
                     "the late decision is in the audit trail, too")
    expect(outcomes == ["OK", "ALREADY_EXISTS"], outcomes)


def slack_rejects(server, sandbox):
    workflow_id = start(server, "slack-rejects")
    press(sandbox, workflow_id, "reject", "UBOSS", "boss")  # known by the address
    until(lambda: sandbox.resources(kind="view")["resources"], "the dialog opens")
    expect(server.progress(workflow_id).get("waiting_for_approval"), "not yet rejected")
    sandbox.client.ok("POST", "/__sandbox/slack/submit", {"values": {"reason": "not our voice"}})
    server.wait_ended(workflow_id)
    progress = server.progress(workflow_id)
    expect(server.status(workflow_id) == "FAILED", progress)
    expect(progress["decision"]["comment"] == "not our voice", progress)
    expect(progress["decision"]["decided_by"].startswith("slack:UBOSS"), progress)
    expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")


def slack_roles(server, sandbox):
    """Who is known as an editor by the address may decide."""
    workflow_id = start(server, "slack-roles")
    press(sandbox, workflow_id, "approve", "UEDITOR", "eve")
    told = until(lambda: whispers(sandbox, "UEDITOR"), "not yet")
    expect("may not decide" in told[0], told)
    server.client.ok("PUT", "/v1/users/ueditor@example.com", {"role": "editor"})
    press(sandbox, workflow_id, "approve", "UEDITOR", "eve")
    server.wait_ended(workflow_id)
    decision = server.progress(workflow_id)["decision"]
    expect(decision["decided_by"] == "slack:UEDITOR (eve)", decision)


def slack_is_down(server, sandbox):
    """The decision counts although nobody can be shown it yet; it is shown, and recorded once."""
    workflow_id = start(server, "slack-is-down")
    def retried():
        return server.metric("webhook_deliveries_total", source="decision", outcome="retried")

    before = retried()
    sandbox.fault(vendor="slack", operation="chat.update", kind="error", status=503)
    press(sandbox, workflow_id, "approve")
    until(lambda: server.progress(workflow_id).get("decision"), "the decision")
    until(lambda: retried() > before, "another try")
    sandbox.clear_faults()
    server.wait_ended(workflow_id)
    until(lambda: not message(sandbox, workflow_id)["alive"], "the message shows the decision")
    quiet(server)
    expect(len(audited(server, workflow_id)) == 1, audited(server, workflow_id))


def slack_command(server, sandbox):
    workflow_id = start(server, "slack-command")

    def say(text):
        status, answer = slack_post(server, "commands", {"command": "/campaign", "text": text,
                                                         "user_id": "U1"})
        expect(status == 200, f"{text}: {status} {answer}")
        return json.loads(answer)["text"]

    expect(workflow_id in say("status"), say("status"))
    expect("Waits for a decision" in say(f"status {workflow_id}"), say(f"status {workflow_id}"))
    expect("there is no campaign" in say("status nowhere"), say("status nowhere"))
    expect("/campaign help" in say("dance"), say("dance"))
    sent = sandbox.client.ok("POST", "/__sandbox/slack/command", {"text": "status"})
    delivery = until(lambda: [d for d in sandbox.client.ok("GET", "/__sandbox/hooks")["deliveries"]
                              if d["id"] == sent["delivery_id"] and d["status"]], "an answer")[0]
    expect(workflow_id in delivery["answer"], delivery)
    server.client.ok("POST", f"/v1/workflows/{workflow_id}/signals/reject", {})
    server.wait_ended(workflow_id)


def slack_replays(server, sandbox):
    workflow_id = start(server, "slack-replays")
    place = server.progress(workflow_id)["review"]
    form = press_payload(workflow_id, place, "U0REVIEWER1", "ann")
    told = whispers(sandbox, "U0REVIEWER1")
    now = time.time()
    for why, arguments in (("old", {"at": now - 301}), ("future", {"at": now + 330}),
                           ("another secret", {"secret": b"guess"}),
                           ("no signature", {"signature": "v0="})):
        status, answer = slack_post(server, "interactions", form, **arguments)
        expect(status == 401, f"{why}: {status} {answer}")
    status, answer = slack_post(server, "interactions", {"payload": "{"})
    expect(status == 400, f"a bad body: {status} {answer}")
    expect(server.progress(workflow_id).get("waiting_for_approval"), "nothing was decided")
    for _ in range(3):
        expect(slack_post(server, "interactions", form, at=now)[0] == 200, "a good press")
    server.wait_ended(workflow_id)
    expect(len(updates(server, workflow_id)) == 1, "one decision")
    quiet(server)
    expect(whispers(sandbox, "U0REVIEWER1") == told, "a repetition is not told that it is late")


# --- GitHub ---------------------------------------------------------------------------------


def github_approves(server, sandbox):
    workflow_id = start(server, "github-approves")
    pull = pull_of(server, sandbox, workflow_id)
    old_head = pull["head"]["sha"]
    path = f"reviews/{workflow_id}/headline.md"
    file = github(sandbox, "ann", "GET", f"/contents/{path}?ref={pull['head']['ref']}")
    text = "<!-- Headline -->\n\nRun again, says Ann\n"
    github(sandbox, "ann", "PUT", f"/contents/{path}", {
        "message": "A better headline", "branch": pull["head"]["ref"], "sha": file["sha"],
        "content": base64.b64encode(text.encode()).decode()})
    until(lambda: any(p["text"] == "Run again, says Ann" for p in
                      server.progress(workflow_id)["content"]), "the edit becomes the campaign's")
    changed = until(lambda: audited(server, workflow_id, 'action = "UpdateContent" AND outcome = OK'),
                    "the edit is in the audit trail")
    expect([e["actor"] for e in changed] == ["github:ann"], changed)
    review(server, sandbox, workflow_id, "ann", "APPROVE", commit=old_head)
    until(lambda: any("the branch has changed since" in c for c in
                      comments(server, sandbox, workflow_id)), "a stale approval is answered")
    review(server, sandbox, workflow_id, "reader-tom", "APPROVE")
    until(lambda: any("reader-tom" in c and "does not decide" in c for c in
                      comments(server, sandbox, workflow_id)), "a reader is told")
    review(server, sandbox, workflow_id, "ann", "COMMENT", "nice")
    settled(server, sandbox)
    expect(server.progress(workflow_id).get("waiting_for_approval"), "nothing was decided")
    review(server, sandbox, workflow_id, "ann", "APPROVE", "well done")
    server.wait_ended(workflow_id)
    decision = server.progress(workflow_id)["decision"]
    expect(decision["decided_by"] == "github:ann" and decision["via"] == "github", decision)
    review(server, sandbox, workflow_id, "bob", "REQUEST_CHANGES", "no, wait")
    told = until(lambda: [c for c in comments(server, sandbox, workflow_id)
                          if "changes nothing" in c], "the late one is told")
    expect("github:ann" in told[0] and "bob" in told[0], told)
    settled(server, sandbox)
    expect(len([c for c in comments(server, sandbox, workflow_id) if "changes nothing" in c]) == 1,
           "our own merge and closing are not commented on")


def others_show_in_slack(server, sandbox):
    """A campaign that is scheduled waits on after its approval; its message shows it at once,
    wherever it was approved."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 24 * 3600))

    def api(workflow_id):
        server.client.ok("POST", f"/v1/workflows/{workflow_id}/signals/approve",
                         {"decided_by": "ann of sales"})

    for name, approve, who in (
            ("github-shows", lambda w: review(server, sandbox, w, "ann", "APPROVE"), "github:ann"),
            ("api-shows", api, "ann of sales")):
        workflow_id = start(server, name, schedule_time=when)
        approve(workflow_id)
        shown = until(lambda: not message(sandbox, workflow_id)["alive"] and
                      message(sandbox, workflow_id), f"{name}: the message shows the approval")
        expect(who in json.dumps(shown), shown)
        expect(server.status(workflow_id) == "RUNNING", "it waits for its time")
        server.client.ok("POST", f"/v1/workflows/{workflow_id}/cancel", {})
        server.wait_ended(workflow_id)


def github_rejects(server, sandbox):
    workflow_id = start(server, "github-rejects")
    review(server, sandbox, workflow_id, "bob", "REQUEST_CHANGES", "too loud")
    server.wait_ended(workflow_id)
    decision = server.progress(workflow_id)["decision"]
    expect(decision["decision"] == "rejected" and decision["comment"] == "too loud", decision)
    closed = start(server, "github-closes")
    number = pull_of(server, sandbox, closed)["number"]
    github(sandbox, "bob", "PATCH", f"/pulls/{number}", {"state": "closed"})
    server.wait_ended(closed)
    expect(server.progress(closed)["decision"]["decision"] == "rejected", "closing rejects")
    expect(not sandbox.existing(closed), f"left: {sandbox.existing(closed)}")


def github_merges(server, sandbox):
    """A merge approves; events that come again, late and in the wrong order change nothing."""
    workflow_id = start(server, "github-merges")
    pull = pull_of(server, sandbox, workflow_id)
    github(sandbox, "ann", "PUT", f"/pulls/{pull['number']}/merge", {"merge_method": "squash"})
    server.wait_ended(workflow_id)
    decision = server.progress(workflow_id)["decision"]
    expect(decision["decided_by"] == "github:ann" and decision["decision"] == "approved", decision)
    # The review before the merge arrives after it, and a closing after that; both are by others.
    expect(github_post(server, "pull_request_review", review_payload(pull, "cy"))[0] == 202, "")
    close = {"action": "closed", "repository": {"full_name": REPOSITORY},
             "pull_request": {"number": pull["number"], "merged": False, "head": pull["head"]},
             "sender": {"login": "dan"}}
    delivery = str(uuid.uuid4())
    expect(github_post(server, "pull_request", close, delivery)[0] == 202, "a close")
    expect(github_post(server, "pull_request", close, delivery)[0] == 200, "again")
    expect(github_post(server, "pull_request", close)[0] == 200, "again, under another id")
    expect(github_post(server, "pull_request", close, secret=b"guess")[0] == 401, "not signed")
    expect(github_post(server, "pull_request", {"action": "closed"})[0] == 200, "nobody's")
    quiet(server)
    told = [c for c in comments(server, sandbox, workflow_id) if "changes nothing" in c]
    expect(len(told) == 2, told)  # in any order: they are worked on side by side
    expect(all(any(f"by {who} changes nothing" in c for c in told) for who in ("cy", "dan")), told)
    expect(len(updates(server, workflow_id)) == 1, "one decision")


def other_namespaces(server, sandbox):
    """Two tenants' campaigns of one id: each decision finds its own."""
    ids = {}
    for ns in ("acme", "umbrella"):
        started = server.client.ok("POST", "/v1/campaigns", {
            "campaign": harness.campaign("tenants", seed="tenants"), "request_id": "tenants",
            "namespace": ns})
        ids[ns] = started["workflow_id"]

    def progress(ns):
        return server.client.ok("GET", f"/v1/workflows/{ids[ns]}/progress?namespace={ns}")

    for ns in ids:
        until(lambda ns=ns: progress(ns).get("waiting_for_approval"), f"{ns}'s review")
    expect(ids["acme"] == ids["umbrella"], ids)
    place = progress("acme")["review"]
    sandbox.client.ok("POST", "/__sandbox/slack/press", {
        "channel": place["slack_channel"], "ts": place["slack_message_ts"], "action": "approve"})
    until(lambda: progress("acme").get("decision"), "acme's decision")
    expect(progress("umbrella").get("waiting_for_approval"), "umbrella's campaign waits")
    pull = github(sandbox, "reader", "GET",
                  f"/pulls/{progress('umbrella')['review']['github_pr_number']}")
    github(sandbox, "ann", "POST", f"/pulls/{pull['number']}/reviews",
           {"event": "REQUEST_CHANGES", "body": "no"})
    until(lambda: progress("umbrella").get("decision"), "umbrella's decision")
    expect(progress("acme")["decision"]["decision"] == "approved", progress("acme"))
    expect(progress("umbrella")["decision"]["decision"] == "rejected", progress("umbrella"))


def with_credentials(server, sandbox):
    """Once there are keys every call needs one, but for webhooks: their signatures prove them."""
    workflow_id = start(server, "with-credentials")
    server.client.ok("POST", "/v1/api-keys", {"name": "ci", "role": "admin", "namespace": "*"})
    status, _ = server.client.call("GET", f"/v1/workflows/{workflow_id}/progress")
    expect(status == 401, f"a call without a credential: {status}")
    expect(github_post(server, "ping", {"zen": "x"})[0] == 200, "a ping")
    expect(github_post(server, "ping", {"zen": "x"}, secret=b"guess")[0] == 401, "a forged ping")
    press(sandbox, workflow_id, "approve")
    until(lambda: not message(sandbox, workflow_id)["alive"], "the approval counts")


# --- all at once, crashes, time -------------------------------------------------------------


def two_hundred(server, sandbox):
    return decide_at_once(server, sandbox, "two-hundred", 0, mixed=True)


def two_hundred_vendors_first(server, sandbox):
    return decide_at_once(server, sandbox, "vendors-first", 1000, mixed=False)


def decide_at_once(server, sandbox, name, first, mixed):
    """200 decisions at once from three places: exactly one counts, all others are told whose."""
    workflow_id = start(server, name)
    place = server.progress(workflow_id)["review"]
    pull = pull_of(server, sandbox, workflow_id)
    counts = {"rest": 100, "slack": 60, "github": 40}

    def rest(i):
        verb = "approve" if i % 2 else "reject"
        return server.client.call("POST", f"/v1/workflows/{workflow_id}/signals/{verb}",
                                  {"decided_by": f"rest-{i}"})

    def slack(i):
        form = press_payload(workflow_id, place, f"U{first + i:04d}", f"slack-{i}")
        return slack_post(server, "interactions", form)

    def reviewer(i):
        state = "approved" if i % 2 else "changes_requested"
        return github_post(server, "pull_request_review",
                           review_payload(pull, f"hub-{i}", state, number=1000 + i, text="x"))

    work = ([(slack, i) for i in range(counts["slack"])] +
            [(reviewer, i) for i in range(counts["github"])] +
            [(rest, i) for i in range(counts["rest"])])
    if mixed:
        work.sort(
            key=lambda each: hashlib.sha256(repr((each[0].__name__, each[1])).encode()).digest())
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda each: (each[0].__name__, each[0](each[1])), work))
    server.wait_ended(workflow_id)
    settled(server, sandbox)
    decision = server.progress(workflow_id)["decision"]
    winner, via = decision["decided_by"], decision["via"]
    expect(len(updates(server, workflow_id)) == 1, f"{len(updates(server, workflow_id))} decisions")
    rest_answers = [answer for name, answer in answers if name == "rest"]
    won = [a for status, a in rest_answers if status == 200]
    late = [a for status, a in rest_answers if status == 409]
    expect(len(won) + len(late) == counts["rest"], rest_answers[:5])
    expect(len(won) == (1 if via == "api" else 0), f"{len(won)} REST callers won, {via} did")
    expect(all(winner in a["message"] for a in late), f"not told of {winner}: {late[:2]}")
    expect(all(a[0] == 200 for n, a in answers if n == "slack"), "Slack is answered 200")
    expect(all(a[0] == 202 for n, a in answers if n == "reviewer"), "GitHub is answered 202")
    told = {r["detail"]["user"]: r["detail"]["text"]
            for r in sandbox.resources(kind="ephemeral")["resources"]}
    for i in range(counts["slack"]):
        user = f"U{first + i:04d}"
        if f"slack:{user} " in winner:
            continue
        text = told.get(user, "")
        expect("already" in text, f"{user} was not told: {text}")
        expect(winner in text or winner.split(" ")[0].removeprefix("slack:") in text, text)
    said = "\n".join(all_comments(server, sandbox, workflow_id))
    for i in range(counts["github"]):
        if winner != f"github:hub-{i}":
            expect(f"by hub-{i} changes nothing" in said, f"hub-{i} was not told")
    return f"{winner} won"


def all_comments(server, sandbox, workflow_id):
    number = server.progress(workflow_id)["review"]["github_pr_number"]
    found, page = [], 1
    while True:
        some = github(sandbox, "reader", "GET",
                      f"/issues/{number}/comments?per_page=100&page={page}")
        found += [c["body"] for c in some]
        if len(some) < 100:
            return found
        page += 1


def crash_loses_nothing(server, sandbox, red):
    """SIGKILL between the 200 and the decision: it is made after the restart."""
    slack_id = start(server, "crash-slack")
    hub_id = start(server, "crash-github")
    place = server.progress(slack_id)["review"]
    pull = pull_of(server, sandbox, hub_id)
    # Neither can be worked on now: who pressed cannot be looked up, nor the pull request.
    for vendor, operation in (("slack", "users.info"), ("github", "pulls.get")):
        sandbox.fault(vendor=vendor, operation=operation, kind="hang")
    form = press_payload(slack_id, place, "UBOSS", "boss")
    expect(slack_post(server, "interactions", form)[0] == 200, "the press is answered")
    sent = github_post(server, "pull_request_review", review_payload(pull, "ann"), "crash-1")
    expect(sent[0] == 202, f"the review is answered: {sent}")
    server.kill()
    if red:
        for file in (server.directory / "data").glob("webhooks.db*"):
            file.unlink()
    sandbox.clear_faults()
    server.start()
    server.wait_ended(slack_id, 60)
    server.wait_ended(hub_id, 60)
    by = server.progress(slack_id)["decision"]["decided_by"]
    expect(by == "slack:UBOSS (boss)", f"the press was made by {by}")
    expect(server.progress(hub_id)["decision"]["decided_by"] == "github:ann", "the review counts")
    # Sent again, as GitHub's page allows: known, also to the new process.
    again = github_post(server, "pull_request_review", review_payload(pull, "ann"), "crash-1")
    expect(again[0] == 200, f"a redelivery: {again}")
    for workflow_id in (slack_id, hub_id):
        expect(len(updates(server, workflow_id)) == 1, "one decision")


def reminders(server, sandbox, on_expiry):
    name = f"patience-{on_expiry}"
    workflow_id = start(server, name)
    until(lambda: any("Reminder 2" in c for c in comments(server, sandbox, workflow_id)),
          "a second reminder")
    replies = until(lambda: [r["detail"]["text"] for r in
                             sandbox.resources(workflow_id=workflow_id, kind="message")["resources"]
                             if r["detail"].get("thread_ts")], "a reminder in Slack's thread")
    expect("Reminder 1" in replies[0] and "<@U0REVIEWER1>" in replies[0], replies)
    if on_expiry == "reject":
        server.wait_ended(workflow_id)
        expect("nobody approved" in server.progress(workflow_id)["message"], "why it failed")
        expect(not sandbox.existing(workflow_id), f"left: {sandbox.existing(workflow_id)}")
        press(sandbox, workflow_id, "approve")
        told = until(lambda: whispers(sandbox, "U0REVIEWER1"), "who comes later is told")
        expect("nobody approved" in told[-1], told)
        return
    until(lambda: any("goes on waiting" in c for c in comments(server, sandbox, workflow_id)),
          "the reviewers are told that the time is over")
    server.client.ok("POST", f"/v1/workflows/{workflow_id}/signals/approve", {"decided_by": "ann"})
    server.wait_ended(workflow_id)
    expect(server.status(workflow_id) == "COMPLETED", server.progress(workflow_id))


def with_settings(name, text, steps):
    with harness.Workplace(name) as place:
        sandbox = place.sandbox()
        config = place.directory / "settings.yaml"
        config.write_text(text)
        server = place.server(sandbox, ["--config", config])
        for step in steps:
            said = step(server, sandbox)
            print(f"approvals: {step.__name__}: {said or 'fine'}", flush=True)


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--red", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()

    def crash(server, sandbox):
        crash_loses_nothing(server, sandbox, arguments.red)

    def rejecting(server, sandbox):
        reminders(server, sandbox, "reject")

    def waiting(server, sandbox):
        reminders(server, sandbox, "wait")

    groups = [("approvals", SETTINGS, [slack_approves, slack_rejects, slack_command, slack_replays,
                                       slack_roles, slack_is_down,
                                       github_approves, others_show_in_slack, github_rejects,
                                       github_merges, other_namespaces, crash]),
              ("at-once", ALL_MAY, [two_hundred, two_hundred_vendors_first]),
              ("with-keys", SETTINGS, [with_credentials]),
              ("expires", IMPATIENT % "reject", [rejecting]),
              ("waits", IMPATIENT % "wait", [waiting])]
    if arguments.red:
        groups = [("approvals", SETTINGS, [crash])]
    known = {s.__name__ for _, _, steps in groups for s in steps}
    if arguments.only and not set(arguments.only.split(",")) <= known:
        parser.error(f"--only takes {', '.join(sorted(known))}")
    for name, text, steps in groups:
        chosen = [s for s in steps if not arguments.only or s.__name__ in arguments.only.split(",")]
        if chosen:
            with_settings(name, text, chosen)
    return 0


if __name__ == "__main__":
    harness.main(run)
