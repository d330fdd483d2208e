#!/usr/bin/env python3
"""Histories of a real server, exported by campaignctl and replayed by it: what happened fits the
code, the same run gives the same file, and a history of other code is named as such.

    tests/e2e/history_test.py
"""

import json

import harness
from harness import expect

MISMATCH, USAGE, NOT_FOUND = 6, 2, 3


def started(server, name, **more):
    body = {"campaign": harness.campaign(name, **more), "request_id": name}
    return server.rest("POST", "/v1/campaigns", body)["workflow_id"]


def decide(server, workflow_id, verb):
    server.await_review(workflow_id)
    server.rest("POST", f"/v1/workflows/{workflow_id}/signals/{verb}",
                {"decided_by": "test", "comment": verb})


def edited(path, change):
    """A copy of an exported history whose events went through `change`."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for event in lines[1:]:
        change(event)
    copy = path.with_suffix(".edited.jsonl")
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return copy


def run():
    with harness.Workplace("history") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        approved, rejected, waiting = (started(server, name) for name in
                                       ("approved", "rejected", "waiting"))
        decide(server, approved, "approve")
        decide(server, rejected, "reject")
        server.wait_ended(approved)
        server.wait_ended(rejected)
        server.await_review(waiting)

        files = []
        for workflow_id in (approved, rejected, waiting):
            path = place.directory / f"{workflow_id}.jsonl"
            out, _ = server.ctl("history", "export", workflow_id, "-o", path)
            expect("exported" in out and str(path) in out, f"export says {out!r}")
            header = json.loads(path.read_text().splitlines()[0])
            expect(header["format"] == "campaignd.history" and header["version"] == 1 and
                   header["workflow_type"] == "campaign" and
                   header["workflow_id"] == workflow_id and
                   int(header["event_count"]) == len(path.read_text().splitlines()) - 1,
                   f"header: {header}")
            again, _ = server.ctl("history", "export", workflow_id, "--run-id", header["run_id"])
            expect(again == path.read_text(), "a second export differs")
            files.append(path)

        out, _ = server.ctl("replay", *files)
        expect(out.count("OK  ") == 3, f"replay says {out!r}")
        out, _ = server.ctl("replay", "--output", "json", files[0])
        expect(json.loads(out)["ok"] is True, f"replay --output json says {out!r}")

        # What the server would have written with a workflow that names its first step otherwise.
        def rename(event):
            scheduled = event.get("activity_task_scheduled", {})
            if scheduled.get("activity_id") == "1":
                scheduled["activity_type"] = "look_around"
        changed = edited(files[0], rename)
        _, err = server.ctl("replay", files[1], changed, code=MISMATCH)
        expect("MISMATCH" in err and "type=look_around, found ActivityTaskScheduled id=1" in err
               and "campaign_workflow.cc:" in err, f"a changed history: {err!r}")

        def retype(event):
            if "workflow_execution_started" in event:
                event["workflow_execution_started"]["workflow_type"] = "newsletter"
        _, err = server.ctl("replay", edited(files[0], retype), code=NOT_FOUND)
        expect("newsletter" in err, f"an unknown type: {err!r}")
        server.ctl("replay", edited(files[0], retype), "--type", "campaign")

        cut = place.directory / "cut.jsonl"
        cut.write_text("".join(files[0].read_text().splitlines(True)[:-1]))
        _, err = server.ctl("replay", cut, code=USAGE)
        expect("not whole" in err, f"a cut file: {err!r}")
        server.ctl("replay", place.directory / "none.jsonl", code=USAGE)
        server.ctl("history", "export", "no-such-workflow", code=NOT_FOUND)
        out, _ = server.ctl("history", approved)
        expect("WorkflowExecutionStarted" in out, f"history says {out!r}")
        _, err = server.ctl("history", code=USAGE)
        expect("WORKFLOW_ID" in err, f"history without an id: {err!r}")

        # What retention takes away is in the archive, whole.
        kept = {path: path.read_text() for path in files[:2]}
        settings = place.directory / "retention.yaml"
        settings.write_text("engine:\n  retention: 1ms\n  retention_interval: 1s\n")
        server.stop()
        server.arguments += ["--config", settings]
        server.start()
        archive = place.directory / "data" / "archive"
        harness.wait_until(lambda: server.list(workflow_type="campaign") and
                           len(server.list(workflow_type="campaign")) == 1, 60,
                           "the two closed runs to be archived")
        out, _ = server.ctl("archive", "list", archive)
        expect(approved in out and rejected in out and waiting not in out, f"archive list: {out!r}")
        out, _ = server.ctl("archive", "list", archive, "--status", "COMPLETED", "--output", "json")
        expect([json.loads(line)["workflow_id"] for line in out.splitlines()] == [approved],
               f"archive list --status COMPLETED: {out!r}")
        for path, text in kept.items():
            again = path.with_suffix(".archived.jsonl")
            server.ctl("archive", "export", archive, path.stem, "-o", again)
            expect(again.read_text() == text, f"{path.stem} is not in the archive as it was")
            server.ctl("replay", again)
        server.ctl("archive", "export", archive, waiting, code=NOT_FOUND)
        _, err = server.ctl("archive", "list", place.directory / "nowhere", code=USAGE)
        expect("engine.archive_dir" in err, f"archive list of nothing: {err!r}")
        print("history: exported, replayed, and a change was found")
        return 0


if __name__ == "__main__":
    harness.main(run)
