"""What chaos.py does to the server while campaigns run: each trouble happens, is seen to have
happened where that can be seen, ends, and the server goes on by itself. A write of its own shows
that: a schedule is paused and resumed, so that it does not matter what the campaigns do meanwhile.

Main thread only. The seed decides order, moments and lengths.
"""

import http.client
import mmap
import signal
import struct
import time

from harness import Failed

KINDS = ("kill", "stop", "full", "readonly", "clock")
SCHEDULE = "chaos-knock"
STORE_FILES = ("runs.db", "runs.db-wal")


class ClockFile:
    """The server's clock offset (gateway/server/process_clock.h)."""

    def __init__(self, path):
        path.write_bytes(struct.pack("=q", 0))
        self.path = path
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 8)
        self.seconds = 0

    def step(self, seconds):
        self.seconds += seconds
        self.map[:] = struct.pack("=q", int(self.seconds * 1_000_000))


class Troubles:
    """`kinds` in a shuffled order, again and again, so that each comes up."""

    def __init__(self, kinds, choice, server, disk, clock):
        self.kinds = kinds
        self.choice = choice
        self.server = server
        self.disk = disk
        self.clock_file = clock
        self.bag = []
        self.count = {kind: 0 for kind in kinds}
        self.slowest = {kind: 0.0 for kind in kinds}  # until it worked again
        self.knocks = 0
        server.rest("POST", "/v1/schedules", {
            "schedule_id": SCHEDULE, "paused": True, "request_id": SCHEDULE,
            "schedule": {"spec": {"crons": ["0 0 1 1 *"]}, "action": {"workflow_type": "never"}}})

    def next(self):
        if not self.bag:
            self.bag = self.choice.sample(self.kinds, len(self.kinds))
        kind = self.bag.pop()
        recovery = getattr(self, kind)()
        self.count[kind] += 1
        self.slowest[kind] = max(self.slowest[kind], recovery)
        return kind

    def missing(self):
        """The kinds that did not happen."""
        return [kind for kind, count in self.count.items() if count == 0]

    def knock(self):
        """Asks for one write that must be committed; "" when it was, else what was answered."""
        verb = ("resume", "pause")[self.knocks % 2]
        self.knocks += 1
        client = self.server.client
        try:
            status, answer = client.call("POST", f"/v1/schedules/{SCHEDULE}/{verb}",
                                         {"note": "chaos"}, timeout=10)
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        if status == 200:
            return ""
        if status not in (429, 503):
            raise Failed(f"{verb} of {SCHEDULE}: HTTP {status}: {answer}")
        client.refused(status, answer)
        return f"HTTP {status}: {answer}"

    def kill(self):
        """SIGKILL, and a start."""
        self.server.kill()
        begin = time.monotonic()
        self.server.start()
        return time.monotonic() - begin

    def stop(self):
        """SIGSTOP: the process is there and does nothing, then wakes up late."""
        self.server.process.send_signal(signal.SIGSTOP)
        time.sleep(self.choice.uniform(0.5, 4))
        self.server.process.send_signal(signal.SIGCONT)
        return self.until_it_commits()

    def full(self):
        """No room on the disk."""
        self.disk.fill()
        try:
            # The log of the store may have room within itself for long; chaos.py checks that
            # callers were told at least once.
            if self.commits_fail_within(15):
                time.sleep(self.choice.uniform(0.5, 3))
        finally:
            self.disk.free()
        return self.until_it_commits()

    def readonly(self):
        """The store's files cannot be written."""
        self.disk.set_immutable(STORE_FILES, True)
        try:
            if not self.commits_fail_within(60):
                raise Failed("no commit fails while the store's files are read-only")
            time.sleep(self.choice.uniform(0.5, 3))
        finally:
            self.disk.set_immutable(STORE_FILES, False)
        return self.until_it_commits()

    def clock(self):
        """The wall clock jumps: far forward, or a little back (what was planned waits longer)."""
        # Half a day at most in all: connectors look a day back for what they made.
        far = [30, 300, 3600] if self.clock_file.seconds < 8 * 3600 else []
        self.clock_file.step(self.choice.choice([-3, -1, 1, *far]))
        return self.until_it_commits()

    def commits_fail_within(self, seconds):
        before = self.server.metric("store_commit_failures_total")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.alive()
            self.knock()
            if self.server.metric("store_commit_failures_total") > before:
                return True
            time.sleep(0.05)
        return False

    def until_it_commits(self):
        """The server takes writes again, by itself, within seconds."""
        begin = time.monotonic()
        while problem := self.knock():
            self.alive()
            if time.monotonic() - begin > 60:
                raise Failed(f"the server does not commit again: {problem}")
            time.sleep(0.05)
        return time.monotonic() - begin

    def alive(self):
        if not self.server.alive():
            raise Failed(f"the server ended by itself with code {self.server.process.returncode}")
        return True
