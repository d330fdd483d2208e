"""What the end-to-end programs share: the real programs as child processes, and a REST client.

Only the standard library. Everything listens on 127.0.0.1 and lives below one directory.

    with Workplace() as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        started = server.rest("POST", "/v1/campaigns", {"campaign": {...}})
"""

import collections
import ctypes
import errno
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CAMPAIGND_BIN", ROOT / "build" / "bin"))

ENDED = ("COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT")


class Failed(Exception):
    """Something is not as it should be; the message says what."""


def expect(condition, what):
    """Failed with `what` where the condition does not hold."""
    if not condition:
        raise Failed(what)


def not_tested(why):
    """Says so; the exit code of a test that cannot run here, which CMakeLists.txt knows."""
    print(f"*** NOT TESTED: {why} ***")
    return 77


def wait_until(condition, seconds, what, pause=0.05):
    """Polls until `condition()` is true and returns its value; Failed after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"timed out after {seconds:.0f} s waiting for {what}")
        time.sleep(pause)


def only_json(text):
    """Failed when standard error of a server has a line that is none of its log."""
    for line in text.splitlines():
        try:
            json.loads(line)
        except ValueError as error:
            raise Failed(f"standard error holds other things than JSON: {line}") from error


def bearer(credential):
    """The header that shows an API key or a token."""
    return {"Authorization": f"Bearer {credential}"}


class Client:
    """JSON over HTTP with one connection a thread; thread-safe. `headers` go with each request."""

    def __init__(self, base_url, headers=None):
        parts = urllib.parse.urlsplit(base_url)
        self.headers = headers or {}
        self.address = (parts.hostname, parts.port)
        self.local = threading.local()
        self.lock = threading.Lock()
        self.refusals = collections.Counter()  # of `persistent`: (status, message) that were retried

    def _connection(self, timeout):
        connection = getattr(self.local, "connection", None)
        if connection is None or connection.sock is None:  # None: the answer said "close"
            connection = http.client.HTTPConnection(*self.address, timeout=timeout)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.local.connection = connection
        connection.sock.settimeout(timeout)
        return connection

    def close(self):
        connection = getattr(self.local, "connection", None)
        if connection is not None:
            connection.close()
            self.local.connection = None

    def raw(self, method, path, body=None, headers=None, timeout=60):
        """One request: (status, headers, bytes); the headers' names are in lower case. OSError or
        HTTPException when it got no answer.

        A server may close a connection that was idle; a GET that meets this is sent again."""
        kept = getattr(self.local, "connection", None) is not None
        try:
            connection = self._connection(timeout)
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            response = connection.getresponse()
            got = {name.lower(): value for name, value in response.getheaders()}
            return response.status, got, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            closed = isinstance(error, (ConnectionError, http.client.RemoteDisconnected))
            if kept and closed and method == "GET":
                return self.raw(method, path, body, headers, timeout)
            raise

    def call(self, method, path, body=None, timeout=60):
        """One JSON request: (status, decoded body)."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        status, _, answer = self.raw(method, path, data, headers, timeout)
        try:
            return status, json.loads(answer) if answer else None
        except ValueError:
            return status, answer.decode(errors="replace")

    def ok(self, method, path, body=None, timeout=60):
        """The body of a 2xx answer; Failed for any other."""
        status, answer = self.call(method, path, body, timeout)
        if status // 100 != 2:
            raise Failed(f"{method} {path}: HTTP {status}: {json.dumps(answer)}")
        return answer

    def refused(self, status, answer):
        """Counts a "try again"."""
        with self.lock:
            message = answer.get("message") if isinstance(answer, dict) else None
            self.refusals[(status, message)] += 1

    def persistent(self, method, path, body=None, seconds=120, accept=(200,)):
        """Repeats until there is an answer that is no "try again": for requests that may be
        repeated (reads, and writes with a request id) while the server is killed and restarted."""
        end = time.monotonic() + seconds
        pause = 0.02
        while True:
            try:
                status, answer = self.call(method, path, body, timeout=30)
                if status in accept:
                    return status, answer
                if status not in (408, 429, 500, 502, 503, 504):
                    return status, answer
                problem = f"HTTP {status}: {json.dumps(answer)[:300]}"
                self.refused(status, answer)
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            if time.monotonic() > end:
                raise Failed(f"{method} {path}: no answer within {seconds} s; last: {problem}")
            time.sleep(pause)
            pause = min(0.5, pause * 2)


