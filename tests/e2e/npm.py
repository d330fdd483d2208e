"""Programs from npm that tests run: those of a package-lock.json, installed into the build directory
(deploy/npm_ci.sh; nothing happens when they are there). Never skipped: a machine without npm or its
registry is told what to do."""

import os
import pathlib
import subprocess

from harness import ROOT, Failed

HOME = pathlib.Path(os.environ.get("CAMPAIGND_NPM", ROOT / "build" / "npm"))


# For programs of npm: they do not look for news of themselves.
ENVIRONMENT = {**os.environ, "NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}


def packages(name, folder):
    """The directory that has the node_modules of `folder`/package-lock.json."""
    target = HOME / name
    done = subprocess.run([ROOT / "deploy" / "npm_ci.sh", ROOT / folder, target],
                          capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr.strip())
    return target


def api_tools():
    return packages("api_tools", "tests/e2e/api_tools")


def program(directory, name):
    return directory / "node_modules" / ".bin" / name
