#!/usr/bin/env python3
"""Runs clang-tidy 19 over our sources, in parallel, and remembers what was clean.

A file is checked again when it, a header of ours, or .clang-tidy changed.

    tests/lint/tidy.py [--jobs N] [FILE...]
"""

import argparse
import concurrent.futures
import hashlib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CLEAN = BUILD / "tidy-clean.json"
FOLDERS = ("orchestrator", "saga", "activities", "gateway", "tests")


def headers_digest():
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for folder in FOLDERS:
        for header in sorted((ROOT / folder).rglob("*.h")):
            digest.update(header.read_bytes())
    return digest.hexdigest()


def tidy(path):
    done = subprocess.run(["clang-tidy-19", "--quiet", "-p", str(BUILD), path], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    return path, done.returncode, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()

    commands = json.loads((BUILD / "compile_commands.json").read_text())
    ours = sorted({pathlib.Path(c["file"]).relative_to(ROOT).as_posix() for c in commands
                   if c["file"].startswith(tuple(f"{ROOT}/{folder}/" for folder in FOLDERS))})
    if args.files:
        ours = [path for path in ours if path in args.files]
    headers = headers_digest()
    try:
        clean = json.loads(CLEAN.read_text())
    except (OSError, ValueError):
        clean = {}
    digests = {path: headers + hashlib.sha256((ROOT / path).read_bytes()).hexdigest()
               for path in ours}
    pending = [path for path in ours if clean.get(path) != digests[path]]

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path, code, output in pool.map(tidy, pending):
            if code == 0:
                clean[path] = digests[path]
                continue
            failed += 1
            print(output, flush=True)
    CLEAN.write_text(json.dumps(clean))
    print(f"clang-tidy: {len(ours)} files, {len(pending)} checked, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
