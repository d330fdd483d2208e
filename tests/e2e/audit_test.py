#!/usr/bin/env python3
"""The audit trail through crashes, and what is done to its files.

Starts, cancels and refusals come in from several threads while campaignd is killed (SIGKILL) again
and again. Afterwards: the trail verifies, every call that was answered is in it (its STARTED event
before its effect, whatever the outcome), every call without an outcome is closed as UNKNOWN, and
nothing happened that has no entry. Then the files are tampered with, and `campaignctl audit verify`
must name the event.

    tests/e2e/audit_test.py [--kills N] [--red]

--red runs with audit.enabled off in between, so that answered calls are missing: the check must fail.
"""

import argparse
import json
import pathlib
import random
import shutil
import sqlite3
import threading
import time

import harness


def ctl(server, *arguments, expect=0):
    """campaignctl's output as JSON."""
    out, _ = server.ctl("--output", "json", *arguments, code=expect)
    return json.loads(out)


class Callers:
    """Threads that start and cancel, and remember what was answered."""

    def __init__(self, server, count):
        self.server = server
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.answered = []  # (action, workflow id)
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        client = harness.Client(self.server.url)
        for i in range(10**6):
            if self.stop.is_set():
                return
            workflow = f"audit-{number}-{i}"
            for action, path, body in (
                    ("StartWorkflow", "/v1/workflows",
                     {"workflow_id": workflow, "workflow_type": "campaign", "request_id": workflow}),
                    ("PauseWorkflow", f"/v1/workflows/{workflow}/pause", {"reason": "test"}),
                    ("TerminateWorkflow", f"/v1/workflows/{workflow}/terminate", {"reason": "test"})):
                try:
                    status, _ = client.call("POST", path, body, timeout=20)
                except (OSError, harness.http.client.HTTPException):
                    time.sleep(0.02)
                    continue
                if status in (200, 404, 409):
                    with self.lock:
                        self.answered.append((action, workflow))

    def await_more(self, count):
        """Until so many more calls were answered: the load is on, however slow the machine is."""
        enough = len(self.answered) + count
        harness.wait_until(lambda: len(self.answered) >= enough, 60, f"{enough} answers", 0.01)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        return self.answered


def check_trail(server, answered, events):
    by_sequence = {event["sequence"]: event for event in events}
    started = {(e["action"], e["subject"]) for e in events if e["outcome"] == "STARTED"}
    missing = [c for c in answered if (c[0], f"workflow/{c[1]}") not in started]
    if missing:
        raise harness.Failed(f"{len(missing)} of {len(answered)} answered calls have no entry: {missing[:3]}")
    ended = {}
    for event in events:
        if event["started_by"]:
            if event["started_by"] in ended:
                raise harness.Failed(f"two outcomes of {event['started_by']}: {event}")
            ended[event["started_by"]] = event
            if by_sequence[event["started_by"]]["outcome"] != "STARTED":
                raise harness.Failed(f"an outcome of what is no call: {event}")
    open_calls = [e for e in events if e["outcome"] == "STARTED" and e["sequence"] not in ended
                  and e["action"] != "ExportAuditEvents"]  # it has not ended yet
    if open_calls:
        raise harness.Failed(f"{len(open_calls)} calls have no outcome: {open_calls[0]}")
    # What exists has an entry.
    for workflow in server.list():
        name = workflow["workflow_id"]
        if name.startswith("audit-") and ("StartWorkflow", f"workflow/{name}") not in started:
            raise harness.Failed(f"{name} exists and nobody started it")
    return sum(1 for e in ended.values() if e["outcome"] == "UNKNOWN")


def campaign_trail(server):
    """One campaign from its start to its end, as the trail tells it."""
    started = server.rest("POST", "/v1/campaigns",
                          {"campaign": harness.campaign("Audit"), "request_id": "audit"})
    workflow = started["workflow_id"]
    server.await_review(workflow)
    server.rest("POST", f"/v1/workflows/{workflow}/signals/approve",
                {"decided_by": "ann", "comment": "fine"})
    server.wait_ended(workflow)
    events = ctl(server, "audit", "list", "--subject", f"workflow/{workflow}", "--limit", 1000,
                 "--oldest-first")["events"]
    told = [(e["action"], e["outcome"]) for e in events]
    for wanted in (("CreateCampaign", "OK"), ("ApproveCampaign", "STARTED"), ("ApproveCampaign", "OK"),
                   ("outbound.call", "OK")):
        if wanted not in told:
            raise harness.Failed(f"the trail of {workflow} has no {wanted}: {told}")
    vendors = {e["detail"].split()[0] for e in events if e["action"] == "outbound.call"}
    if not {"slack", "github", "sendgrid"} <= vendors:
        raise harness.Failed(f"calls to vendors: {vendors}")


def changed_setting(server, place):
    """A setting that is another at the next start, and one that is not."""
    config = place.directory / "changed.yaml"
    config.write_text("server:\n  log_level: warning\n")
    for arguments, count in (([], 0), (["--config", config], 1), (["--config", config], 1)):
        server.arguments = arguments
        server.start()
        events = ctl(server, "audit", "list", "--subject", "setting/server.log_level")["events"]
        if len(events) != count:
            raise harness.Failed(f"{arguments}: {events}")
        server.stop()
    if events[0]["detail"] != '"info" -> "warning"':
        raise harness.Failed(f"{events[0]}")


