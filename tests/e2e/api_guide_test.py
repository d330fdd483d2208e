#!/usr/bin/env python3
"""The programs of docs/api do what they say against a real server and sandbox: a campaign from its
draft to its result, with an editor's API key. The one in TypeScript uses a client that a stock generator of npm makes from
/openapi.json, and is compiled in strict mode.

    tests/e2e/api_guide_test.py curl|python|typescript|go
"""

import os
import shutil
import subprocess
import sys

import harness
import npm
from harness import Failed, bearer

DOCS = harness.ROOT / "docs" / "api"


def must(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=600, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def curl(_server, _directory):
    return ["bash", DOCS / "curl" / "guide.sh"]


def python(_server, _directory):
    return [sys.executable, "-B", DOCS / "python" / "guide.py"]


def go(_server, directory):
    if shutil.which("go") is None:
        raise Failed("there is no go: run deploy/install-deps.sh")
    environment = {**os.environ, "GOCACHE": str(harness.ROOT / "build" / "go-cache"), "GOFLAGS": "-mod=mod",
                   "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    must("go", "build", "-o", directory / "guide", DOCS / "go" / "guide.go", env=environment)
    return [directory / "guide"]


def typescript(server, directory):
    tools = npm.api_tools()
    work = directory / "typescript"
    shutil.copytree(DOCS / "typescript", work)
    (work / "node_modules").symlink_to(tools / "node_modules")
    (work / "package.json").write_text('{"type": "module"}\n')
    (work / "openapi.json").write_bytes(server.client.raw("GET", "/openapi.json")[2])
    must(npm.program(tools, "openapi-typescript"), "openapi.json", "-o", "api.d.ts", cwd=work,
         env=npm.ENVIRONMENT)
    must(npm.program(tools, "tsc"), "-p", ".", cwd=work)
    return ["node", work / "guide.js"]


def editor_key(server):
    """An editor's key; from the first key on every call needs one."""
    root = server.rest("POST", "/v1/api-keys", {"name": "root", "role": "admin", "namespace": "*"})
    made = harness.Client(server.url, bearer(root["secret"])).ok(
        "POST", "/v1/api-keys", {"name": "guide", "role": "editor"})
    status, _ = server.client.call("GET", "/v1/wizards")
    if status != 401:
        raise Failed(f"a call without a key is HTTP {status}")
    return made["secret"]


def run():
    language = {"curl": curl, "python": python, "typescript": typescript, "go": go}[sys.argv[1]]
    with harness.Workplace("guide") as place:
        sandbox = place.sandbox()
        server = place.server(sandbox)
        program = language(server, place.directory)
        secret = editor_key(server)
        said = must(*program, env={**os.environ, "CAMPAIGND_URL": server.url, "RUN": "1",
                                   "CAMPAIGND_TOKEN": secret})
        print(said, end="")
        lines = said.splitlines()
        started = [line.split(": ")[1] for line in lines if line.startswith("started: ")]
        if len(started) != 1 or lines[-1] != "COMPLETED: email, blog":
            raise Failed(f"it does not say what it did:\n{said}")
        if not any(line.startswith("missing: campaign.target_audience ") for line in lines):
            raise Failed(f"the draft's faults are not shown:\n{said}")
        progress = harness.Client(server.url, bearer(secret)).ok(
            "GET", f"/v1/workflows/{started[0]}/progress")
        # Whoever has signed in is who decided, whatever the request says.
        if progress["status"] != "COMPLETED" or progress["decision"]["decided_by"] != "key:guide":
            raise Failed(f"the campaign is {progress}")
        kinds = {resource["kind"] for resource in sandbox.existing(started[0])}
        if not {"mail", "page", "dashboard"} <= kinds:
            raise Failed(f"only {sorted(kinds)} got out")
        print(f"guide in {sys.argv[1]}: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
