#!/usr/bin/env python3
"""A start without a usable disk: the server says what is wrong, and starts when it is right again.
What happens to a running server is in chaos.py.

    tests/e2e/disk_test.py
"""

import harness
from harness import Failed

STORE = ("runs.db", "runs.db-wal", "runs.db-shm")


def refused(server, words):
    """The server does not start, and says `words`."""
    try:
        server.start(20)
    except Failed as error:
        if server.process.returncode == 1 and words in str(error):
            return
        raise
    raise Failed(f"it started; expected: {words}")


def run():
    with harness.Workplace("disk") as place:
        try:
            if not harness.own_mounts():
                raise PermissionError("unshare(CLONE_NEWNS): not permitted")
            disk = place.small_disk(64)
        except PermissionError as error:
            return harness.not_tested(f"this process may not mount a file system ({error})")
        server = place.server(place.sandbox())
        workflow_id = server.rest("POST", "/v1/campaigns", {
            "campaign": harness.campaign("Disk"), "request_id": "disk"})["workflow_id"]
        server.kill()
        disk.fill()
        refused(server, "the disk is full")
        disk.free()
        disk.set_immutable(STORE, True)
        refused(server, "must be writable")
        disk.set_immutable(STORE, False)
        server.start()
        if server.status(workflow_id) != "RUNNING":
            raise Failed(f"after the start: {server.status(workflow_id)}")
        print("disk: refused with reasons, and started again")
        return 0


if __name__ == "__main__":
    harness.main(run)
