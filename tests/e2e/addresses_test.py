#!/usr/bin/env python3
"""Addresses that users name reach no private network, whatever form they have: directly, by a
redirect, as a part of a page, by a name that resolves to something else a moment later. And browsers
send nothing while the kill switch is on, a page that is open included.

It runs in a network of its own, with a name server and sites on public and private addresses.

    tests/e2e/addresses_test.py [--red]       --red: with outbound.private_networks; must fail
"""

import collections
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import harness
import production
from harness import expect

PUBLIC = "93.184.216.34"
PRIVATE = ("127.0.0.1", "10.0.0.5", "169.254.169.254", "::1")
PORT = 8099
HOSTS = ("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0177.0.0.1", "0", "0.0.0.0", "127.0.0.1.",
         "localhost", "localhost.", "a.localhost", "[::1]", "[::ffff:127.0.0.1]",
         "[::ffff:7f00:1]", "[::127.0.0.1]", "10.0.0.5", "10.5", "167772165", "[::ffff:a00:5]",
         "169.254.169.254", "0xa9fea9fe", "private.test", "metadata.test", "both.test",
         "mapped.test")


def own_network(directory):
    """From here on this process has no network but its own loopback interface, with these addresses,
    and a name server of its own. PermissionError when it may not."""
    newnet, newns = 0x40000000, 0x00020000
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(newnet | newns) != 0:
        raise PermissionError(f"unshare: {os.strerror(ctypes.get_errno())}")
    resolv = directory / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    for command in (["mount", "--make-rprivate", "/"],
                    ["mount", "--bind", str(resolv), "/etc/resolv.conf"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip())
    set_address, set_flags, up = 0x8916, 0x8914, 0x41
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH14x", b"lo", up))
        for number, address in enumerate((PUBLIC, *(a for a in PRIVATE if a[:2] in ("10", "16")))):
            fcntl.ioctl(any_socket, set_address, struct.pack(
                "16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0,
                socket.inet_aton(address)))


class Names(threading.Thread):
    """A name server. changesN...: N answers are the public address, then it is a private one."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked = collections.Counter()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.start()

    def four(self, name):
        self.asked[name] += 1
        if name.startswith("changes"):
            return [PUBLIC if self.asked[name] <= int(name[7]) else "10.0.0.5"]
        if name.startswith("public"):
            return [PUBLIC]
        return {"private.test": ["10.0.0.5"], "metadata.test": ["169.254.169.254"],
                "both.test": [PUBLIC, "127.0.0.1"]}.get(name, [])

    def run(self):
        while True:
            question, sender = self.socket.recvfrom(2000)
            at, labels = 12, []
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode())
                at += question[at] + 1
            kind = struct.unpack(">H", question[at + 1:at + 3])[0]
            name = ".".join(labels).lower()
            found = []
            if kind == 1:
                found = [socket.inet_aton(a) for a in self.four(name)]
            if kind == 28 and name == "mapped.test":
                found = [socket.inet_pton(socket.AF_INET6, "::ffff:127.0.0.1")]
            records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(a)) + a
                               for a in found)
            self.socket.sendto(question[:2] + b"\x81\x80" +
                               struct.pack(">HHHH", 1, len(found), 0, 0) +
                               question[12:at + 5] + records, sender)


class Sites:
    """One site on the public address; whoever comes to a private one is written down."""

    def __init__(self):
        self.intruders = []  # (address, request line, Host)
        self.requests = []   # (time, request line)
        for address in (PUBLIC, *PRIVATE):
            listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, PORT))
            listener.listen(100)
            threading.Thread(target=self.accept, args=(listener, address), daemon=True).start()

    def accept(self, listener, address):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.serve, args=(connection, address), daemon=True).start()

    def serve(self, connection, address):
        with connection:
            try:
                connection.settimeout(10)
                lines = connection.recv(65536).decode(errors="replace").split("\r\n")
                host = next((li for li in lines if li.lower().startswith("host")), "")
                if address != PUBLIC:
                    self.intruders.append((address, lines[0], host))
                    self.answer(connection, "<h1>secret</h1>")
                    return
                if not lines[0]:  # a connection that was made in case it is needed
                    return
                self.requests.append((time.monotonic(), lines[0]))
                path = lines[0].split(" ")[1]
                if path.startswith("/redirect/"):
                    self.answer(connection, "", "302 Found", f"Location: {url(path[10:])}\r\n")
                elif path == "/parts":
                    self.answer(connection, parts())
                elif path == "/busy":  # asks on and on, and never has loaded
                    self.answer(connection, "<h1>busy</h1><img src=/never><script>let i = 0; "
                                "setInterval(() => fetch('/again' + ++i), 50)</script>")
                elif path == "/never":
                    time.sleep(8)
                elif path == "/robots.txt":
                    self.answer(connection, "User-agent: *\nDisallow: /forbidden\n")
                else:
                    self.answer(connection, "<title>open</title><h1>open to all</h1>")
            except OSError:
                pass

    @staticmethod
    def answer(connection, body, status="200 OK", headers=""):
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{headers}"
                           f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())


def url(host, path=""):
    return f"http://{host}:{PORT}/{path}"


def parts():
    """A page with a part from everywhere."""
    tags = "".join(f'<img src="{url(h, "i")}"><iframe src="{url(h, "f")}"></iframe>'
                   f'<script src="{url(h, "s")}"></script>' for h in HOSTS)
    calls = "".join(f'fetch("{url(h, "x")}", {{mode: "no-cors"}}).catch(() => 0);'
                    f'try {{ new WebSocket("ws://{h}:{PORT}/w") }} catch (e) {{}};' for h in HOSTS)
    return f"<h1>parts</h1>{tags}<script>{calls}</script>"


def start(server, name, urls):
    body = {**harness.campaign("Spring running"), "research_sources": ["web"],
            "competitor_urls": urls}
    return server.rest("POST", "/v1/campaigns",
                       {"campaign": body, "request_id": name})["workflow_id"]


def research(server, sites, name, urls):
    """The campaign's research is over, with one page at least; nothing private was reached."""
    ids = [start(server, f"{name}-{at}", [url("public.test"), *urls[at:at + 9]])
           for at in range(0, len(urls), 9)]
    for workflow_id in ids:
        server.await_review(workflow_id, 90)
    expect(not sites.intruders, f"{name}: {len(sites.intruders)} requests came to private "
                                f"addresses: {sites.intruders[:10]}")


def asked(sites, paths):
    """These pages were opened: what they lead to was tried."""
    seen = {line.split(" ")[1] for _, line in sites.requests}
    expect(set(paths) <= seen, f"never asked for: {sorted(set(paths) - seen)}")


def the_kill_switch_stops_open_pages(server, sites):
    server.rest("POST", "/v1/kill-switch", {"on": False, "reason": "start"})
    workflow_id = start(server, "busy", [url("public.test", "busy")])
    harness.wait_until(lambda: any("/again" in line for _, line in sites.requests), 60,
                       "the page to ask")
    server.rest("POST", "/v1/kill-switch", {"on": True, "reason": "test"})
    stopped = time.monotonic() + 1
    harness.wait_until(lambda: time.monotonic() > stopped + 2, 10, "a page's time to pass")
    late = [line for at, line in sites.requests if at > stopped]
    expect(not late, f"asked after the kill switch: {late[:5]}")
    server.rest("POST", "/v1/kill-switch", {"on": False, "reason": "test"})
    server.await_review(workflow_id, 90)


def run():
    red = "--red" in sys.argv[1:]
    with harness.Workplace("addresses") as place:
        try:
            own_network(place.directory)
        except PermissionError as error:
            return harness.not_tested(f"this process may have no network of its own ({error})")
        names, sites = Names(), Sites()
        sandbox = place.sandbox()
        settings = place.directory / "campaignd.yaml"
        settings.write_text(production.settings(sandbox.url, {
            "outbound": {"private_networks": red}, "vendors": production.UNLIMITED}))
        server = harness.Server(place.directory, sandbox, ["--config", settings],
                                production.TOKENS, dev=False)
        place.programs.append(server)
        server.start()
        research(server, sites, "forms", [url(host) for host in HOSTS])
        research(server, sites, "redirects",
                 [url(f"public{n}.test", f"redirect/{host}") for n, host in enumerate(HOSTS)])
        asked(sites, [f"/redirect/{host}" for host in HOSTS])
        research(server, sites, "parts", [url("public.test", "parts")])
        asked(sites, ["/parts"])
        changing = [f"changes{n}-{m}.test" for n in range(1, 6) for m in range(3)]
        research(server, sites, "rebinding", [url(host) for host in changing])
        expect(all(names.asked[host] for host in changing), names.asked)
        research(server, sites, "robots", [url("public.test", "forbidden")])
        asked(sites, ["/robots.txt"])
        expect(not any("/forbidden" in line for _, line in sites.requests), "robots.txt forbids it")
        the_kill_switch_stops_open_pages(server, sites)
        print(f"addresses: fine; {len(HOSTS)} forms, {len(sites.requests)} public requests")
        return 0


if __name__ == "__main__":
    harness.main(run)
