#!/usr/bin/env python3
"""Many campaigns under faults in every vendor, while the server is killed and stopped, its disk is
full or cannot be written, and its clock jumps (troubles.py), until the last campaign has ended.

Some campaigns are approved, some rejected, some canceled on the way. Every start and decision is
repeated until it is answered, by its request id. At the end every campaign has ended, nothing
exists twice, and nothing is left of those that did not complete. A seed decides the plan of every
campaign, the faults and the order and moments of the troubles.

    tests/e2e/chaos.py --seed 1 --campaigns 300 --troubles kill --every 5 --fault-rate 0.2
    tests/e2e/chaos.py --seed 1 --minutes 10
"""

import argparse
import collections
import concurrent.futures
import json
import random
import threading
import time
import urllib.parse

import harness
import troubles
from harness import ENDED, Failed

KINDS = ("error", "rate_limit", "reset", "lost_response")
KIND_OF_CHANNEL = {"email": "sendgrid", "social": "buffer", "blog": "github"}


class Plan:
    """What happens to one campaign; the seed decides."""

    def __init__(self, seed, number, sandbox, web_share):
        choice = random.Random(f"{seed}/{number}")
        self.request_id = f"chaos-{seed}-{number}"
        self.verb = choice.choices(["approve", "reject", "cancel"], [70, 15, 15])[0]
        self.cancel_after = choice.uniform(0, 6)  # seconds from its start, when it is canceled
        web = choice.random() < web_share
        self.body = harness.campaign(f"Chaos {number}", seed=f"{seed}/{number}",
                                     sandbox=sandbox if web else None)
        self.workflow_id = None
        self.status = None
        self.reason = ""
        self.skipped = False  # an operator skipped a compensation
        self.seconds = None


def decide(server, plan, verb):
    """Approve or reject until somebody's decision stands; ours may have been heard before."""
    status, answer = server.client.persistent(
        "POST", f"/v1/workflows/{plan.workflow_id}/signals/{verb}",
        {"decided_by": "chaos", "comment": f"{verb} by plan"}, seconds=300)
    if status not in (200, 409, 400):
        raise Failed(f"{plan.workflow_id}: {verb}: HTTP {status}: {json.dumps(answer)}")


def operate(server, plan, reason):
    """What an operator does for a run that is STUCK. Only one thing may need him: after a step of
    the clock a mail's time is over for the server, so that it cannot know the mail taken back."""
    if "compensation_blocked" not in reason or "the mail went out at" not in reason:
        return
    path = f"/v1/workflows/{plan.workflow_id}/saga"
    _, saga = server.client.persistent("GET", path, seconds=300)
    for step in saga.get("steps", []):
        if step.get("compensation") != "BLOCKED":
            continue
        name = urllib.parse.quote(step["step"], safe="")
        status, answer = server.client.persistent(
            "POST", f"{path}/{name}/skip", {"reason": "the clock jumped", "identity": "chaos"},
            seconds=300)
        if status not in (200, 409):  # 409: our first try was heard
            raise Failed(f"{plan.workflow_id}: skip: HTTP {status}: {json.dumps(answer)}")
        plan.skipped = True


def live(server, plan, seconds):
    """One campaign from its start to its end."""
    begin = time.monotonic()
    status, answer = server.client.persistent(
        "POST", "/v1/campaigns", {"campaign": plan.body, "request_id": plan.request_id},
        seconds=300)
    if status != 200:
        raise Failed(f"{plan.request_id}: start: HTTP {status}: {json.dumps(answer)}")
    plan.workflow_id = answer["workflow_id"]
    path = f"/v1/workflows/{plan.workflow_id}"
    acted = False
    while True:
        code, info = server.client.persistent("GET", path, seconds=300)
        if code != 200:
            raise Failed(f"{plan.workflow_id}: HTTP {code}: {json.dumps(info)}")
        if info["status"] in ENDED:
            plan.status = info["status"]
            plan.reason = info.get("status_reason", "")
            plan.seconds = time.monotonic() - begin
            return
        if info["status"] == "STUCK":
            operate(server, plan, info.get("status_reason", ""))
        elapsed = time.monotonic() - begin
        if elapsed > seconds:
            raise Failed(f"{plan.workflow_id}: still {info['status']} after {seconds} s: "
                         f"{json.dumps(info)[:2000]}")
        if not acted and plan.verb == "cancel" and elapsed >= plan.cancel_after:
            server.client.persistent("POST", path + "/cancel", {"reason": "by plan"}, seconds=300)
            acted = True
        elif not acted and plan.verb != "cancel":
            _, progress = server.client.persistent("GET", path + "/progress", seconds=300)
            if progress.get("waiting_for_approval"):
                decide(server, plan, plan.verb)
                acted = True
        time.sleep(0.3)


