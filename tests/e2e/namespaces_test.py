#!/usr/bin/env python3
"""Namespaces are tenants, over REST: the same workflow id runs once in each and is seen in its own
alone, by every call that names it; so are schedules, batches, lists and counts; campaigns of one id
share nothing at the vendors; and a restart keeps it all apart.

    tests/e2e/namespaces_test.py
"""

import json

import harness
from harness import Failed, expect


class Tenant:
    """A caller without credentials that works in one namespace: by the header, or by the field."""

    def __init__(self, server, ns):
        self.server = server
        self.ns = ns
        self.call = harness.Client(server.url, {"x-namespace": ns} if ns else {}).call

    def ok(self, method, path, body=None):
        status, answer = self.call(method, path, body)
        expect(status // 100 == 2, f"{self.ns}: {method} {path}: HTTP {status}: {answer}")
        return answer

    def start(self, workflow_id, name, **more):
        return self.ok("POST", "/v1/workflows", {
            "workflow_id": workflow_id, "workflow_type": "campaign", "request_id": "the same",
            "input": {"message_type": "campaign.v1.CampaignSpec", "value": harness.campaign(name)}, **more})

    def waits(self, workflow_id):
        return harness.wait_until(
            lambda: self.ok("GET", f"/v1/workflows/{workflow_id}/progress").get(
                "waiting_for_approval"), 60, f"{workflow_id} of {self.ns} waits for approval")

    def ended(self, workflow_id):
        def look():
            status = self.ok("GET", f"/v1/workflows/{workflow_id}")["status"]
            return status if status in harness.ENDED else None
        return harness.wait_until(look, 60, f"{workflow_id} of {self.ns} ends")


def every_call_that_names_it(workflow_id):
    base = f"/v1/workflows/{workflow_id}"
    return [("GET", base, None), ("GET", base + "/progress", None), ("GET", base + "/saga", None),
            ("GET", base + "/history", None), ("GET", base + "/result", None),
            ("GET", base + "/watch", None),
            ("POST", base + "/signal", {"signal_name": "noise"}),
            ("POST", base + "/query", {"query_name": "progress"}),
            ("POST", base + "/update", {"update_name": "approve"}),
            ("POST", base + "/signals/approve", {"decided_by": "mallory"}),
            ("POST", base + "/signals/reject", {"decided_by": "mallory"}),
            ("POST", base + "/cancel", {}), ("POST", base + "/terminate", {"reason": "no"}),
            ("POST", base + "/pause", {"reason": "no"}), ("POST", base + "/resume", {}), ("POST", base + "/retry-now", {}),
            ("POST", base + "/reset", {"event_id": 1, "reason": "no"}), ("DELETE", base, None)]


def nobody_else_sees_it(acme, others):
    run = acme.start("spring", "Spring of acme")
    acme.waits("spring")
    for other in others:
        for method, path, body in every_call_that_names_it("spring"):
            status, answer = other.call(method, path, body)
            if status == 404 and "no workflow" in json.dumps(answer):
                continue
            raise Failed(f"{other.ns}: {method} {path}: HTTP {status}: {answer}")
        status, answer = other.call("GET", f"/v1/workflows/spring?run_id={run['run_id']}")
        expect(status == 404, f"by its run id: HTTP {status}: {answer}")
    # Without the header the request's field says where.
    by_field = Tenant(acme.server, "").ok("GET", "/v1/workflows/spring?namespace=acme")
    expect(by_field["run_id"] == run["run_id"], by_field)
    status, answer = others[0].call("GET", "/v1/workflows/spring?namespace=acme")
    expect(status == 400, f"header and field disagree: HTTP {status}: {answer}")
    info = acme.ok("GET", "/v1/workflows/spring")
    expect(info["status"] == "RUNNING" and info["namespace"] == "acme", info)


def the_same_id_is_another_campaign(acme, globex, sandbox):
    expect(not globex.start("spring", "Spring of globex").get("already_started"), "it is new there")
    globex.waits("spring")
    by_kind = {}
    for made in sandbox.existing("spring"):
        by_kind.setdefault((made["vendor"], made["kind"]), set()).add(made["id"])
    for what in (("github", "pull"), ("github", "branch"), ("slack", "message")):
        expect(len(by_kind.get(what, ())) == 2, f"{what}: {by_kind}")
    globex.ok("POST", "/v1/workflows/spring/signals/reject", {"decided_by": "bob"})
    expect(globex.ended("spring") == "FAILED", "rejected")
    expect(acme.ok("GET", "/v1/workflows/spring")["status"] == "RUNNING", "acme's goes on")
    left = {made["id"] for made in sandbox.existing("spring") if made["kind"] == "branch"}
    expect(left == {next(i for i in by_kind[("github", "branch")] if "acme" in i.split(":")[-1])},
           f"the rollback of globex left {left} of {by_kind}")
    acme.ok("POST", "/v1/workflows/spring/signals/approve", {"decided_by": "ann"})
    expect(acme.ended("spring") == "COMPLETED", "approved")
    expect(acme.ok("GET", "/v1/workflows/spring/progress")["decision"]["decided_by"] == "ann", "")


def lists_and_counts(acme, globex, nobody):
    for tenant, runs in ((acme, 1), (globex, 1)):
        found = tenant.ok("GET", "/v1/workflows?workflow_type=campaign")["workflows"]
        expect([w["namespace"] for w in found] == [tenant.ns] * runs, f"{tenant.ns}: {found}")
        count = tenant.ok("GET", "/v1/workflow-counts")
        expect(int(count["count"]) == runs, f"{tenant.ns}: {count}")
    expect(not nobody.ok("GET", "/v1/workflows").get("workflows"), "default has none")


def schedules_and_batches(acme, globex, nobody):
    schedule = {"schedule_id": "daily", "paused": True, "schedule": {
        "spec": {"crons": ["0 6 * * *"]},
        "action": {"workflow_type": "campaign",
                   "input": {"message_type": "campaign.v1.CampaignSpec",
                             "value": harness.campaign("Daily")}}}}
    acme.ok("POST", "/v1/schedules", schedule)
    expect(globex.call("GET", "/v1/schedules/daily")[0] == 404, "globex sees acme's schedule")
    expect(not nobody.ok("GET", "/v1/schedules").get("schedules"), "default lists acme's schedule")
    globex.ok("POST", "/v1/schedules", schedule)
    started = acme.ok("POST", "/v1/schedules/daily/trigger", {})["workflow_id"]
    harness.wait_until(lambda: acme.call("GET", f"/v1/workflows/{started}")[0] == 200, 60,
                       "the schedule's run")
    expect(globex.call("GET", f"/v1/workflows/{started}")[0] == 404, "the run is acme's")
    acme.waits(started)
    globex.start("bystander", "Bystander")
    globex.waits("bystander")
    batch = {"batch_id": "all", "batch": {"verb": "TERMINATE", "filter": "workflow_type = campaign",
                                          "reason": "a test"}}
    acme.ok("POST", "/v1/batches", batch)
    expect(acme.ended(started) == "TERMINATED", "by the batch")
    expect(globex.call("GET", "/v1/batches/all")[0] == 404, "globex sees acme's batch")
    expect(globex.ok("GET", "/v1/workflows/bystander")["status"] == "RUNNING", "beside the batch")
    acme.ok("DELETE", "/v1/schedules/daily")
    expect(globex.ok("GET", "/v1/schedules/daily")["schedule_id"] == "daily", "globex's is there")


def run():
    with harness.Workplace("namespaces") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        acme, globex = Tenant(server, "acme"), Tenant(server, "globex")
        nobody = Tenant(server, "")
        nobody_else_sees_it(acme, [globex, nobody])
        the_same_id_is_another_campaign(acme, globex, sandbox)
        lists_and_counts(acme, globex, nobody)
        schedules_and_batches(acme, globex, nobody)
        server.kill()
        server.start()
        expect(globex.ok("GET", "/v1/workflows/bystander")["status"] == "RUNNING", "after a restart")
        expect(acme.call("GET", "/v1/workflows/bystander")[0] == 404, "after a restart")
        print("namespaces: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
