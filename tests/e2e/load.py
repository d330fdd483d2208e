#!/usr/bin/env python3
"""Many idle event streams on one server, and what they cost: memory a stream, the time of other
calls meanwhile, and how long a change takes to reach all who watch.

    tests/e2e/load.py [--streams 5000] [--campaigns 100] [--seconds 10] [--kind watch|history]

Other calls are measured by wrk when it is installed (Debian: wrk), else by a client in Python,
whose own time is part of what it measures.
"""

import argparse
import concurrent.futures
import re
import resource
import selectors
import shutil
import socket
import subprocess
import time

import harness
from harness import Failed

SETTINGS = """\
server:
  limits:
    connections_max: 50000
    connections_per_address_max: 50000
    streams_max: 50000
    streams_per_caller_max: 50000
"""


class Streams:
    """Event streams on non-blocking sockets, all read by one thread."""

    def __init__(self, address):
        self.address = address
        self.selector = selectors.DefaultSelector()
        self.seen = {}  # socket -> bytes that have come

    def open(self, path, headers=""):
        peer = socket.create_connection(self.address)
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
        peer.setblocking(False)
        self.seen[peer] = b""
        self.selector.register(peer, selectors.EVENT_READ)

    def forget(self):
        for peer in self.seen:
            self.seen[peer] = b""

    def await_all(self, text, seconds):
        """Reads until every stream has had `text`; how long that took."""
        start = time.monotonic()
        missing = {peer for peer, seen in self.seen.items() if text not in seen}
        while missing:
            if time.monotonic() - start > seconds:
                raise Failed(f"{len(missing)} of {len(self.seen)} streams had no {text!r} "
                             f"within {seconds} s")
            for key, _ in self.selector.select(0.5):
                peer = key.fileobj
                data = peer.recv(1 << 16)
                if not data:
                    raise Failed(f"a stream ended: {self.seen[peer][-500:]!r}")
                self.seen[peer] = (self.seen[peer] + data)[-4096:]
                if text in self.seen[peer]:
                    missing.discard(peer)
        return time.monotonic() - start

    def close(self):
        for peer in self.seen:
            peer.close()
        self.seen = {}


def percentile(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, int(len(times) * share))]


def by_wrk(url, seconds):
    out = subprocess.run(["wrk", "--latency", "-t1", "-c8", f"-d{seconds}s", url],
                         capture_output=True, text=True, check=True).stdout
    units = {"us": 1e-3, "ms": 1, "s": 1e3}
    times = {}
    for share, value, unit in re.findall(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)", out, re.MULTILINE):
        times[int(share)] = float(value) * units[unit]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    if "Non-2xx" in out:
        raise Failed(f"wrk had errors:\n{out}")
    return rate, times[50], times[99]


def by_python(server, path, seconds):
    def one(_):
        client = harness.Client(server.url)
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = time.monotonic()
            client.ok("GET", path)
            times.append((time.monotonic() - start) * 1e3)
        return times

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        times = [t for part in pool.map(one, range(4)) for t in part]
    return len(times) / seconds, percentile(times, 0.5), percentile(times, 0.99)


def processor_seconds(server):
    fields = open(f"/proc/{server.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def run():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--campaigns", type=int, default=100, help="that the streams are shared among")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--kind", choices=["watch", "history"], default="watch")
    parser.add_argument("--bytes-max", type=int, default=0, help="fail above it, a stream")
    args = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if args.streams > hard - 100:
        raise Failed(f"{args.streams} streams need more than the {hard} descriptors there may be")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with_wrk = shutil.which("wrk") is not None
    if not with_wrk:
        print("load: wrk is not installed (apt-get install wrk): other calls are measured by "
              "Python", flush=True)

    with harness.Workplace("load") as place:
        sandbox = place.sandbox()
        settings = place.directory / "settings.yaml"
        settings.write_text(SETTINGS)
        server = place.server(sandbox, ["--log-level", "warning", "--config", settings])
        host, port = server.http.split(":")
        ids = [server.rest("POST", "/v1/campaigns",
                           {"campaign": harness.campaign(f"Load {i}"),
                            "request_id": f"load-{i}"})["workflow_id"]
               for i in range(args.campaigns)]
        for workflow_id in ids:
            server.await_review(workflow_id, 300)
        path = f"/v1/workflows/{ids[0]}"

        def measure(what):
            before = processor_seconds(server)
            rate, half, most = (by_wrk(server.url + path, args.seconds) if with_wrk
                                else by_python(server, path, args.seconds))
            cpu = (processor_seconds(server) - before) / args.seconds
            print(f"  GET {what}: {rate:.0f}/s, p50 {half:.2f} ms, p99 {most:.2f} ms, "
                  f"{cpu:.2f} processors", flush=True)

        print(f"load: {args.streams} streams ({args.kind}) of {args.campaigns} campaigns")
        measure("without streams")
        before = server.resident_mib()

        streams = Streams((host, int(port)))
        start = time.monotonic()
        for i in range(args.streams):
            target = f"/v1/workflows/{ids[i % len(ids)]}"
            if args.kind == "watch":
                streams.open(f"{target}/watch")
            else:
                streams.open(f"{target}/history", "Accept: text/event-stream\r\n")
        streams.await_all(b"event: ", 120)
        opened = time.monotonic() - start
        after = server.resident_mib()
        each = (after - before) * 1024 / args.streams
        print(f"  opened in {opened:.1f} s; {before:.0f} -> {after:.0f} MiB: "
              f"{each:.1f} KiB a stream; {server.threads()} threads", flush=True)

        idle_from = processor_seconds(server)
        time.sleep(args.seconds)
        idle = (processor_seconds(server) - idle_from) / args.seconds
        print(f"  idle streams take {idle:.3f} processors", flush=True)
        measure("beside them")

        streams.forget()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            changed = time.monotonic()
            done = [pool.submit(server.rest, "POST", f"/v1/workflows/{w}/signals/update_content",
                                {"content_id": "headline", "new_content": "A new text.",
                                 "updated_by": "load"}) for w in ids]
            try:
                streams.await_all(b"event: ", 60)
                reached = time.monotonic() - changed
            finally:
                for future in done:
                    future.exception()
        print(f"  a change of each campaign reached all {args.streams} in {reached:.2f} s",
              flush=True)
        streams.close()
        print(f"  after they left: {server.resident_mib():.0f} MiB", flush=True)
        if server.client.raw("GET", "/readyz")[0] != 200:
            raise Failed("the server is not ready")
        if args.bytes_max and each * 1024 > args.bytes_max:
            raise Failed(f"a stream takes {each * 1024:.0f} bytes, more than {args.bytes_max}")
    return 0


if __name__ == "__main__":
    harness.main(run)