def check(plans, sandbox, server):
    """What must hold at the end; a list of what does not."""
    problems = []
    listed = server.list(workflow_type="campaign")
    if len(listed) != len(plans):
        problems.append(f"{len(plans)} campaigns were started, {len(listed)} exist")
    report = sandbox.resources()
    for duplicate in report["duplicates"]:
        problems.append(f"exists twice: {json.dumps(duplicate)}")
    alive = collections.defaultdict(list)
    for resource in report["resources"]:
        if resource["alive"]:
            alive[resource["workflow_id"]].append(resource)
    for plan in plans:
        left = alive.pop(plan.workflow_id, [])
        if plan.status == "COMPLETED":
            vendors = {resource["vendor"] for resource in left}
            for channel in plan.body["channels"]:
                if KIND_OF_CHANNEL[channel] not in vendors:
                    problems.append(f"{plan.workflow_id}: completed without anything on {channel}")
        else:
            problems += [f"{plan.workflow_id} ({plan.status}): left behind: {r['vendor']} "
                         f"{r['kind']} {r['id']} ({r['state']})" for r in left]
        if "No space left" in plan.reason:
            problems.append(f"{plan.workflow_id}: did not wait for room on the disk: "
                            f"{plan.reason[:300]}")
        expected = {"approve": ("COMPLETED", "FAILED"), "reject": ("FAILED",),
                    "cancel": ("CANCELED", "FAILED")}[plan.verb]
        if plan.status not in expected:
            problems.append(f"{plan.workflow_id}: planned {plan.verb}, ended {plan.status}")
    # Our own copies of the images go with the campaign too.
    files = [str(path) for path in (server.directory / "data" / "assets").rglob("*")
             if path.is_file()]
    for plan in plans:
        kept = [path for path in files if f"/{plan.workflow_id}/" in path]
        if plan.status != "COMPLETED" and kept:
            problems.append(f"{plan.workflow_id} ({plan.status}): assets left: {kept}")
        if plan.status == "COMPLETED" and len(kept) != len(plan.body["channels"]):
            problems.append(f"{plan.workflow_id}: {len(kept)} assets for "
                            f"{len(plan.body['channels'])} channels")
    for workflow_id, left in alive.items():
        problems.append(f"{len(left)} resources of unknown workflow {workflow_id!r}: "
                        f"{[(r['vendor'], r['kind'], r['id']) for r in left][:5]}")
    return problems


def spoil(plans, sandbox):
    """The red run: leaves something of a campaign that ended badly, and makes something of a
    completed one a second time, behind the server's back. Returns what `check` must then say."""
    bad = next(plan for plan in plans if plan.status != "COMPLETED")
    good = next(plan for plan in plans if plan.status == "COMPLETED")
    for plan, uid in ((bad, "red-1"), (good, "red-2"), (good, "red-3")):
        status, _, answer = sandbox.client.raw(
            "POST", "/grafana/api/dashboards/db",
            json.dumps({"dashboard": {"uid": uid, "title": "red"}, "overwrite": True}),
            {"Content-Type": "application/json", "Authorization": "Bearer red",
             "X-Workflow-Id": plan.workflow_id})
        if status != 200:
            raise Failed(f"red run: HTTP {status}: {answer!r}")
    return [f"{bad.workflow_id} ({bad.status}): left behind: grafana", "exists twice"]


