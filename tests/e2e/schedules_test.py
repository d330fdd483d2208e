#!/usr/bin/env python3
"""Schedules and batches under SIGKILL: every time has one start, every run is touched once.

A paused schedule is backfilled with many times, and the server is killed while it starts them;
then a batch terminates all of them, and the server is killed again. The runs are of a type that
the server does not know: they are STUCK, which costs nothing and ends nothing.

    tests/e2e/schedules_test.py [--times N]
"""

import argparse
import datetime
import urllib.parse

import harness
from harness import Failed, wait_until

FIRST = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
TYPE = "nightly"


def check(what, condition, detail):
    if not condition:
        raise Failed(f"{what}: {detail}")
    print(f"ok: {what}")


def count(server, text):
    path = "/v1/workflow-counts?" + urllib.parse.urlencode({"filter": text})
    _, answer = server.client.persistent("GET", path)
    return int(answer.get("count", 0))


def kill(server):
    server.kill()
    server.start()


def schedule_runs(server, times):
    last = FIRST + datetime.timedelta(minutes=5 * (times - 1))
    server.rest("POST", "/v1/schedules", {
        "schedule_id": "killed", "paused": True, "request_id": "create",
        "schedule": {"spec": {"crons": ["*/5 * * * *"]}, "action": {"workflow_type": TYPE}}})
    backfill = {"request_id": "fill", "backfills": [
        {"start_time": FIRST.strftime("%Y-%m-%dT%H:%M:%SZ"),
         "end_time": last.strftime("%Y-%m-%dT%H:%M:%SZ"), "overlap": "ALLOW"}]}
    server.rest("POST", "/v1/schedules/killed/backfill", backfill)
    for share in (0.1, 0.4, 0.7):
        wait_until(lambda: count(server, f"workflow_type = {TYPE}") >= share * times, 60, "starts",
                   0.005)
        kill(server)
    # A caller that got no answer asks again: nothing more is started.
    server.rest("POST", "/v1/schedules/killed/backfill", backfill)

    def done():
        _, info = server.client.persistent("GET", "/v1/schedules/killed")
        return info if not info.get("backfills") and not info.get("waiting") else None
    info = wait_until(done, 120, "the backfill")
    runs = server.list(workflow_type=TYPE)
    expected = {(FIRST + datetime.timedelta(minutes=5 * i)).strftime("killed-%Y-%m-%dT%H:%M:%SZ")
                for i in range(times)}
    check("each time has one start", len(runs) == times and
          {run["workflow_id"] for run in runs} == expected, f"{len(runs)} runs of {times}")
    counts = info["counts"]
    check("the schedule counts them",
          int(counts["started"]) + int(counts["already_started"]) == times, counts)


def batch_runs(server, times):
    batch = {"batch_id": "all", "batch": {
        "verb": "TERMINATE", "filter": f"workflow_type = {TYPE}", "reason": "end of the test",
        "runs_per_second": 200}}
    dry = server.rest("POST", "/v1/batches", {**batch, "dry_run": True})
    check("a dry run counts and shows some",
          int(dry["progress"]["total"]) == times and len(dry["samples"]) == 10, dry)
    check("and touches nothing", count(server, "status = TERMINATED") == 0, "")
    server.rest("POST", "/v1/batches", batch)
    for share in (0.2, 0.6):
        wait_until(lambda: count(server, "status = TERMINATED") >= share * times, 60, "the batch",
                   0.01)
        kill(server)
    server.rest("POST", "/v1/batches", batch)  # asked again: the same batch

    def done():
        _, info = server.client.persistent("GET", "/v1/batches/all")
        return info if info["status"] != "RUNNING" else None
    info = wait_until(done, 120, "the end of the batch")
    progress = {name: int(value) for name, value in info["progress"].items()
                if name != "first_failures"}
    check("the batch has ended well", info["status"] == "COMPLETED" and
          progress["failed"] == 0, info)
    check("and dealt with each run once", progress["total"] == times and
          progress["done"] + progress["already"] == times, progress)
    check("all are terminated", count(server, f"workflow_type = {TYPE} AND status = TERMINATED")
          == times, "")


