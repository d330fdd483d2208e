#!/usr/bin/env python3
"""A vendor's limit that campaigns fill, in production mode (--dev has no limits): every campaign
gets through, in turn. Their activities make several calls each, and one that has to wait in the
engine begins again: if they took each other's turns, none would end and the calls would multiply.

    tests/e2e/limits_test.py
    tests/e2e/limits_test.py --campaigns 200 --github "6000/1m, writes:300/1m"
"""

import argparse
import collections
import time

import harness
import production
from harness import Failed

WRITES = ("git.createTree", "git.createCommit", "git.createRef", "pulls.create")


def production_server(place, sandbox, github):
    """With limits for GitHub alone."""
    config = place.directory / "campaignd.yaml"
    config.write_text(production.settings(sandbox.url, {
        "vendors": {**production.UNLIMITED, "github": {"limits": github}}}))
    server = harness.Server(place.directory, sandbox, ["--config", config], production.TOKENS,
                            dev=False)
    place.programs.append(server)
    return server.start()


def start(server, number):
    body = harness.campaign(f"Limits {number}", seed="limits")
    return server.rest("POST", "/v1/campaigns",
                       {"campaign": body, "request_id": f"limits-{number}"})["workflow_id"]


def github_calls(server, operation):
    return server.metric("outbound_requests_total", vendor="github", operation=operation)


def run():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=60)
    parser.add_argument("--github", default="6000/1m, writes:600/1m", help="GitHub's limits")
    parser.add_argument("--seconds", type=float, default=900, help="at most, for all campaigns")
    args = parser.parse_args()
    with harness.Workplace("limits") as place:
        sandbox = place.sandbox()
        server = production_server(place, sandbox, args.github)
        begin = time.monotonic()
        ids = [start(server, number) for number in range(args.campaigns)]
        for workflow_id in ids:
            server.await_review(workflow_id, args.seconds)
        seconds = time.monotonic() - begin
        writes = {operation: github_calls(server, operation) for operation in WRITES}
        postponed = server.metric("outbound_postponed_total", vendor="github")
        print(f"limits: {args.campaigns} campaigns at {args.github}: {seconds:.1f} s, "
              f"{sum(writes.values()):.0f} writes; {postponed:.0f} times an activity was sent away")
        if postponed == 0:
            raise Failed("the limit was not filled: nothing was tested")
        if max(writes.values()) > 1.05 * args.campaigns:
            raise Failed(f"activities that had begun had to begin again: {writes}")
        report = sandbox.resources()
        if report["duplicates"]:
            raise Failed(f"exists twice: {report['duplicates']}")
        pulls = collections.Counter(r["workflow_id"] for r in report["resources"]
                                    if r["vendor"] == "github" and r["kind"] == "pull" and r["alive"])
        if any(pulls[workflow_id] != 1 for workflow_id in ids):
            raise Failed(f"not one pull request each: {pulls}")
        server.kill()
        return 0


if __name__ == "__main__":
    harness.main(run)
