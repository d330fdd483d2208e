"""What chaos.py does to the server while campaigns run: each trouble happens, is seen to have
happened where that can be seen, ends, and the server goes on by itself.

Main thread only. The seed decides order, moments and lengths.
"""

import mmap
import signal
import struct
import time

from harness import Failed, wait_until

KINDS = ("kill", "stop", "full", "readonly", "clock")
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

    def next(self):
        if not self.bag:
            self.bag = self.choice.sample(self.kinds, len(self.kinds))
        kind = self.bag.pop()
        recovery = getattr(self, kind)()
        self.count[kind] += 1
        self.slowest[kind] = max(self.slowest[kind], recovery)
        return kind

    def all_happened(self):
        return all(self.count.values())

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
            if self.server.metric("store_commit_failures_total") > before:
                return True
            time.sleep(0.05)
        return False

    def until_it_commits(self):
        """The server takes writes again, by itself, within seconds."""
        begin = time.monotonic()
        done = self.server.metric("store_commit_seconds_count")
        failed = self.server.metric("store_commit_failures_total")

        def commits():
            # Both are counted after each commit, the failures last.
            self.alive()
            good = (self.server.metric("store_commit_seconds_count") - done -
                    (self.server.metric("store_commit_failures_total") - failed))
            return good > 1
        wait_until(commits, 60, "the server to commit again")
        return time.monotonic() - begin

    def alive(self):
        if not self.server.alive():
            raise Failed(f"the server ended by itself with code {self.server.process.returncode}")
        return True
