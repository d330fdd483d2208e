#!/usr/bin/env python3
"""make demo: the product in three campaigns, with real programs, real HTTP and a real browser.

1. A campaign from a YAML file goes through all six phases, waits for an approval, is published.
2. A campaign fails in distribution and is undone without a trace.
3. The server is killed with SIGKILL in the middle of a campaign and finishes it after a restart.

Everything lives in a temporary directory and on free ports. The exit code says whether all was as
told.
"""

import json
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
sys.dont_write_bytecode = True

import harness  # noqa: E402
from harness import Failed, wait_until  # noqa: E402

COLOUR = sys.stdout.isatty()
PHASES = ("research", "content", "design", "review", "distribution", "analytics")


def title(text):
    line = "=" * len(text)
    print(f"\n\033[1m{text}\033[0m\n" if COLOUR else f"\n{text}\n{line}\n", flush=True)


def say(text=""):
    print(text, flush=True)


class Demo:
    def __init__(self, place, sandbox, server):
        self.place = place
        self.sandbox = sandbox
        self.server = server
        self.seen = {}  # states of phases that were printed, by campaign and phase
        self.file = place.directory / "campaign.yaml"
        sample = (ROOT / "deploy" / "demo" / "campaign.yaml").read_text()
        self.file.write_text(sample.replace("http://127.0.0.1:9100", sandbox.url))

    def ctl(self, *arguments, quiet=False):
        """Runs campaignctl as a user would, shows it, and returns its output."""
        shown = " ".join(str(a).replace(str(self.place.directory), "DIR") for a in arguments)
        say(f"$ campaignctl {shown}")
        done = subprocess.run(
            [str(harness.BIN / "campaignctl"), "--address", self.server.grpc, *map(str, arguments)],
            capture_output=True, text=True, timeout=180, check=False)
        text = done.stdout + done.stderr
        if not quiet or done.returncode != 0:
            for line in text.rstrip().splitlines():
                say(f"  {line}")
        if done.returncode != 0:
            raise Failed(f"campaignctl {shown}: code {done.returncode}")
        return done.stdout

    def start(self):
        started = json.loads(self.ctl("start", "-f", self.file, "--output", "json", quiet=True))
        say(f"  started {started['workflow_id']}")
        return started["workflow_id"]

    def follow(self, workflow_id, until, what):
        """Prints each change of the phases until `until(progress)`."""
        begin = time.monotonic()

        def look():
            _, progress = self.server.client.persistent(
                "GET", f"/v1/workflows/{workflow_id}/progress")
            for phase in progress.get("phases", []):
                state = phase.get("state", "pending")
                if self.seen.get((workflow_id, phase["phase"]), "pending") != state:
                    self.seen[workflow_id, phase["phase"]] = state
                    say(f"  {time.monotonic() - begin:5.1f} s  {progress['progress_percentage']:3d} %"
                        f"  {phase['phase']:12} {state}")
            return progress if until(progress) else None

        return wait_until(look, 240, what)

    def to_review(self, workflow_id):
        return self.follow(
            workflow_id,
            lambda p: p.get("waiting_for_approval") or p["status"] in harness.ENDED,
            "the campaign to wait for approval")

    def to_end(self, workflow_id):
        return self.follow(workflow_id, lambda p: p["status"] in harness.ENDED,
                           "the campaign to end")

    def expect(self, condition, what):
        if not condition:
            raise Failed(what)
        say(f"  ok: {what}")

    def made(self, workflow_id):
        """Prints what the vendors hold of the campaign now; returns it."""
        alive = sorted(self.sandbox.existing(workflow_id), key=lambda r: (r["vendor"], r["kind"]))
        for resource in alive:
            say(f"  {resource['vendor']:9} {resource['kind']:14} {resource['state']:10} "
                f"{resource['id']}")
        return alive