class Load:
    """Campaigns, so many at once, until there have been `campaigns`, or until `minutes` are over."""

    def __init__(self, args, server, sandbox):
        self.args = args
        self.server = server
        self.sandbox = sandbox
        self.lock = threading.Lock()
        self.plans = []
        self.end = time.monotonic() + args.minutes * 60 if args.minutes else None
        self.pool = concurrent.futures.ThreadPoolExecutor(args.at_once)
        self.workers = [self.pool.submit(self.work) for _ in range(args.at_once)]

    def next_plan(self):
        with self.lock:
            over = (time.monotonic() > self.end if self.end
                    else len(self.plans) >= self.args.campaigns)
            if over:
                return None
            plan = Plan(self.args.seed, len(self.plans), self.sandbox, self.args.web_share)
            self.plans.append(plan)
            return plan

    def work(self):
        while plan := self.next_plan():
            live(self.server, plan, self.args.seconds)

    def running(self):
        """False when all is over; raises what went wrong."""
        for worker in self.workers:
            if worker.done() and worker.exception() is not None:
                raise worker.exception()
        return not all(worker.done() for worker in self.workers)


def make_troubles(args, place):
    """The kinds of trouble that are possible here, the small disk, and the clock's file."""
    kinds = [kind for kind in args.troubles.split(",") if kind]
    for kind in kinds:
        if kind not in troubles.KINDS:
            raise Failed(f"--troubles {kind}: there are {', '.join(troubles.KINDS)}")
    disk = None
    if {"full", "readonly"} & set(kinds):
        try:
            if not harness.own_mounts():
                raise PermissionError("unshare(CLONE_NEWNS): not permitted")
            disk = place.small_disk(args.disk)
        except PermissionError as error:
            kinds = [kind for kind in kinds if kind not in ("full", "readonly")]
            print("\n*** NOT TESTED: a full disk and a read-only store, as this process may not "
                  f"mount a file system ({error}). Run it as root. ***\n", flush=True)
            if not kinds:
                raise Failed("none of the troubles that were asked for is possible here") from error
    return kinds, disk, troubles.ClockFile(place.directory / "clock-offset")


def check_refusals(server, kinds):
    """What callers were told while it did not work: try again, and why."""
    problems = []
    for (status, message), count in server.client.refusals.items():
        if status != 503 and status != 429:
            problems.append(f"HTTP {status} ({count} times): {message}")
        elif not message:
            problems.append(f"HTTP {status} without a message ({count} times)")
    said = " ".join(str(message) for _, message in server.client.refusals)
    if "full" in kinds and "the disk is full" not in said:
        problems.append("nobody was told that the disk is full")
    if "readonly" in kinds and "write" not in said:
        problems.append("nobody was told that the store cannot be written")
    return problems