def tamper(server, place):
    """Each way of tampering on a copy of the files of a server that has stopped."""
    data = pathlib.Path(server.directory) / "data"
    free = "DROP TRIGGER events_stay; DROP TRIGGER events_last; DROP TRIGGER events_follow;"
    ways = {
        "changed": ("UPDATE events SET actor = 'mallory' WHERE sequence = 5", 5),
        "missing": ("DELETE FROM events WHERE sequence = 6", 6),
        "reordered": ("UPDATE events SET sequence = -1 WHERE sequence = 7;"
                      "UPDATE events SET sequence = 7 WHERE sequence = 8;"
                      "UPDATE events SET sequence = 8 WHERE sequence = -1", 7),
        "cut off": ("DELETE FROM events WHERE sequence > 9", 10),
    }
    for name, (sql, bad) in ways.items():
        copy = place.directory / f"tampered-{name.replace(' ', '-')}"
        copy.mkdir()
        for file in data.glob("audit.*"):
            shutil.copy(file, copy)
        with sqlite3.connect(copy / "audit.db") as db:
            db.executescript(free + sql)
        verdict = ctl(server, "audit", "verify", "--file", copy / "audit.db", expect=6)
        if verdict["intact"] or verdict["first_bad_sequence"] != bad:
            raise harness.Failed(f"{name}: {verdict}")
    with sqlite3.connect(f"file:{data / 'audit.db'}", uri=True) as db:
        for sql in ("UPDATE events SET actor = 'x'", "DELETE FROM events"):
            try:
                db.execute(sql)
            except sqlite3.IntegrityError as error:
                if "the audit trail only grows" not in str(error):
                    raise
                continue
            raise harness.Failed(f"the file took {sql}")


def tamper_lines(server, lines, place):
    path = place.directory / "audit.jsonl"

    def verdict(changed, expect):
        path.write_text("\n".join(changed) + "\n")
        return ctl(server, "audit", "verify", "--file", path, expect=expect)

    if not verdict(lines, 0)["intact"]:
        raise harness.Failed("a whole export does not verify")
    changed = list(lines)
    changed[4] = changed[4].replace('"subject":"', '"subject":"x', 1)
    for name, text, bad in (("changed", changed, 5), ("missing", lines[:5] + lines[6:], 6),
                            ("reordered", lines[:6] + [lines[7], lines[6]] + lines[8:], 7),
                            ("inserted", lines[:6] + [lines[3]] + lines[6:], 7)):
        if verdict(text, 6)["first_bad_sequence"] != bad:
            raise harness.Failed(f"{name} line: {verdict(text, 6)}")
    # The end of an export that was cut shows by a head from elsewhere.
    last = json.loads(lines[-1])
    path.write_text("\n".join(lines[:-2]) + "\n")
    head = f"{last['sequence']}:{last['hash']}"
    found = ctl(server, "audit", "verify", "--file", path, "--expected-head", head, expect=6)
    if found["first_bad_sequence"] != last["sequence"] - 1:
        raise harness.Failed(f"cut export: {found}")


def run():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--red", action="store_true")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    with harness.Workplace() as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        campaign_trail(server)
        head = ctl(server, "audit", "verify")["head"]
        red = place.directory / "red.yaml"
        red.write_text("audit:\n  enabled: false\n")
        callers = Callers(server, 4)
        for kill in range(options.kills):
            callers.await_more(dice.randint(20, 80))
            server.kill()
            # A server that answers without an entry.
            server.arguments = ["--config", red] if options.red and kill == 1 else []
            server.start()
        callers.await_more(40)
        server.kill()  # in the middle of calls
        server.start()
        answered = callers.end()
        expected = f"{head['sequence']}:{head['hash']}"
        verdict = ctl(server, "audit", "verify", "--expected-head", expected)
        if not verdict["intact"]:
            raise harness.Failed(f"{verdict}")
        client = harness.Client(server.url)
        status, headers, body = client.raw("GET", "/v1/audit/export")
        if status != 200 or not headers["content-type"].startswith("application/x-ndjson"):
            raise harness.Failed(f"export: {status} {headers}")
        lines = body.decode().splitlines()
        events = [json.loads(line) for line in lines]
        unknown = check_trail(server, answered, events)
        if not unknown:
            raise harness.Failed("no call was cut off by a kill: nothing was closed as UNKNOWN")
        starts = sum(1 for e in events if e["action"] == "server.start")
        if starts < options.kills + 2 - (1 if options.red else 0):
            raise harness.Failed(f"{starts} starts of the server in the trail")
        tamper_lines(server, lines, place)
        server.stop()
        tamper(server, place)
        changed_setting(server, place)
        print(f"{len(answered)} answered calls, {len(events)} events, {unknown} unknown outcomes, "
              f"{starts} starts: whole")
    return 0


if __name__ == "__main__":
    harness.main(run)