SPEC = """campaign_name: Weekly news
campaign_goals: [sign up]
channels: [email]
research_sources: [memory]
target_audience: runners
tone: casual
reviewers: [U0REVIEWER1]
metrics: [clicks]
"""


def command_line(server, directory):
    """Every command of campaignctl schedule and batch, once."""
    def ctl(*words, code=0):
        return "".join(server.ctl(*words, code=code))

    spec = directory / "news.yaml"
    spec.write_text(SPEC)
    made = ctl("schedule", "create", "news", "--cron", "30 9 * * MON", "--time-zone",
               "Europe/Berlin", "--campaign", str(spec), "--overlap", "buffer-one", "--jitter",
               "5m", "--paused", "--note", "not yet")
    check("ctl: create", "BUFFER_ONE" in made and "paused" in made and "campaign" in made, made)
    wrong = ctl("schedule", "create", "x", "--cron", "61 * * * *", "--type", TYPE, code=2)
    check("ctl: a wrong cron", "schedule.spec.crons[0]" in wrong and "61" in wrong, wrong)
    spec.write_text(SPEC.replace("casual", "angry"))
    wrong = ctl("schedule", "create", "x", "--cron", "@daily", "--campaign", str(spec), code=2)
    check("ctl: a wrong campaign", "tone" in wrong, wrong)
    ctl("schedule", "create", "report", "--every", "10h+15m", "--type", TYPE, "--input",
        '{"region": "eu"}')
    shown = ctl("schedule", "list")
    check("ctl: list", "news" in shown and "report" in shown and "every" in shown, shown)
    check("ctl: pause", "paused" in ctl("schedule", "pause", "report", "--note", "holidays"), "")
    check("ctl: resume", "active" in ctl("schedule", "resume", "report"), "")
    check("ctl: update", "@weekly" in ctl("schedule", "update", "report", "--cron", "@weekly"), "")
    check("ctl: trigger", "report-20" in ctl("schedule", "trigger", "report"), "")
    ctl("schedule", "backfill", "report", "--from", "2026-01-01", "--to", "2026-01-31",
        "--overlap", "allow")
    filled = 'ScheduleId = "report"'
    wait_until(lambda: count(server, filled) == 5, 60, "the trigger and four weeks")
    shown = ctl("schedule", "show", "report", "--next", "2")
    check("ctl: show", "BACKFILL" in shown and "TRIGGER" in shown and "STUCK" in shown, shown)
    dry = ctl("batch", "start", "terminate", "--filter", filled, "--dry-run")
    check("ctl: dry run", "dry run" in dry and dry.count("report-2026-01") == 4, dry)
    done = ctl("batch", "start", "terminate", "--filter", filled, "--reason", "test", "--batch-id",
               "ctl", "--watch")
    check("ctl: watch", "COMPLETED" in done and "100%" in done, done)
    check("ctl: batch list", "ctl" in ctl("batch", "list"), "")
    check("ctl: batch show", "TERMINATE" in ctl("batch", "show", "ctl"), "")
    check("ctl: stop what has ended", "has ended" in ctl("batch", "stop", "ctl", code=4), "")
    ctl("schedule", "delete", "report")
    ctl("schedule", "show", "report", code=3)
    ctl("schedule", "delete", "news")


def run():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=300)
    arguments = parser.parse_args()
    with harness.Workplace("schedules") as place:
        server = place.server()
        schedule_runs(server, arguments.times)
        batch_runs(server, arguments.times)
        command_line(server, place.directory)
        hidden = [run["workflow_id"] for run in server.list() if
                  run["workflow_type"].startswith("system.")]
        check("lists do not show the system's own runs", not hidden, hidden)
        shown = server.list(workflow_type="system.schedule")
        check("unless they are asked for",
              "schedule:killed" in {run["workflow_id"] for run in shown}, shown)
    return 0


if __name__ == "__main__":
    harness.main(run)
