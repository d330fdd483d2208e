#!/usr/bin/env python3
"""Every REST path over real HTTP, on good and on bad input: wrong types, missing and over-long
fields, unknown ids, closed workflows, malformed JSON, a 20 MB body. A table; the real server.

    tests/e2e/rest_table_test.py [--only TEXT]
"""

import argparse
import http.client
import json
import pathlib
import re
import socket

import access_rows
import harness
import operations_rows
import run_rows
from harness import Failed

ANY = object()
GOOD = harness.campaign("Table")
LONG = "x" * 5000


def without(field):
    return {key: value for key, value in GOOD.items() if key != field}


def with_(**fields):
    return {**GOOD, **fields}


def start(campaign, **more):
    return {"campaign": campaign, **more}


class Case:
    """One row: the request, the status it must get, and what must be in the answer."""

    def __init__(self, name, method, path, body=None, status=200, violations=None, has=(),
                 equals=None, headers=None):
        self.name = name
        self.method = method
        self.path = path
        self.body = body              # an object (sent as JSON), or bytes (sent as they are)
        self.status = status
        self.violations = violations  # field paths that must be reported, all of them
        self.has = has                # keys of the answer
        self.equals = equals or {}    # keys and values of the answer
        self.headers = headers or {}


def bad(name, campaign, *fields):
    return Case(f"start: {name}", "POST", "/v1/campaigns", start(campaign), 400, fields)


