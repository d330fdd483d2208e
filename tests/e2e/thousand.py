#!/usr/bin/env python3
"""1,000 campaigns at once on one server with simulated vendors: started within a minute, all wait
for approval at the same time, are approved, and complete. Prints rates, times and memory.

    tests/e2e/thousand.py [--campaigns 1000] [--at-once 16]
"""

import argparse
import collections
import concurrent.futures
import json
import time

import harness
from harness import ENDED, Failed, wait_until


def run():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--campaigns", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=16, help="client threads")
    parser.add_argument("--start-seconds", type=float, default=60, help="limit for all starts")
    parser.add_argument("--seconds", type=float, default=1200, help="limit for each phase")
    args = parser.parse_args()

    with harness.Workplace("thousand") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox, ["--log-level", "warning"])
        idle = server.resident_mib()
        count = args.campaigns
        print(f"thousand: {count} campaigns; the idle server takes {idle:.0f} MiB", flush=True)

        def start(number):
            return server.rest("POST", "/v1/campaigns",
                               {"campaign": harness.campaign(f"Thousand {number}"),
                                "request_id": f"thousand-{number}"})["workflow_id"]

        with concurrent.futures.ThreadPoolExecutor(args.at_once) as pool:
            begin = time.monotonic()
            ids = list(pool.map(start, range(count)))
            started = time.monotonic() - begin
        if len(set(ids)) != count:
            raise Failed(f"{count} starts gave {len(set(ids))} campaigns")
        print(f"  started in {started:.1f} s ({count / started:.0f}/s)", flush=True)
        if started > args.start_seconds:
            raise Failed(f"the starts took longer than {args.start_seconds:.0f} s")

        waiting = set()

        def all_wait():
            for workflow_id in ids:
                if workflow_id in waiting:
                    continue
                progress = server.progress(workflow_id)
                if progress["status"] in ENDED:
                    raise Failed(f"{workflow_id} ended early: {json.dumps(progress)[:1000]}")
                if not progress.get("waiting_for_approval"):
                    return False
                waiting.add(workflow_id)
            return True

        wait_until(all_wait, args.seconds, "all campaigns to wait for approval", pause=0.5)
        parked = time.monotonic() - begin
        # Waiting all at the same time: none has gone on.
        open_now = sum(w["status"] == "RUNNING" for w in server.list(workflow_type="campaign"))
        print(f"  all {open_now} wait for approval {parked:.1f} s after the first start; "
              f"{server.resident_mib():.0f} MiB, {server.threads()} threads", flush=True)
        if open_now != count:
            raise Failed(f"{open_now} of {count} wait at once")

        def approve(workflow_id):
            server.rest("POST", f"/v1/workflows/{workflow_id}/signals/approve",
                        {"decided_by": "thousand"})

        with concurrent.futures.ThreadPoolExecutor(args.at_once) as pool:
            begin_approve = time.monotonic()
            list(pool.map(approve, ids))
            approved = time.monotonic() - begin_approve
        print(f"  approved in {approved:.1f} s ({count / approved:.0f}/s)", flush=True)

        def all_ended():
            states = collections.Counter(w["status"] for w in server.list(workflow_type="campaign"))
            return states if sum(states[s] for s in ENDED) == count else None

        states = wait_until(all_ended, args.seconds, "all campaigns to end", pause=0.5)
        completed = time.monotonic() - begin_approve
        print(f"  completed {completed:.1f} s after the first approval: {dict(states)}; "
              f"{server.resident_mib():.0f} MiB", flush=True)
        if states["COMPLETED"] != count:
            raise Failed(f"only {states['COMPLETED']} of {count} completed")
        duplicates = sandbox.resources(vendor="github")["duplicates"]
        if duplicates:
            raise Failed(f"exists twice: {json.dumps(duplicates)[:1000]}")
        disk = sum(f.stat().st_size for f in (place.directory / "data").glob("*") if f.is_file())
        code, stop_seconds = server.stop()
        print(f"  data directory {disk / 2**20:.0f} MiB; SIGTERM took {stop_seconds:.2f} s, "
              f"code {code}")
        if code != 0:
            raise Failed(f"the server ended with code {code} after SIGTERM")
        print(f"thousand: fine. {count} campaigns waited at once and completed.")
        return 0


if __name__ == "__main__":
    harness.main(run)
