#!/usr/bin/env python3
"""Lint as a test: what a compiler does not see (layers, banned calls, documents, ...).

    tests/lint/lint.py                    every rule over the tree
    tests/lint/lint.py --rule layers      one rule
    tests/lint/lint.py --self-test        every rule rejects its bad samples, takes its good ones

A rule is a module in tests/lint/rules with NAME, DOC, applies(path), check(path, text) -> list of
(line, message), and the samples BAD and GOOD: (path, text). A line may be excused where it stands:

    std::thread thread;  // lint: allow(banned_calls) the reason
"""

import argparse
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from rules import banned_calls, coroutines, layers, length, links, secrets, todo  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULES = [layers, banned_calls, coroutines, length, links, secrets, todo]
SKIPPED = re.compile(r"^(\.git|build[^/]*|\.demo|campaignd-data)(/|$)|/__pycache__(/|$)")
SUFFIXES = {".h", ".cc", ".proto", ".py", ".sh", ".md", ".yaml", ".yml", ".json", ".txt", ".cmake"}
ALLOW = re.compile(r"lint: allow\((\w+)\) \S")


def files():
    """Paths of the tree's text files, relative to its root."""
    pending = [ROOT]
    while pending:
        for entry in sorted(pending.pop().iterdir()):
            path = entry.relative_to(ROOT).as_posix()
            if SKIPPED.search(path) or entry.is_symlink():
                continue
            if entry.is_dir():
                pending.append(entry)
            elif entry.suffix in SUFFIXES or entry.name == "Makefile":
                yield path


def findings(rule, path, text):
    """What `rule` has against the file, without the lines that excuse themselves."""
    if not rule.applies(path):
        return []
    lines = text.split("\n")
    result = []
    for line, message in rule.check(path, text):
        here = lines[line - 1] if 0 < line <= len(lines) else ""
        allowed = ALLOW.search(here)
        if allowed and allowed.group(1) == rule.NAME:
            continue
        result.append(f"{path}:{line}: [{rule.NAME}] {message}")
    return result


def self_test(rules):
    problems = []
    for rule in rules:
        if not rule.BAD or not rule.GOOD:
            problems.append(f"{rule.NAME}: needs bad and good samples")
        for path, text in rule.BAD:
            if not findings(rule, path, text):
                problems.append(f"{rule.NAME}: accepted the bad sample {path}: {text!r}")
        for path, text in rule.GOOD:
            problems += [f"{rule.NAME}: good sample: {f}" for f in findings(rule, path, text)]
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rule", choices=[rule.NAME for rule in RULES])
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    rules = [rule for rule in RULES if args.rule in (None, rule.NAME)]
    problems = []
    if args.self_test:
        problems = self_test(rules)
    else:
        for path in files():
            text = (ROOT / path).read_text(encoding="utf-8", errors="replace")
            for rule in rules:
                problems += findings(rule, path, text)
    for problem in problems:
        print(problem)
    names = ", ".join(rule.NAME for rule in rules)
    print(f"lint{' self-test' if args.self_test else ''}: {names}: "
          f"{len(problems)} finding(s)" if problems else f"lint: {names}: fine")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
