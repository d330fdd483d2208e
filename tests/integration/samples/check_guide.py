#!/usr/bin/env python3
"""Every ```cpp and ```python block of the guides in docs/ occurs word for word in code that is
compiled and run.

    check_guide.py              checks the guides
    check_guide.py --self-test  the check finds a changed line and takes an indented block
"""

import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SAMPLES = "tests/integration/samples/"
CONTRACT = "tests/contract/connectors/"
# The guide -> where its blocks may stand.
GUIDES = {
    "docs/writing-workflows.md": [SAMPLES + name for name in (
        "order_workflow.h", "order_workflow.cc", "order_test.cc", "local_sample_test.cc",
        "batch_workflow.h", "batch_workflow.cc", "subscription_test.cc")],
    "docs/adding-a-connector.md": [
        "activities/connectors/webhook/webhook_client.h",
        "activities/connectors/webhook/webhook_client.cc",
        "activities/campaign/channel.h", "activities/campaign/channel_cms.cc",
        "activities/campaign/distribute.cc", "gateway/server/settings.h",
        "gateway/server/settings.cc", "gateway/server/vendors.cc", "tests/sandbox/cms.cc",
        CONTRACT + "cms_test.cc", CONTRACT + "fault_matrix_operations.cc",
        CONTRACT + "fault_matrix_table.cc", "tests/e2e/cms_test.py"],
}
BLOCK = re.compile(r"^```(?:cpp|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def occurs(block, source):
    """Whether the lines of `block` follow each other in `source`, at any one indentation."""
    wanted = textwrap.dedent(block).rstrip("\n").split("\n")
    lines = source.split("\n")
    for start in range(len(lines) - len(wanted) + 1):
        part = textwrap.dedent("\n".join(lines[start:start + len(wanted)])).split("\n")
        if part == wanted:
            return True
    return False


def problems(name, guide, sources):
    """`sources`: path -> text."""
    result = []
    blocks = list(BLOCK.finditer(guide))
    if not blocks:
        return [f"{name} has no block of code"]
    for match in blocks:
        if not any(occurs(match.group(1), source) for source in sources.values()):
            line = guide.count("\n", 0, match.start()) + 1
            first = match.group(1).strip().split("\n")[0]
            result.append(f"{name}:{line}: block `{first}` is not in {', '.join(sources)}")
    return result


def self_test():
    source = "void F() {\n  if (x) {\n    Go();\n  }\n}\n"
    good = "```cpp\nif (x) {\n  Go();\n}\n```\n"
    bad = good.replace("Go();", "Stay();")
    sources = {"a.cc": source}
    assert problems("g", good, sources) == [], problems("g", good, sources)
    assert len(problems("g", good + "\n" + bad, sources)) == 1
    assert problems("g", "no code\n", sources)


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        print("check_guide self-test: fine")
        return 0
    found = []
    for name, paths in GUIDES.items():
        sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}
        found += problems(name, (ROOT / name).read_text(encoding="utf-8"), sources)
    print("\n".join(found) if found else "check_guide: every block is compiled code")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
