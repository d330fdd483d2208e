#!/usr/bin/env python3
"""The server as a process: settings, one server a data directory, --dev with its own sandbox,
ports, SIGTERM.

    tests/e2e/server_test.py
"""

import re
import subprocess

import harness
from harness import BIN, Failed

CAMPAIGND = str(BIN / "campaignd")


def output(*arguments, environment=None):
    done = subprocess.run([CAMPAIGND, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, env=environment)
    return done.returncode, done.stdout, done.stderr


def expect(condition, what):
    if not condition:
        raise Failed(what)


def command_line(directory):
    code, out, _ = output("--help")
    expect(code == 0 and "Examples:" in out and "--data-dir" in out, f"--help: {code}: {out}")
    code, out, _ = output("--version")
    expect(code == 0 and out.startswith("campaignd "), f"--version: {code}: {out}")
    code, _, err = output("--no-such-flag")
    expect(code == 2 and "no-such-flag" in err, f"unknown flag: {code}: {err}")
    code, _, err = output("--sandbox", "http://127.0.0.1:1")
    expect(code == 2 and "--dev" in err, f"--sandbox without --dev: {code}: {err}")

    bad = directory / "bad.yaml"
    bad.write_text("server:\n  http_lisen: 127.0.0.1:1\n  log_level: loud\n")
    code, _, err = output("--config", bad, "--check")
    expect(code == 2 and "bad.yaml:2" in err and "bad.yaml:3" in err and "http_listen" in err,
           f"--check of a bad file: {code}: {err}")
    code, _, err = output("--config", bad)
    expect(code == 2 and "bad.yaml:3" in err, f"start with a bad file: {code}: {err}")
    code, out, err = output("--config", harness.ROOT / "deploy" / "settings.yaml", "--check")
    expect(code == 0, f"--check of the sample: {code}: {out}{err}")
    code, out, _ = output("--print-settings", "--http-listen", "127.0.0.1:4711",
                          environment={"GITHUB_TOKEN": "do-not-show-this"})
    expect(code == 0 and "127.0.0.1:4711" in out and "[set]" in out and "do-not-show" not in out,
           f"--print-settings: {code}: {out}")


def one_server_a_directory(place, server):
    code, _, err = output("--dev", "--sandbox", place.programs[0].url, "--data-dir",
                          place.directory / "data", "--http-listen", "127.0.0.1:0",
                          "--grpc-listen", "127.0.0.1:0")
    expect(code == 1 and str(server.pid) in err and "in use" in err,
           f"second server on the directory: {code}: {err}")
    port = server.http
    code, _, err = output("--dev", "--sandbox", place.programs[0].url, "--data-dir",
                          place.directory / "data2", "--http-listen", port,
                          "--grpc-listen", "127.0.0.1:0")
    expect(code == 1 and port.split(":")[1] in err, f"port in use: {code}: {err}")
    code, _, err = output("--dev", "--sandbox", "http://127.0.0.1:1", "--data-dir",
                          place.directory / "data3", "--http-listen", "127.0.0.1:0",
                          "--grpc-listen", "127.0.0.1:0")
    expect(code == 1 and "127.0.0.1:1" in err, f"no sandbox there: {code}: {err}")


def own_sandbox(place):
    """--dev alone starts a vendor-sandbox, which ends with the server, however that ends."""
    server = harness.Server(place.directory / "dev")
    (place.directory / "dev").mkdir()
    place.programs.append(server)
    server.start()
    expect(server.client.raw("GET", "/readyz")[0] == 200, "not ready")
    children = subprocess.run(["ps", "--ppid", str(server.pid), "-o", "pid=,args="],
                              capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) \S*vendor-sandbox", children)
    expect(found, f"no vendor-sandbox among: {children}")
    sandbox = found.group(1)
    server.kill()

    def gone():
        state = subprocess.run(["ps", "-o", "stat=", "-p", sandbox], capture_output=True,
                               text=True, check=False).stdout.strip()
        return state == "" or state.startswith("Z")

    harness.wait_until(gone, 10, "the sandbox to end with its server")
    server.start()  # the directory is free again
    code, seconds = server.stop()
    expect(code == 0 and seconds < 10, f"SIGTERM: code {code} after {seconds:.1f} s")


def run():
    with harness.Workplace("server") as place:
        command_line(place.directory)
        sandbox = place.sandbox()
        server = place.server(sandbox)
        one_server_a_directory(place, server)
        code, seconds = server.stop()
        expect(code == 0 and seconds < 10, f"SIGTERM: code {code} after {seconds:.1f} s")
        logged = server.log.read_text()
        expect(logged.strip() and all(line.startswith("{") for line in logged.splitlines()),
               f"standard error holds other things than JSON:\n{logged[:1000]}")
        own_sandbox(place)
        print("server: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
