#!/usr/bin/env python3
"""Every ```cpp block of docs/writing-workflows.md occurs word for word in the compiled sample.

    check_guide.py              checks the guide
    check_guide.py --self-test  the check finds a changed line and takes an indented block
"""

import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
GUIDE = HERE.parents[2] / "docs" / "writing-workflows.md"
SOURCES = ["order_workflow.h", "order_workflow.cc", "order_test.cc", "local_sample_test.cc",
           "batch_workflow.h", "batch_workflow.cc", "subscription_test.cc"]
BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def occurs(block, source):
    """Whether the lines of `block` follow each other in `source`, at any one indentation."""
    wanted = textwrap.dedent(block).rstrip("\n").split("\n")
    lines = source.split("\n")
    for start in range(len(lines) - len(wanted) + 1):
        part = textwrap.dedent("\n".join(lines[start:start + len(wanted)])).split("\n")
        if part == wanted:
            return True
    return False


def problems(guide, sources):
    result = []
    blocks = list(BLOCK.finditer(guide))
    if not blocks:
        return ["the guide has no ```cpp block"]
    for match in blocks:
        if not any(occurs(match.group(1), source) for source in sources):
            line = guide.count("\n", 0, match.start()) + 1
            first = match.group(1).strip().split("\n")[0]
            result.append(f"{GUIDE.name}:{line}: block `{first}` is not in {', '.join(SOURCES)}")
    return result


def self_test():
    source = "void F() {\n  if (x) {\n    Go();\n  }\n}\n"
    good = "```cpp\nif (x) {\n  Go();\n}\n```\n"
    bad = good.replace("Go();", "Stay();")
    assert problems(good, [source]) == [], problems(good, [source])
    assert len(problems(good + "\n" + bad, [source])) == 1
    assert problems("no code\n", [source])


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        print("check_guide self-test: fine")
        return 0
    found = problems(GUIDE.read_text(encoding="utf-8"),
                     [(HERE / name).read_text(encoding="utf-8") for name in SOURCES])
    print("\n".join(found) if found else "check_guide: every block is compiled code")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
