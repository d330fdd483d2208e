#!/usr/bin/env python3
"""No browser outlives its server: campaignd is killed (SIGKILL) while a page is being rendered, and
nothing of its chromedriver and Chromium is left, by /proc. Then the next server renders again.

    tests/e2e/browsers_test.py
"""

import os
import pathlib

import harness
from harness import Failed, expect


def processes():
    """pid -> (start time, parent's pid, command line). A pid with its start time is one process."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
            command = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        fields = stat[stat.rindex(")") + 2:].split()
        if fields[0] != "Z":
            found[int(entry)] = (int(fields[19]), int(fields[1]),
                                 command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def descendants(pid):
    """Those below `pid`: {(pid, start time): command line}."""
    all_of_them = processes()
    below, grown = {pid}, True
    while grown:
        more = {p for p, (_, parent, _) in all_of_them.items() if parent in below} - below
        below |= more
        grown = bool(more)
    return {(p, all_of_them[p][0]): all_of_them[p][2] for p in below - {pid} if p in all_of_them}


def start(server, sandbox, name):
    body = harness.campaign("Spring running", sandbox=sandbox)
    return server.rest("POST", "/v1/campaigns",
                       {"campaign": body, "request_id": name})["workflow_id"]


def pages(sandbox):
    calls = sandbox.client.ok("GET", "/__sandbox/calls?vendor=site")["calls"]
    return [call for call in calls if call["operation"] == "site.company"]


def run():
    with harness.Workplace("browsers") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        # A page that is half there, and stays so.
        sandbox.fault(vendor="site", operation="site.company", kind="slow_body")
        workflow_id = start(server, sandbox, "browsers")
        harness.wait_until(lambda: pages(sandbox), 60, "the browser to ask for the page")
        alive = descendants(server.pid)
        browsers = [line for line in alive.values() if "chrom" in line]
        expect(any("chromedriver" in line for line in browsers), f"no chromedriver: {alive}")
        expect(any("--type=renderer" in line for line in browsers), f"no renderer: {alive}")
        data = server.directory / "data"
        flag = f"--user-data-dir={data}"
        expect(any(flag in line for line in browsers), f"none has {flag}: {browsers}")

        def sessions():
            return [path.name for path in (data / "browsers").iterdir()]
        killed = server.pid
        expect(any(name.startswith(f"{killed}-") for name in sessions()), f"only {sessions()}")
        server.kill()

        def left():
            now = processes()
            return [f"{pid}: {line[:200]}" for (pid, began), line in alive.items()
                    if pid in now and now[pid][0] == began]
        try:
            harness.wait_until(lambda: not left(), 15, "the browsers to end")
        except Failed as error:
            raise Failed(f"{error}; left: {left()}") from error
        strays = [line for _, _, line in processes().values() if flag in line]
        expect(not strays, f"browsers of the data directory: {strays}")

        sandbox.clear_faults()
        before = len(pages(sandbox))
        server.start()
        server.await_review(workflow_id, 90)
        expect(len(pages(sandbox)) > before, "the page was rendered again")
        expect(not any(name.startswith(f"{killed}-") for name in sessions()),
               f"directories of the killed server's sessions: {sessions()}")
        code, _ = server.stop()  # in good order, so that nothing writes into the directory
        expect(code == 0, f"code {code}")
        print(f"browsers: fine; {len(alive)} processes ended with their server")
        return 0


if __name__ == "__main__":
    harness.main(run)
