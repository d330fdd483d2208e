#!/usr/bin/env python3
"""Builds the fuzz targets with libFuzzer and AddressSanitizer in build-fuzz, only what they link,
and runs each for a while. An input that breaks one is kept in build-fuzz/found/.

    tests/fuzz/fuzz.py [--seconds 60] [--jobs 2] [--build-only] [TARGET...]
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-fuzz"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
TARGETS = sorted(path.name for path in CORPUS.iterdir() if path.is_dir())
INPUT_BYTES_MAX = 8192


def quiet(*command):
    """Runs a command; its output is shown when it fails."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode != 0:
        print(done.stdout[-20000:], flush=True)
        sys.exit(f"fuzz: {' '.join(map(str, command))} failed")


def build(targets, jobs):
    quiet("cmake", "--preset", "fuzz")
    quiet("cmake", "--build", BUILD, "-j", str(jobs), "--target",
          *[f"fuzz_{target}" for target in targets])


def fuzz(target, seconds):
    """(target, exit code, what to say)."""
    found = BUILD / "found" / target
    work = BUILD / "corpus" / target  # what it learns; the repository's inputs stay as they are
    for folder in (found, work):
        folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [BUILD / "bin" / f"fuzz_{target}", f"-max_total_time={seconds}", "-timeout=10",
         f"-max_len={INPUT_BYTES_MAX}", "-rss_limit_mb=2048", "-print_final_stats=1",
         f"-artifact_prefix={found}/", work, CORPUS / target],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        check=False, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:handle_abort=1"})
    runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    cover = re.findall(r"cov: (\d+)", done.stdout)
    if done.returncode == 0:
        return target, 0, (f"{int(runs.group(1)) if runs else 0:9} inputs, "
                           f"{cover[-1] if cover else 0} edges")
    return target, done.returncode, done.stdout[-6000:]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--build-only", action="store_true", help="build them and end")
    parser.add_argument("targets", nargs="*", help=", ".join(TARGETS))
    args = parser.parse_args()
    targets = args.targets or TARGETS
    for target in targets:
        if target not in TARGETS:
            sys.exit(f"fuzz: there is no target {target}; there are {', '.join(TARGETS)}")
    build(targets, args.jobs)
    if args.build_only:
        return 0
    broken = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for target, code, text in pool.map(lambda t: fuzz(t, args.seconds), targets):
            if code == 0:
                print(f"{target:13} {text}", flush=True)
                continue
            broken += 1
            print(f"{text}\n{target}: BROKEN; the input is in {BUILD / 'found' / target}; fix it "
                  f"and keep the input in {CORPUS / target}", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