def run():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--campaigns", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=0,
                        help="start campaigns for so long, instead of --campaigns")
    parser.add_argument("--troubles", default=",".join(troubles.KINDS),
                        help="what happens to the server (default: %(default)s)")
    parser.add_argument("--every", type=float, default=5,
                        help="seconds from one trouble to the next; 0: none")
    parser.add_argument("--troubles-max", type=int, default=10**9)
    parser.add_argument("--fault-rate", type=float, default=0.2)
    parser.add_argument("--at-once", type=int, default=50, help="campaigns at once")
    parser.add_argument("--disk", type=int, default=4096, help="MiB of the data directory's disk")
    parser.add_argument("--web-share", type=float, default=0.05,
                        help="share of campaigns that use the headless browser")
    parser.add_argument("--seconds", type=float, default=900, help="at most, for one campaign")
    parser.add_argument("--red", action="store_true",
                        help="spoil the result at the end and show that the checks notice")
    args = parser.parse_args()

    amount = f"{args.minutes:g} minutes of" if args.minutes else f"{args.campaigns}"
    print(f"chaos: seed {args.seed}, {amount} campaigns, faults at rate {args.fault_rate}, "
          f"{args.troubles} about every {args.every} s", flush=True)
    with harness.Workplace("chaos") as place:
        kinds, disk, clock = make_troubles(args, place)
        sandbox = place.sandbox()
        # One call meets at most one of the four faults; together they strike at the rate.
        each = 1 - (1 - args.fault_rate) ** (1 / len(KINDS))
        for i, kind in enumerate(KINDS if each > 0 else ()):
            fault = {"vendor": "*", "kind": kind, "rate": each, "seed": args.seed * 10 + i}
            if kind == "rate_limit":
                fault["retry_after_s"] = 1
            sandbox.fault(**fault)
        server = place.server(sandbox,
                              environment={"CAMPAIGND_TEST_CLOCK_OFFSET": str(clock.path)})

        choice = random.Random(f"{args.seed}/troubles")
        trouble = troubles.Troubles(kinds, choice, server, disk, clock)
        begin = time.monotonic()
        load = Load(args, server, sandbox)
        try:
            next_trouble = begin + args.every * choice.uniform(0.5, 1.5)
            next_word = begin + 10
            while load.running():
                now = time.monotonic()
                trouble.alive()
                more = sum(trouble.count.values()) < args.troubles_max
                if args.every > 0 and kinds and more and now >= next_trouble:
                    trouble.next()
                    next_trouble = time.monotonic() + args.every * choice.uniform(0.5, 1.5)
                if now >= next_word:
                    ended = sum(plan.status is not None for plan in load.plans)
                    print(f"  {now - begin:5.0f} s: {ended} of {len(load.plans)} ended; "
                          f"{counted(trouble)}", flush=True)
                    next_word = now + 10
                time.sleep(0.05)
        finally:
            load.pool.shutdown(wait=False, cancel_futures=True)
        seconds = time.monotonic() - begin
        plans = load.plans

        problems = check(plans, sandbox, server)
        happened = [kind for kind in kinds if trouble.count[kind] > 0]
        problems += check_refusals(server, happened)
        missing = trouble.missing()
        if args.every > 0 and missing and sum(trouble.count.values()) < args.troubles_max:
            problems.append(f"{', '.join(missing)} never happened in {seconds:.0f} s "
                            f"({counted(trouble)}): ask for more campaigns, or a smaller --every")
        faults = sandbox.client.ok("GET", "/__sandbox/faults")["faults"]
        if args.red and not problems:
            sandbox.clear_faults()
            expected = spoil(plans, sandbox)
            found = check(plans, sandbox, server)
            problems = [f"red run: not noticed: {text}" for text in expected
                        if not any(text in problem for problem in found)]
        code, stop_seconds = server.stop()
        if code != 0:
            problems.append(f"the server ended with code {code} after SIGTERM")
        summarise(plans, seconds, trouble, sandbox, faults, stop_seconds)
        if problems:
            raise Failed(f"{len(problems)} problem(s), seed {args.seed}:\n  " +
                         "\n  ".join(problems[:40]))
        print(f"chaos: fine. Every campaign ended, nothing exists twice, nothing was left behind. "
              f"(seed {args.seed})")
        return 0


def counted(trouble):
    return ", ".join(f"{count} {kind}" for kind, count in trouble.count.items()) or "no trouble"


def summarise(plans, seconds, trouble, sandbox, faults, stop_seconds):
    counts = collections.Counter((plan.verb, plan.status) for plan in plans)
    for (verb, status), count in sorted(counts.items()):
        print(f"  {verb:8} -> {status:10} {count:5}")
    for plan in plans:
        if plan.verb == "approve" and plan.status != "COMPLETED":
            print(f"  approved but {plan.status}: {plan.workflow_id}: {plan.reason[:200]}")
    skipped = sum(plan.skipped for plan in plans)
    if skipped:
        print(f"  {skipped} compensations were skipped by an operator, after a step of the clock")
    approved = [plan for plan in plans if plan.verb == "approve"]
    completed = sum(plan.status == "COMPLETED" for plan in approved)
    if approved:
        print(f"  success under faults: {completed} of {len(approved)} approved "
              f"({100 * completed / len(approved):.1f} %)")
    struck = ", ".join(f"{f['kind']} {f['applied']}" for f in faults)
    total = sandbox.client.ok("GET", "/__sandbox/healthz")["calls"]
    print(f"  {total} vendor calls; faults: {struck or 'none'}")
    slowest = max(plan.seconds for plan in plans)
    print(f"  {seconds:.1f} s in all, slowest campaign {slowest:.1f} s; "
          f"SIGTERM took {stop_seconds:.2f} s")
    for kind, count in trouble.count.items():
        print(f"  {kind:8} {count:4} times, worked again within {trouble.slowest[kind]:.2f} s")


if __name__ == "__main__":
    harness.main(run)
