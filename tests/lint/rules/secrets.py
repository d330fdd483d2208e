"""No secret is committed: the shapes of the vendors' tokens and of private keys."""

import re

NAME = "secrets"
DOC = "no secret is committed"

_SHAPES = [
    ("GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{60,}\b"),
    ("Slack token", r"\bxox[abprs]-\d{6,}-[A-Za-z0-9-]{10,}\b"),
    ("SendGrid key", r"\bSG\.[\w-]{20,24}\.[\w-]{40,46}\b"),
    ("Figma token", r"\bfig[do]_[A-Za-z0-9_-]{38,}\b"),
    ("OpenAI key", r"\bsk-(proj-)?[A-Za-z0-9_-]{40,}\b"),
    ("Notion token", r"\b(ntn|secret)_[A-Za-z0-9]{40,}\b"),
    ("Grafana token", r"\bgls[ac]_[A-Za-z0-9_]{32,}\b"),
    ("AWS key", r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("private key", r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----"),
]
_COMPILED = [(name, re.compile(pattern)) for name, pattern in _SHAPES]


def applies(path):
    return path != "tests/lint/rules/secrets.py"


def check(path, text):
    result = []
    for number, line in enumerate(text.split("\n"), 1):
        for name, pattern in _COMPILED:
            if pattern.search(line):
                result.append((number, f"this looks like a {name}: take it out and revoke it"))
    return result


BAD = [
    ("deploy/x.yaml", "token: ghp_" + "a1B2" * 9 + "\n"),
    ("deploy/x.yaml", "token: xoxb-" + "123456789012-" + "a1B2" * 6 + "\n"),
    ("deploy/x.yaml", "key: SG." + "a" * 22 + "." + "b" * 43 + "\n"),
    ("deploy/key.txt", "-----BEGIN " + "PRIVATE KEY-----\n"),
]
GOOD = [("deploy/x.yaml", "token: ghp_sandbox\nslack: xoxb-sandbox-token\n")]