STARTS = [
    Case("start: good", "POST", "/v1/campaigns", start(GOOD, request_id="table-1"),
         has=("workflow_id", "run_id", "status")),
    Case("start: again with the same request id", "POST", "/v1/campaigns",
         start(GOOD, request_id="table-1"), equals={"already_started": True}),
    Case("start: the same request id for another campaign", "POST", "/v1/campaigns",
         start(with_(campaign_name="Other"), request_id="table-1"), 409),
    Case("start: no campaign", "POST", "/v1/campaigns", {}, 400, ("campaign.campaign_name",)),
    Case("start: malformed JSON", "POST", "/v1/campaigns", b'{"campaign": ', 400),
    Case("start: empty body", "POST", "/v1/campaigns", b"", 400),
    Case("start: a list", "POST", "/v1/campaigns", b"[]", 400),
    Case("start: a number", "POST", "/v1/campaigns", b"1", 400),
    Case("start: bytes that are no UTF-8", "POST", "/v1/campaigns",
         b'{"campaign": {"campaign_name": "\xff\xfe"}}', 400),
    Case("start: deeply nested", "POST", "/v1/campaigns", b'{"campaign":' + b"[" * 5000, 400),
    Case("start: not JSON by its type", "POST", "/v1/campaigns", b"a=b", 415,
         headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Case("start: unknown field", "POST", "/v1/campaigns", start(GOOD, colour="red"), 400,
         ("colour",)),
    Case("start: over-long request id", "POST", "/v1/campaigns", start(GOOD, request_id=LONG), 400,
         ("request_id",)),
    bad("no name", without("campaign_name"), "campaign.campaign_name"),
    bad("over-long name", with_(campaign_name=LONG), "campaign.campaign_name"),
    bad("name of a wrong type", with_(campaign_name=7), "campaign.campaign_name"),
    bad("name of another wrong type", with_(campaign_name={"a": 1}), "campaign.campaign_name"),
    bad("channels of a wrong type", with_(channels="email"), "campaign.channels"),
    bad("unknown channel", with_(channels=["email", "fax"]), "campaign.channels[1]"),
    bad("no channel", with_(channels=[]), "campaign.channels"),
    bad("unknown source", with_(research_sources=["telex"]), "campaign.research_sources[0]"),
    bad("unknown tone", with_(tone="angry"), "campaign.tone"),
    bad("unknown metric", with_(metrics=["smiles"]), "campaign.metrics[0]"),
    bad("ftp competitor", with_(competitor_urls=["ftp://example.com"]),
        "campaign.competitor_urls[0]"),
    bad("wrong reviewer", with_(reviewers=["not a slack id"]), "campaign.reviewers[0]"),
    bad("negative budget", with_(budget_usd=-1), "campaign.budget_usd"),
    bad("budget of a wrong type", with_(budget_usd="much"), "campaign.budget_usd"),
    bad("schedule that is no time", with_(schedule_time="tomorrow"), "campaign.schedule_time"),
    bad("recipient that is no address", with_(email_recipients=["nobody"]),
        "campaign.email_recipients[0]"),
    bad("unknown campaign field", with_(colour="red"), "campaign.colour"),
    bad("several faults at once", with_(campaign_name="", tone="angry", channels=["fax"]),
        "campaign.campaign_name", "campaign.tone", "campaign.channels[0]"),
    bad("wrong types and wrong values at once",
        {"campaign_name": 12, "channels": "email", "tone": "angry", "nope": 1},
        "campaign.campaign_name", "campaign.channels", "campaign.nope", "campaign.tone",
        "campaign.campaign_goals", "campaign.research_sources", "campaign.target_audience"),
    bad("the place of a value behind one of a wrong type",
        with_(campaign_goals=[1, ""], reviewers=[7, "U0REVIEWER1", "nobody"]),
        "campaign.campaign_goals[0]", "campaign.campaign_goals[1]", "campaign.reviewers[0]",
        "campaign.reviewers[2]"),
    bad("a name in both of its spellings", with_(campaignName="Table"), "campaign.campaign_name"),
    Case("start: a number that is too large", "POST", "/v1/campaigns",
         b'{"campaign": {"budget_usd": 1e999, "tone": "angry"}}', 400,
         ("campaign.budget_usd", "campaign.tone")),
    Case("start: a field that is there twice", "POST", "/v1/campaigns",
         b'{"campaign": {"tone": "casual", "tone": "technical"}, "request_id": 1}', 400,
         ("campaign.tone", "request_id", "campaign.channels")),
    Case("start: GET", "GET", "/v1/campaigns", None, 405),
]

WIZARDS = [
    Case("wizard: create", "POST", "/v1/wizards", start(GOOD, request_id="table-wizard"),
         has=("wizard_id",), equals={"status": "draft"}),
    Case("wizard: create incomplete", "POST", "/v1/wizards",
         start({"campaign_name": "Half a campaign"}), has=("wizard_id",)),
    Case("wizard: create with a wrong type", "POST", "/v1/wizards",
         start({"campaign_name": 1}), 400, ("campaign.campaign_name",)),
    Case("wizard: create malformed", "POST", "/v1/wizards", b"{", 400),
    Case("wizard: list", "GET", "/v1/wizards", has=("wizards",)),
    Case("wizard: list with a wrong size", "GET", "/v1/wizards?page_size=many", None, 400,
         ("page_size",)),
    Case("wizard: list with a wrong token", "GET", "/v1/wizards?page_token=nonsense", None, 400),
    Case("wizard: get", "GET", "/v1/wizards/{wizard}", equals={"status": "draft"}),
    Case("wizard: get unknown", "GET", "/v1/wizards/no-such-wizard", None, 404),
    Case("wizard: list with a filter and an order", "GET",
         "/v1/wizards?filter=status%20%3D%20draft%20AND%20campaign_name%3ATab"
         "&order_by=update_time%20desc,campaign_name", has=("wizards",)),
    Case("wizard: list with a wrong filter and order", "GET",
         "/v1/wizards?filter=colour%3Dred&order_by=colour", None, 400, ("filter", "order_by")),
    Case("wizard: validate", "POST", "/v1/wizards/{wizard}/validate", {}, equals={"valid": True}),
    Case("wizard: validate incomplete", "POST", "/v1/wizards/{half}/validate", {},
         has=("violations", "etag"), equals={"valid": False}),
    Case("wizard: validate unknown", "POST", "/v1/wizards/no-such-wizard/validate", {}, 404),
    Case("wizard: preview", "GET", "/v1/wizards/{wizard}/preview",
         has=("phases", "channels", "cost", "warnings", "etag")),
    Case("wizard: preview incomplete", "GET", "/v1/wizards/{half}/preview", has=("violations",)),
    Case("wizard: preview unknown", "GET", "/v1/wizards/no-such-wizard/preview", None, 404),
    Case("wizard: clone", "POST", "/v1/wizards/clone",
         {"source_wizard_id": "{wizard}", "request_id": "table-clone",
          "campaign": {"campaign_name": "Table again"}},
         has=("wizard_id", "cloned_from"), equals={"status": "draft"}),
    Case("wizard: clone a campaign", "POST", "/v1/wizards/clone",
         {"source_workflow_id": "{waiting}"}, has=("wizard_id",)),
    Case("wizard: clone nothing", "POST", "/v1/wizards/clone", {}, 400, ("source_wizard_id",)),
    Case("wizard: clone unknown", "POST", "/v1/wizards/clone",
         {"source_workflow_id": "no-such-workflow"}, 404),
    Case("wizard: patch with an old etag", "PATCH", "/v1/wizards/{wizard}",
         {"campaign": {"target_audience": "walkers"}, "etag": "0123456789abcdef"}, 409),
    Case("wizard: delete with an old etag", "DELETE", "/v1/wizards/{half}?etag=0123456789abcdef",
         None, 409),
    Case("wizard: delete unknown", "DELETE", "/v1/wizards/no-such-wizard", None, 404),
    Case("wizard: patch", "PATCH", "/v1/wizards/{wizard}",
         start({"target_audience": "walkers"}), has=("revision",)),
    Case("wizard: patch with a wrong value", "PATCH", "/v1/wizards/{wizard}",
         start({"tone": "angry"}), 400, ("campaign.tone",)),
    Case("wizard: patch with wrong types and values", "PATCH", "/v1/wizards/{wizard}",
         {"campaign": {"tone": "angry", "channels": 1}, "nope": 1}, 400,
         ("campaign.tone", "campaign.channels", "nope")),
    Case("wizard: patch unknown", "PATCH", "/v1/wizards/no-such-wizard",
         start({"tone": "casual"}), 404),
    Case("wizard: patch malformed", "PATCH", "/v1/wizards/{wizard}", b"nope", 400),
    Case("wizard: approve incomplete", "POST", "/v1/wizards/{half}/approve", {}, 400),
    Case("wizard: approve unknown", "POST", "/v1/wizards/no-such-wizard/approve", {}, 404),
    Case("wizard: approve", "POST", "/v1/wizards/{wizard}/approve", {},
         has=("workflow_id", "run_id", "status")),
    Case("wizard: approve again", "POST", "/v1/wizards/{wizard}/approve", {},
         has=("workflow_id", "run_id")),
    Case("wizard: patch after approval", "PATCH", "/v1/wizards/{wizard}",
         start({"tone": "casual"}), 409),
    Case("wizard: delete", "DELETE", "/v1/wizards/{half}", has=("wizard_id",)),
    Case("wizard: delete again", "DELETE", "/v1/wizards/{half}", None, 404),
]

READS = [
    Case("list", "GET", "/v1/workflows", has=("workflows",)),
    Case("list: filtered", "GET",
         "/v1/workflows?status=RUNNING&workflow_type=campaign&page_size=1", has=("workflows",)),
    Case("list: unknown status", "GET", "/v1/workflows?status=ASLEEP", None, 400, ("status",)),
    Case("list: size of a wrong type", "GET", "/v1/workflows?page_size=x", None, 400,
         ("page_size",)),
    Case("list: size too large", "GET", "/v1/workflows?page_size=100000", None, 400,
         ("page_size",)),
    Case("list: negative size", "GET", "/v1/workflows?page_size=-1", None, 400, ("page_size",)),
    Case("list: wrong token", "GET", "/v1/workflows?page_token=nonsense", None, 400),
    Case("list: unknown parameter", "GET", "/v1/workflows?colour=red", None, 400, ("colour",)),
    Case("list: DELETE", "DELETE", "/v1/workflows", None, 405),
    Case("list: a filter", "GET", "/v1/workflows?filter=workflow_id%20%3D%20%22{waiting}%22",
         has=("workflows",)),
    Case("list: a filter of all fields", "GET",
         "/v1/workflows?filter=status%20%3D%20RUNNING%20AND%20NOT%20patches%3Ano-such-patch%20AND"
         "%20start_time%20%3E%20%222020-01-01T00%3A00%3A00Z%22&order_by=start_time",
         has=("workflows",)),
    Case("list: a filter that is cut off", "GET", "/v1/workflows?filter=status%20%3D", None, 400,
         ("filter",)),
    Case("list: a filter of an unknown status", "GET", "/v1/workflows?filter=status%20%3D%20HAPPY",
         None, 400, ("filter",)),
    Case("list: unknown order", "GET", "/v1/workflows?order_by=size", None, 400, ("order_by",)),
    Case("list: a token of another list", "GET", "/v1/workflows?page_token=00000000-1_1", None, 400,
         ("page_token",)),
    Case("count", "GET", "/v1/workflow-counts", has=("count", "groups")),
    Case("count: nothing", "GET", "/v1/workflow-counts?filter=Nothing%20%3D%205",
         equals={"count": 0}),
    Case("count: wrong filter", "GET", "/v1/workflow-counts?filter=(", None, 400, ("filter",)),
    Case("versions", "GET", "/v1/workflow-versions", has=("builds",)),
    Case("versions: wrong parameter", "GET", "/v1/workflow-versions?colour=red", None, 400,
         ("colour",)),
    Case("delete: open", "DELETE", "/v1/workflows/{waiting}", None, 409),
    Case("delete: unknown", "DELETE", "/v1/workflows/no-such-workflow", None, 404),
    Case("delete: bad id", "DELETE", "/v1/workflows/a%20b", None, 400, ("workflow_id",)),
    Case("get", "GET", "/v1/workflows/{waiting}", equals={"status": "RUNNING"},
         has=("run_id", "workflow_type", "start_time", "history_length")),
    Case("get: a run that is none", "GET", "/v1/workflows/{waiting}?run_id=no-such-run", None, 404),
    Case("get: unknown", "GET", "/v1/workflows/no-such-workflow", None, 404),
    Case("get: bad id", "GET", "/v1/workflows/a%20b", None, 400, ("workflow_id",)),
    Case("get: over-long id", "GET", f"/v1/workflows/{'x' * 300}", None, 400, ("workflow_id",)),
    Case("get: bad escape", "GET", "/v1/workflows/%zz", None, ANY),
    Case("progress", "GET", "/v1/workflows/{waiting}/progress",
         equals={"current_phase": "review", "waiting_for_approval": True, "status": "RUNNING"},
         has=("progress_percentage", "started_at", "elapsed_seconds", "phases")),
    Case("progress: closed", "GET", "/v1/workflows/{closed}/progress",
         equals={"status": "CANCELED"}),
    Case("progress: unknown", "GET", "/v1/workflows/no-such-workflow/progress", None, 404),
    Case("history", "GET", "/v1/workflows/{waiting}/history", has=("events", "run_id")),
    Case("history: a page", "GET", "/v1/workflows/{waiting}/history?page_size=2&after_event_id=1",
         has=("events", "next_after_event_id")),
    Case("history: wrong size", "GET", "/v1/workflows/{waiting}/history?page_size=0.5", None, 400,
         ("page_size",)),
    Case("history: unknown", "GET", "/v1/workflows/no-such-workflow/history", None, 404),
    Case("result: open", "GET", "/v1/workflows/{waiting}/result", equals={"status": "RUNNING"}),
    Case("result: closed", "GET", "/v1/workflows/{closed}/result?wait=30s",
         equals={"status": "CANCELED"}, has=("failure",)),
    Case("result: wrong wait", "GET", "/v1/workflows/{waiting}/result?wait=soon", None, 400,
         ("wait",)),
    Case("result: wait too long", "GET", "/v1/workflows/{waiting}/result?wait=3600s", None, 400,
         ("wait",)),
    Case("result: unknown", "GET", "/v1/workflows/no-such-workflow/result", None, 404),
    Case("saga", "GET", "/v1/workflows/{waiting}/saga", has=("state", "steps")),
    Case("saga: unknown", "GET", "/v1/workflows/no-such-workflow/saga", None, 404),
    Case("watch: unknown", "GET", "/v1/workflows/no-such-workflow/watch", None, 404),
    Case("healthz", "GET", "/healthz"),
    Case("readyz", "GET", "/readyz"),
    Case("metrics", "GET", "/metrics"),
    Case("nothing there", "GET", "/v2/everything", None, 404),
    Case("nothing at the root's child", "POST", "/v1", {}, 404),
]

YEARLY = {"spec": {"crons": ["0 6 1 1 *"], "time_zone": "Europe/Berlin"},
          "action": {"workflow_type": "nightly", "input": {"value": {"region": "eu"}}}}


def schedule_fault(name, field, **parts):
    return Case(f"schedule: create with {name}", "POST", "/v1/schedules",
                {"schedule_id": "s2", "schedule": {**YEARLY, **parts}}, 400, (field,))


SCHEDULES = [
    Case("schedule: create", "POST", "/v1/schedules",
         {"schedule_id": "s1", "schedule": YEARLY, "request_id": "table-s1"},
         has=("next_times", "create_time", "schedule"),
         equals={"status": "RUNNING", "revision": 1, "paused": False}),
    Case("schedule: create again with the same request id", "POST", "/v1/schedules",
         {"schedule_id": "s1", "schedule": YEARLY, "request_id": "table-s1"}),
    Case("schedule: create another of the same id", "POST", "/v1/schedules",
         {"schedule_id": "s1", "schedule": YEARLY}, 409),
    Case("schedule: create nothing", "POST", "/v1/schedules", {}, 400,
         ("schedule_id", "schedule.spec.crons", "schedule.action.workflow_type")),
    Case("schedule: create with a bad id", "POST", "/v1/schedules",
         {"schedule_id": "a b", "schedule": YEARLY}, 400, ("schedule_id",)),
    schedule_fault("a wrong cron", "schedule.spec.crons[0]", spec={"crons": ["61 * * * *"]}),
    schedule_fault("a wrong zone", "schedule.spec.time_zone",
                   spec={"crons": ["@daily"], "time_zone": "Mars/Olympus"}),
    schedule_fault("a wrong interval", "schedule.spec.intervals[0]",
                   spec={"intervals": [{"every": "0.5s"}]}),
    schedule_fault("a wrong exclusion", "schedule.spec.exclusions[0]",
                   spec={"crons": ["@daily"], "exclusions": ["x"]}),
    schedule_fault("its end in the past", "schedule.spec",
                   spec={"crons": ["@daily"], "end_time": "2020-01-01T00:00:00Z"}),
    schedule_fault("a wrong overlap", "schedule.policies.overlap", policies={"overlap": "PILE_UP"}),
    schedule_fault("a wrong window", "schedule.policies.catch_up_window",
                   policies={"catch_up_window": "1s"}),
    schedule_fault("a type of the system", "schedule.action.workflow_type",
                   action={"workflow_type": "system.batch"}),
    schedule_fault("a wrong campaign", "schedule.action.input.value.tone", action={
        "workflow_type": "campaign",
        "input": {"message_type": "campaign.v1.CampaignSpec", "value": with_(tone="angry")}}),
    Case("schedule: get", "GET", "/v1/schedules/s1?next_times=3", has=("next_times", "counts")),
    Case("schedule: get too many times", "GET", "/v1/schedules/s1?next_times=1000", None, 400,
         ("next_times",)),
    Case("schedule: get unknown", "GET", "/v1/schedules/none", None, 404),
    Case("schedule: list", "GET", "/v1/schedules", has=("schedules",)),
    Case("schedule: list with a wrong size", "GET", "/v1/schedules?page_size=-1", None, 400,
         ("page_size",)),
    Case("schedule: not among the workflows", "GET", "/v1/workflows?page_size=1000"),
    Case("schedule: among them when asked for", "GET",
         "/v1/workflows?workflow_type=system.schedule", has=("workflows",)),
    Case("schedule: pause", "POST", "/v1/schedules/s1/pause", {"note": "holidays"},
         equals={"paused": True, "note": "holidays", "revision": 2}),
    Case("schedule: pause with an over-long note", "POST", "/v1/schedules/s1/pause",
         {"note": LONG}, 400, ("note",)),
    Case("schedule: pause unknown", "POST", "/v1/schedules/none/pause", {}, 404),
    Case("schedule: trigger", "POST", "/v1/schedules/s1/trigger", {"request_id": "t"},
         has=("workflow_id",)),
    Case("schedule: trigger unknown", "POST", "/v1/schedules/none/trigger", {}, 404),
    Case("schedule: trigger with a wrong overlap", "POST", "/v1/schedules/s1/trigger",
         {"overlap": "x"}, 400, ("overlap",)),
    Case("schedule: backfill", "POST", "/v1/schedules/s1/backfill",
         {"backfills": [{"start_time": "2020-01-01T00:00:00Z",
                         "end_time": "2022-01-02T00:00:00Z", "overlap": "ALLOW"}]},
         equals={"revision": 2}),
    Case("schedule: backfill nothing", "POST", "/v1/schedules/s1/backfill", {}, 400,
         ("backfills",)),
    Case("schedule: backfill half a range", "POST", "/v1/schedules/s1/backfill",
         {"backfills": [{"start_time": "2020-01-01T00:00:00Z"}]}, 400, ("backfills[0].end_time",)),
    Case("schedule: backfill a range without times", "POST", "/v1/schedules/s1/backfill",
         {"backfills": [{"start_time": "2020-02-01T00:00:00Z",
                         "end_time": "2020-02-02T00:00:00Z"}]}, 400),
    Case("schedule: update", "PATCH", "/v1/schedules/s1",
         {"schedule": {"spec": {"intervals": [{"every": "36000s"}]}}, "revision": 2},
         equals={"revision": 3}),
    Case("schedule: update another revision", "PATCH", "/v1/schedules/s1",
         {"schedule": {"spec": {"crons": ["@daily"]}}, "revision": 2}, 409),
    Case("schedule: update nothing", "PATCH", "/v1/schedules/s1", {}, 400, ("schedule",)),
    Case("schedule: update to a wrong cron", "PATCH", "/v1/schedules/s1",
         {"schedule": {"spec": {"crons": ["@sometimes"]}}}, 400, ("schedule.spec.crons[0]",)),
    Case("schedule: update unknown", "PATCH", "/v1/schedules/none",
         {"schedule": {"spec": {"crons": ["@daily"]}}}, 404),
    Case("schedule: resume", "POST", "/v1/schedules/s1/resume", {}, equals={"paused": False}),
    Case("schedule: delete", "DELETE", "/v1/schedules/s1"),
    Case("schedule: delete again", "DELETE", "/v1/schedules/s1", None, 404),
    Case("schedule: deleted", "GET", "/v1/schedules/s1", None, 404),
    Case("schedule: a campaign", "POST", "/v1/schedules",
         {"schedule_id": "s3", "schedule": {**YEARLY, "action": {
             "workflow_type": "campaign",
             "input": {"message_type": "campaign.v1.CampaignSpec", "value": GOOD}}}},
         has=("next_times",)),
    Case("schedule: delete the campaign's", "DELETE", "/v1/schedules/s3"),
]

NIGHTLY = {"filter": "workflow_type = nightly", "verb": "TERMINATE", "reason": "table"}


def batch_fault(name, field, **parts):
    return Case(f"batch: start with {name}", "POST", "/v1/batches",
                {"batch": {**NIGHTLY, **parts}}, 400, (field,))


BATCHES = [
    Case("batch: dry run", "POST", "/v1/batches", {"batch": NIGHTLY, "dry_run": True},
         has=("progress", "samples"), equals={"dry_run": True}),
    Case("batch: start", "POST", "/v1/batches", {"batch_id": "b1", "batch": NIGHTLY},
         has=("start_time", "status"), equals={"batch_id": "b1"}),
    Case("batch: start it again", "POST", "/v1/batches", {"batch_id": "b1", "batch": NIGHTLY}),
    Case("batch: start another of the same id", "POST", "/v1/batches",
         {"batch_id": "b1", "batch": {**NIGHTLY, "verb": "CANCEL"}}, 409),
    Case("batch: start nothing", "POST", "/v1/batches", {}, 400, ("batch.filter", "batch.verb")),
    batch_fault("a wrong filter", "batch.filter", filter="colour >"),
    batch_fault("an unknown verb", "batch.verb", verb="EXPLODE"),
    batch_fault("a signal without a name", "batch.signal_name", verb="SIGNAL"),
    batch_fault("a name without a signal", "batch.signal_name", signal_name="x"),
    batch_fault("a wrong rate", "batch.runs_per_second", runs_per_second=100000),
    batch_fault("a reset to no event", "batch.reset_event_id", verb="RESET", reset_point="EVENT"),
    batch_fault("an over-long reason", "batch.reason", reason=LONG),
    Case("batch: get", "GET", "/v1/batches/b1", has=("progress", "batch")),
    Case("batch: get unknown", "GET", "/v1/batches/none", None, 404),
    Case("batch: list", "GET", "/v1/batches", has=("batches",)),
    Case("batch: list with a wrong size", "GET", "/v1/batches?page_size=1000", None, 400,
         ("page_size",)),
    Case("batch: stop unknown", "POST", "/v1/batches/none/stop", {}, 404),
    Case("batch: stop with an over-long reason", "POST", "/v1/batches/b1/stop", {"reason": LONG},
         400, ("reason",)),
]

SIGNALS = [
    Case("update_content", "POST", "/v1/workflows/{waiting}/signals/update_content",
         {"content_id": "headline", "new_content": "Run with us"},
         equals={"content_revision": 2}, has=("content",)),
    Case("update_content: unknown piece", "POST",
         "/v1/workflows/{waiting}/signals/update_content",
         {"content_id": "footnote", "new_content": "x"}, 400, ("content_id",)),
    Case("update_content: missing fields", "POST",
         "/v1/workflows/{waiting}/signals/update_content", {}, 400, ("content_id", "new_content")),
    Case("update_content: wrong type", "POST", "/v1/workflows/{waiting}/signals/update_content",
         {"content_id": "headline", "new_content": ["x"]}, 400, ("new_content",)),
    Case("update_content: over-long", "POST", "/v1/workflows/{waiting}/signals/update_content",
         {"content_id": "headline", "new_content": "x" * 200_000}, 400, ("new_content",)),
    Case("update_content: too long for its piece", "POST",
         "/v1/workflows/{waiting}/signals/update_content",
         {"content_id": "headline", "new_content": "x" * 200}, 400, ("new_content",)),
    Case("update_content: closed", "POST", "/v1/workflows/{closed}/signals/update_content",
         {"content_id": "headline", "new_content": "x"}, 409),
    Case("update_content: unknown", "POST",
         "/v1/workflows/no-such-workflow/signals/update_content",
         {"content_id": "headline", "new_content": "x"}, 404),
    Case("approve: wrong type", "POST", "/v1/workflows/{waiting}/signals/approve",
         {"decided_by": 1}, 400, ("decided_by",)),
    Case("approve: over-long comment", "POST", "/v1/workflows/{waiting}/signals/approve",
         {"comment": LONG}, 400, ("comment",)),
    Case("approve: malformed", "POST", "/v1/workflows/{waiting}/signals/approve", b"{]", 400),
    Case("approve: other id in the body", "POST", "/v1/workflows/{waiting}/signals/approve",
         {"workflow_id": "another"}, 400, ("workflow_id",)),
    Case("approve: unknown", "POST", "/v1/workflows/no-such-workflow/signals/approve", {}, 404),
    Case("approve: closed", "POST", "/v1/workflows/{closed}/signals/approve", {}, 409),
    Case("reject: closed", "POST", "/v1/workflows/{closed}/signals/reject", {}, 409),
    Case("reject: unknown", "POST", "/v1/workflows/no-such-workflow/signals/reject", {}, 404),
    Case("signals: unknown name", "POST", "/v1/workflows/{waiting}/signals/dance", {}, 404),
    Case("saga retry: not blocked", "POST",
         "/v1/workflows/{waiting}/saga/{step}/retry", {}, 409),
    Case("saga skip: without a reason", "POST",
         "/v1/workflows/{waiting}/saga/{step}/skip", {}, 400, ("reason",)),
    Case("saga skip: not blocked", "POST", "/v1/workflows/{waiting}/saga/{step}/skip",
         {"reason": "test"}, 409),
    Case("saga resolve: unknown step", "POST",
         "/v1/workflows/{waiting}/saga/no-such-step/resolve", {"reason": "test"}, 404),
    Case("saga retry: unknown workflow", "POST",
         "/v1/workflows/no-such-workflow/saga/x/retry", {}, 404),
    Case("approve", "POST", "/v1/workflows/{waiting}/signals/approve",
         {"decided_by": "ann", "comment": "fine"}, has=("decision",)),
    Case("cancel: over-long reason", "POST", "/v1/workflows/{other}/cancel", {"reason": LONG}, 400,
         ("reason",)),
    Case("cancel: unknown", "POST", "/v1/workflows/no-such-workflow/cancel", {}, 404),
    Case("cancel: closed", "POST", "/v1/workflows/{closed}/cancel", {}, 409),
    Case("terminate: unknown", "POST", "/v1/workflows/no-such-workflow/terminate", {}, 404),
    Case("terminate: closed", "POST", "/v1/workflows/{closed}/terminate", {"reason": "x"}, 409),
    Case("terminate", "POST", "/v1/workflows/{other}/terminate", {"reason": "table"},
         has=("run_id", "steps_left_behind")),
    Case("terminated", "GET", "/v1/workflows/{other}", equals={"status": "TERMINATED"}),
]


def violations_of(answer):
    fields = set()
    for detail in answer.get("details", []):
        for violation in detail.get("field_violations", []):
            fields.add(violation["field"])
            said = violation["description"]
            if said != said.strip() or said.startswith(violation["field"] + ":"):
                raise Failed(f"a description that cannot be read behind its field: {violation}")
    return fields


def problems_of(case, status, headers, answer):
    """What is wrong with the answer to a row."""
    result = []
    if case.status is ANY:
        if status >= 500:
            result.append(f"HTTP {status}")
        return result
    if status != case.status:
        return [f"HTTP {status}, not {case.status}: {json.dumps(answer)[:400]}"]
    if "x-correlation-id" not in headers:
        result.append("no X-Correlation-ID")
    if status >= 400:
        if not isinstance(answer, dict) or "code" not in answer or not answer.get("message"):
            return result + [f"is no google.rpc.Status: {answer!r}"[:400]]
        missing = set(case.violations or ()) - violations_of(answer)
        if missing:
            result.append(f"no violation of {sorted(missing)}: {json.dumps(answer)[:600]}")
        return result
    for key in case.has:
        if key not in answer:
            result.append(f"lacks {key}: {json.dumps(answer)[:400]}")
    for key, value in case.equals.items():
        if answer.get(key) != value:
            result.append(f"{key} is {answer.get(key)!r}, not {value!r}")
    return result


class Table:
    """Runs rows against a server and counts."""

    def __init__(self, server, only):
        self.server = server
        self.only = only
        self.ids = {}
        self.rows = 0
        self.problems = []

    def run(self, cases):
        for case in cases:
            if self.only in case.name:
                self.row(case)

    def row(self, case):
        path = case.path
        for name, value in self.ids.items():
            path = path.replace("{" + name + "}", value)
        body = case.body
        headers = dict(case.headers)
        if body is not None and not isinstance(body, bytes):
            text = json.dumps(body)
            for name, value in self.ids.items():
                text = text.replace('"{' + name + '}"', json.dumps(value))
            body = text.encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            status, got, data = self.server.client.raw(case.method, path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            return self.note(case.name, [f"no answer: {error!r}"])
        try:
            answer = json.loads(data) if data else None
        except ValueError:
            answer = data.decode(errors="replace")
        return self.note(case.name, problems_of(case, status, got, answer))

    def note(self, name, problems):
        self.rows += 1
        self.problems += [f"{name}: {problem}" for problem in problems]

    def check(self, name, condition, what):
        self.note(name, [] if condition else [what])


def begin(server, name):
    answer = server.rest("POST", "/v1/campaigns", start(with_(campaign_name=name)))
    return answer["workflow_id"]


def large_body(table):
    """20 MB are refused without being read to the end, and the server lives on."""
    with socket.create_connection(table.server.client.address, timeout=30) as connection:
        connection.sendall(b"POST /v1/campaigns HTTP/1.1\r\nHost: x\r\n"
                           b"Content-Type: application/json\r\n"
                           b"Content-Length: 20000000\r\n\r\n")
        try:
            for _ in range(200):
                connection.sendall(b"x" * 100_000)
        except OSError:
            pass  # it has answered and closed
        head = b""
        try:
            head = connection.recv(4096)
        except OSError:
            pass
    table.check("20 MB body", b" 413 " in head.split(b"\r\n")[0], f"answer: {head[:200]!r}")
    status, _, _ = table.server.client.raw("GET", "/healthz")
    table.check("alive after 20 MB", status == 200, f"HTTP {status}")


def raw_sockets(table):
    """Requests that are no HTTP, and headers beyond all limits."""
    nothing = b""  # a reset is an answer too where the request was never read to its end
    for name, request, good in (
            ("not HTTP", b"hello\r\n\r\n", (b" 400 ",)),
            ("long target", b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
             (b" 414 ", b" 431 ", b" 400 ", nothing)),
            ("large header", b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 200_000 +
             b"\r\n\r\n", (b" 431 ", b" 400 ", nothing)),
            ("wrong length", b"POST /v1/campaigns HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
             (b" 400 ",))):
        head = b""
        try:
            with socket.create_connection(table.server.client.address, timeout=30) as connection:
                connection.sendall(request)
                head = connection.recv(4096)
        except OSError:
            pass
        code = head.split(b"\r\n")[0][8:13]
        table.check(name, code in good, f"answer: {head[:200]!r}")
    status, _, _ = table.server.client.raw("GET", "/healthz")
    table.check("alive after what is no HTTP", status == 200, f"HTTP {status}")


def correlation(table):
    _, headers, _ = table.server.client.raw("GET", "/healthz", None,
                                            {"X-Correlation-ID": "table-42"})
    got = headers.get("x-correlation-id")
    table.check("correlation id comes back", got == "table-42", f"it is {got!r}")


def decided_once(table):
    """The first decision wins; a second is told who decided and when."""
    path = f"/v1/workflows/{table.ids['waiting']}/signals/reject"
    status, answer = table.server.client.call("POST", path, {"decided_by": "bob"})
    text = json.dumps(answer)
    table.check("second decision", status == 409 and "ann" in text and "20" in text,
                f"HTTP {status}: {text}")


def watch(table):
    """Server-sent events until the end of the campaign."""
    connection = http.client.HTTPConnection(*table.server.client.address, timeout=120)
    connection.request("GET", f"/v1/workflows/{table.ids['waiting']}/watch")
    response = connection.getresponse()
    kind = response.getheader("Content-Type", "")
    table.check("watch: type", kind.startswith("text/event-stream"), kind)
    last = {}
    for line in response:
        if line.startswith(b"data:"):
            data = json.loads(line[5:])
            if "current_phase" in data or "status" in data:
                last = data
    connection.close()
    table.check("watch: to the end", last.get("status") == "COMPLETED" and
                last.get("progress_percentage") == 100, json.dumps(last)[:400])


def asset(table):
    """The images of the campaign are served, and nothing beside them is."""
    result = table.server.rest("GET", f"/v1/workflows/{table.ids['waiting']}/result?wait=30s")
    url = result["result"]["value"]["asset_urls"][0]
    path = "/" + url.split("/", 3)[3]
    status, headers, data = table.server.client.raw("GET", path)
    kind = headers.get("content-type")
    table.check("asset", status == 200 and kind == "image/png" and data.startswith(b"\x89PNG"),
                f"HTTP {status}, {kind}, {len(data)} bytes")
    for bad in ("/assets/no/such.png", "/assets/../runs.db", "/assets/%2e%2e/runs.db",
                "/assets/..%2fruns.db", "/assets/%2e%2e%2f%2e%2e%2fetc/passwd", "/assets/"):
        status, _, _ = table.server.client.raw("GET", bad)
        table.check(f"asset {bad}", status in (400, 404), f"HTTP {status}")


def metric_names(table):
    _, _, text = table.server.client.raw("GET", "/metrics")
    for name in ("workflow_executions_total", "workflow_duration_seconds",
                 "activity_executions_total", "activity_retry_count", "saga_compensations_total"):
        table.check(f"metric {name}", name.encode() in text, "is missing")
    # What the alert rules look at must be there under that name.
    root = pathlib.Path(__file__).parents[2]
    rules = (root / "docs/operations/alerts.yaml").read_text()
    code = "".join(path.read_text() for folder in ("orchestrator", "activities", "gateway")
                   for path in (root / folder).rglob("*.cc"))
    watched = sorted(set(re.findall(r"\b[a-z]+(?:_[a-z]+)+(?=[{\[)]| >)", rules)))
    table.check("alerts", len(watched) >= 10, f"look only at {watched}")
    for name in watched:
        table.check(f"alert on {name}", f'"{name}"' in code, "is no metric of ours")
    for name in ("workflow_runs", "workflow_paused_total", "task_queue_depth",
                 "saga_compensations_blocked_total", "circuit_breaker_state", "outbound_kill_switch"):
        table.check(f"metric {name}", name.encode() in text, "is missing")


def run():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    args = parser.parse_args()
    with harness.Workplace("rest") as place:
        sandbox = place.sandbox()
        settings = place.directory / "settings.yaml"
        settings.write_text("outbound:\n  wait_max: 0s\n")
        # One attempt fails and is repeated by the engine, so that the metrics show a retry.
        sandbox.fault(vendor="openai", kind="error", count=1)
        server = place.server(sandbox, ["--config", settings])
        table = Table(server, args.only)
        for name in ("waiting", "closed", "other"):
            table.ids[name] = begin(server, f"Table {name}")
        for name in ("waiting", "closed", "other"):
            server.await_review(table.ids[name], 120)
        server.rest("POST", f"/v1/workflows/{table.ids['closed']}/cancel", {"reason": "table"})
        server.wait_ended(table.ids["closed"])
        steps = server.rest("GET", f"/v1/workflows/{table.ids['waiting']}/saga")["steps"]
        table.ids["step"] = steps[0]["step"]
        table.ids["wizard"] = server.rest("POST", "/v1/wizards", start(
            GOOD, request_id="table-wizard"))["wizard_id"]
        table.ids["half"] = server.rest("POST", "/v1/wizards", start(
            {"campaign_name": "Half a campaign"}))["wizard_id"]

        for cases in (STARTS, WIZARDS, READS):
            table.run(cases)
        correlation(table)
        large_body(table)
        raw_sockets(table)
        for cases in (*run_rows.rows(Case), operations_rows.rows(Case, GOOD), access_rows.rows(Case),
                      SCHEDULES, BATCHES, SIGNALS):
            table.run(cases)
        if not args.only:
            decided_once(table)
            watch(table)
            asset(table)
            metric_names(table)
        code, _ = server.stop()
        table.check("ends on SIGTERM", code == 0, f"code {code}")
        if table.problems:
            raise Failed(f"{len(table.problems)} of {table.rows} rows:\n  " +
                         "\n  ".join(table.problems))
        print(f"rest: fine, {table.rows} rows")
        return 0


if __name__ == "__main__":
    harness.main(run)