def published(demo):
    title("1. A campaign from end to end")
    workflow_id = demo.start()
    progress = demo.to_review(workflow_id)
    demo.expect(progress.get("waiting_for_approval"), "it waits for a human")
    say(f"  pull request: {progress['github_pr_url']}")
    messages = [r for r in demo.sandbox.existing(workflow_id) if r["vendor"] == "slack"]
    demo.expect(messages, f"the reviewers have a Slack message ({len(messages)})")
    pages = [c for c in demo.sandbox.client.ok("GET", "/__sandbox/calls?vendor=site")["calls"]]
    demo.expect(pages, f"the competitor's page was rendered by a browser ({len(pages)} requests)")
    say("\nThe texts, and then the decision:\n")
    demo.ctl("progress", workflow_id)
    say()
    demo.ctl("approve", workflow_id, "--comment", "Go.")
    say()
    progress = demo.to_end(workflow_id)
    demo.expect(progress["status"] == "COMPLETED" and progress["progress_percentage"] == 100,
                "it is published")
    done = {p["phase"] for p in progress["phases"] if p["state"] == "completed"}
    demo.expect(done == set(PHASES), "all six phases completed")
    say("\nWhat the vendors hold now:\n")
    vendors = {resource["vendor"] for resource in demo.made(workflow_id)}
    say()
    for vendor in ("sendgrid", "buffer", "github", "grafana"):
        demo.expect(vendor in vendors, f"{vendor} has its part")
    say()
    demo.ctl("result", workflow_id)


def undone(demo):
    title("2. A campaign that fails in distribution, and is undone")
    workflow_id = demo.start()
    demo.to_review(workflow_id)
    before = demo.sandbox.existing(workflow_id)
    say(f"\nThe vendors hold {len(before)} things of it:\n")
    demo.made(workflow_id)
    fault = demo.sandbox.fault(vendor="buffer", operation="createPost", kind="error", status=403,
                               workflow_id=workflow_id)
    say("\nFrom now on Buffer refuses this campaign's posts (a fault of the sandbox); mail and "
        "page still\nget through.\n")
    demo.ctl("approve", workflow_id, "--comment", "Go.")
    say()
    progress = demo.to_end(workflow_id)
    demo.expect(progress["status"] == "FAILED", "it failed")
    demo.sandbox.client.ok("DELETE", f"/__sandbox/faults/{fault['id']}")
    say()
    demo.ctl("saga", "show", workflow_id)
    say()
    everything = demo.sandbox.resources(workflow_id=workflow_id)["resources"]
    say(f"The vendors made {len(everything)} things for it. Of those exist now:\n")
    left = demo.made(workflow_id)
    demo.expect(not left, "none")
    sent = [r for r in everything if r["vendor"] == "sendgrid" and r["kind"] == "mail"]
    demo.expect(sent and all(r["state"] == "cancelled" for r in sent),
                "its mail was scheduled, and canceled within the undo window")


def killed(demo):
    title("3. SIGKILL in the middle")
    workflow_id = demo.start()
    demo.follow(workflow_id, lambda p: p.get("current_phase") in ("content", "design", "review"),
                "the campaign to be under way")
    kill(demo)
    progress = demo.to_review(workflow_id)
    demo.expect(progress.get("waiting_for_approval"), "it went on and waits for a human")
    say()
    demo.ctl("approve", workflow_id, "--comment", "Go.")
    demo.follow(workflow_id, lambda p: p.get("current_phase") == "distribution" or
                p["status"] in harness.ENDED, "the campaign to be in distribution")
    kill(demo)
    progress = demo.to_end(workflow_id)
    demo.expect(progress["status"] == "COMPLETED", "it is published")
    say()
    demo.made(workflow_id)
    duplicates = demo.sandbox.resources(workflow_id=workflow_id)["duplicates"]
    demo.expect(not duplicates, "nothing exists twice")


def kill(demo):
    pid = demo.server.pid
    demo.server.kill()
    say(f"\n  kill -9 {pid}: campaignd is gone")
    begin = time.monotonic()
    demo.server.start()
    say(f"  campaignd is back after {time.monotonic() - begin:.2f} s (process {demo.server.pid})\n")


def run():
    with harness.Workplace("demo") as place:
        sandbox = place.sandbox()
        sandbox.fault(vendor="*", kind="latency", latency_ms=150)  # as if they were far away
        server = place.server(sandbox)
        say(f"vendor-sandbox  {sandbox.url}   stands in for every vendor, over real HTTP")
        say(f"campaignd       REST {server.url}   gRPC {server.grpc}   (--dev, data in "
            f"{place.directory})")
        demo = Demo(place, sandbox, server)
        published(demo)
        undone(demo)
        killed(demo)
        code, seconds = server.stop()
        title("All as told")
        demo.expect(code == 0, f"campaignd ended with code 0, {seconds:.1f} s after SIGTERM")
        return 0


if __name__ == "__main__":
    harness.main(run)