def ctl(*arguments, code=0, stdin="", environment=None):
    """What campaignctl prints: (standard output, standard error). Failed when its exit code is
    another. `environment`: instead of ours."""
    done = subprocess.run([BIN / "campaignctl", *map(str, arguments)], input=stdin, text=True,
                          capture_output=True, timeout=120, check=False, env=environment)
    if done.returncode != code:
        raise Failed(f"campaignctl {' '.join(map(str, arguments))}: exit code {done.returncode}, "
                     f"not {code}:\n{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A child process with its output in files. It ends with the thread that launched it, so
    launch from the main thread."""

    def __init__(self, argv, log, environment=None):
        self.argv = [str(a) for a in argv]
        self.log = pathlib.Path(log)
        self.environment = environment
        self.process = None

    def launch(self, ready, seconds=60):
        """Starts it and waits for a line on standard output that matches `ready`."""
        out = self.log.with_suffix(".out")
        with open(out, "wb") as stdout, open(self.log, "ab") as stderr:
            offset = stderr.tell()
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                env={**os.environ, **(self.environment or {})}, start_new_session=True,
                preexec_fn=_die_with_parent)

        def look():
            found = re.search(ready, out.read_text(errors="replace"))
            if found:
                return found
            if self.process.poll() is not None:
                with open(self.log, "rb") as log:
                    log.seek(offset)
                    tail = log.read()[-2000:].decode(errors="replace")
                raise Failed(f"{self.argv[0]} ended with code {self.process.returncode}:\n{tail}")
            return None

        return wait_until(look, seconds, f"{self.argv[0]} to be ready (log: {self.log})", 0.01)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """SIGKILL, as a crash would be."""
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def stop(self, seconds=30):
        """SIGTERM; returns (exit code, seconds it took)."""
        start = time.monotonic()
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise Failed(f"{self.argv[0]} did not end within {seconds} s of SIGTERM") from error
        return self.process.returncode, time.monotonic() - start


class Sandbox(Program):
    """vendor-sandbox with its admin interface."""

    def __init__(self, directory):
        super().__init__([BIN / "vendor-sandbox", "--listen", "127.0.0.1:0", "--data-dir",
                          directory / "sandbox"], directory / "sandbox.log")
        self.url = self.launch(r"listening on (http://\S+)").group(1)
        self.client = Client(self.url)

    def resources(self, **query):
        text = urllib.parse.urlencode(query)
        return self.client.ok("GET", f"/__sandbox/resources?{text}")

    def existing(self, workflow_id=None):
        """What exists now: a list of resources."""
        query = {"alive": "true"}
        if workflow_id:
            query["workflow_id"] = workflow_id
        return self.resources(**query)["resources"]

    def fault(self, **fault):
        return self.client.ok("POST", "/__sandbox/faults", fault)

    def clear_faults(self):
        self.client.ok("DELETE", "/__sandbox/faults")


class Server(Program):
    """campaignd on free ports; a restart takes the same ones."""

    READY = r"campaignd ready: REST (https?://\S+)\s+gRPC (\S+)"

    def __init__(self, directory, sandbox=None, arguments=(), environment=None, dev=True):
        self.directory = directory
        self.dev = dev
        self.arguments = list(arguments)
        self.sandbox = sandbox
        self.http = "127.0.0.1:0"
        self.grpc = "127.0.0.1:0"
        self.client = None
        self.starts = 0
        super().__init__([], directory / "campaignd.log", environment)

    def start(self, seconds=60):
        self.argv = [str(BIN / "campaignd"), "--data-dir", str(self.directory / "data"),
                     "--http-listen", self.http, "--grpc-listen", self.grpc]
        if self.dev:
            self.argv += ["--dev"]
        if self.dev and self.sandbox is not None:
            self.argv += ["--sandbox", self.sandbox.url]
        self.argv += [str(a) for a in self.arguments]
        ready = self.launch(self.READY, seconds)
        self.starts += 1
        self.url = ready.group(1)
        self.http = urllib.parse.urlsplit(self.url).netloc
        self.grpc = ready.group(2)
        if self.client is None:
            self.client = Client(self.url)
        self.client.close()  # our connection to the process before
        return self

    def rest(self, method, path, body=None, timeout=60):
        return self.client.ok(method, path, body, timeout)

    def progress(self, workflow_id):
        return self.rest("GET", f"/v1/workflows/{workflow_id}/progress")

    def ctl(self, *arguments, code=0):
        """campaignctl that talks to this server."""
        return ctl("--address", self.grpc, *arguments, code=code)

    def await_review(self, workflow_id, seconds=60):
        """Until the campaign waits for its approval."""
        wait_until(lambda: self.progress(workflow_id).get("waiting_for_approval"), seconds,
                   f"{workflow_id} to wait for approval")

    def status(self, workflow_id):
        return self.rest("GET", f"/v1/workflows/{workflow_id}")["status"]

    def list(self, **query):
        """All workflows, page after page."""
        found, token = [], ""
        while True:
            text = urllib.parse.urlencode({**query, "page_size": 1000, "page_token": token})
            _, page = self.client.persistent("GET", f"/v1/workflows?{text}")
            found += page.get("workflows", [])
            token = page.get("next_page_token", "")
            if not token:
                return found

    def wait_ended(self, workflow_id, seconds=120):
        def look():
            status, answer = self.client.persistent("GET", f"/v1/workflows/{workflow_id}")
            if status != 200:
                raise Failed(f"{workflow_id}: HTTP {status}: {answer}")
            return answer["status"] if answer["status"] in ENDED else None
        return wait_until(look, seconds, f"{workflow_id} to end")

    def metric(self, name, **labels):
        """The sum of a counter or gauge over its series with these labels; 0 when there is none."""
        status, _, text = self.client.raw("GET", "/metrics")
        if status != 200:
            raise Failed(f"/metrics: HTTP {status}")
        found = re.findall(rf"^{name}(\{{[^}}]*\}})? (\S+)$", text.decode(), re.MULTILINE)
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(float(value) for series, value in found if all(w in series for w in wanted))

    def resident_mib(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) / 1024

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))


def own_mounts():
    """From here on mounts of this process and its children are theirs alone, and go with them.
    False when this process may not mount. Call it before there are threads."""
    clone_newns = 0x00020000
    if _LIBC.unshare(clone_newns) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True,
                          check=False).returncode == 0


class SmallDisk:
    """A file system of its own in a file, mounted at `path`: it can be full, and its files can be
    made immutable, which stops root too. After `own_mounts`."""

    def __init__(self, path, mebibytes):
        self.path = pathlib.Path(path)
        self.image = self.path.with_name(self.path.name + ".ext4")
        self.filler = self.path / "filler"
        self.path.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(mebibytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", self.image], check=True)
        done = subprocess.run(["mount", "-o", "loop", self.image, self.path], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise PermissionError(done.stderr.strip())

    def fill(self):
        """Takes all the room that is left."""
        with open(self.filler, "ab") as filler:
            end = 0
            for size in (256 << 20, 1 << 20, 4096):
                try:
                    while True:
                        os.posix_fallocate(filler.fileno(), end, size)
                        end += size
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self):
        self.filler.unlink(missing_ok=True)

    def set_immutable(self, names, immutable):
        """Whether those of these files that exist can be changed; open descriptors too."""
        files = [self.path / name for name in names if (self.path / name).exists()]
        subprocess.run(["chattr", "+i" if immutable else "-i", *files], check=True)

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.path], capture_output=True, check=False)


class Workplace:
    """A temporary directory and everything started in it; kept when something failed."""

    def __init__(self, name="campaignd"):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-"))
        # campaignctl must not talk to the server of the person who runs the tests.
        for variable in [v for v in os.environ if v.startswith("CAMPAIGNCTL_")]:
            del os.environ[variable]
        os.environ["CAMPAIGNCTL_CONFIG_DIR"] = str(self.directory / "campaignctl")
        self.programs = []
        self.disk = None

    def __enter__(self):
        return self

    def small_disk(self, mebibytes):
        """Puts the server's data directory on a disk of its own; call it before `server`."""
        self.disk = SmallDisk(self.directory / "data", mebibytes)
        return self.disk

    def sandbox(self):
        sandbox = Sandbox(self.directory)
        self.programs.append(sandbox)
        return sandbox

    def server(self, sandbox=None, arguments=(), environment=None):
        server = Server(self.directory, sandbox, arguments, environment)
        self.programs.append(server)
        return server.start()

    def __exit__(self, kind, error, trace):
        for program in reversed(self.programs):
            program.kill()
        failed = kind is not None and kind is not KeyboardInterrupt
        if self.disk is not None:
            if failed:  # the mount ends with this process
                shutil.copytree(self.disk.path, self.directory / "data-kept", dirs_exist_ok=True,
                                ignore=shutil.ignore_patterns("filler", "lost+found", "browsers"))
            self.disk.unmount()
        if not failed:
            shutil.rmtree(self.directory, ignore_errors=True)
        else:
            print(f"kept for a look: {self.directory}", file=sys.stderr)


def campaign(name, seed=None, sandbox=None):
    """A campaign's body; with a seed the channels and sources vary."""
    body = {
        "campaign_name": name,
        "campaign_goals": ["sign up for the spring programme"],
        "channels": ["email", "social", "blog"],
        "research_sources": ["notion", "memory"],
        "target_audience": "runners in cities",
        "tone": "casual",
        "reviewers": ["U0REVIEWER1"],
        "metrics": ["views", "clicks"],
    }
    if seed is not None:
        choice = random.Random(seed)
        body["channels"] = choice.choice([["email"], ["social"], ["blog"], ["email", "social"],
                                          ["email", "social", "blog"]])
        body["tone"] = choice.choice(["professional", "casual", "technical"])
    if sandbox is not None:
        body["research_sources"] = ["notion", "web", "memory"]
        body["competitor_urls"] = [f"{sandbox.url}/site/acme"]
    return body


def main(run):
    """Runs `run()`; Failed becomes a message and exit code 1."""
    try:
        code = run()
    except Failed as error:
        print(f"FAILED: {error}", file=sys.stderr)
        code = 1
    except SystemExit as ending:  # --help, or wrong arguments
        code = ending.code or 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # client threads may still be asking
