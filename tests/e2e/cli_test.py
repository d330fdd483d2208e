#!/usr/bin/env python3
"""campaignctl without a server's state: contexts and credentials, completions, the manual, --watch.

    tests/e2e/cli_test.py
"""

import json
import os
import pathlib
import re
import stat
import subprocess

import harness
from harness import expect

USAGE, NOT_FOUND = 2, 3


class Ctl:
    """campaignctl with a directory of contexts of its own."""

    def __init__(self, directory):
        self.directory = directory
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("CAMPAIGNCTL_") and key != "NO_COLOR"}
        self.environment["CAMPAIGNCTL_CONFIG_DIR"] = str(directory)

    def run(self, *arguments, code=0, stdin="", **environment):
        return harness.ctl(*arguments, code=code, stdin=stdin,
                           environment={**self.environment, **environment})


def contexts(ctl, server):
    out, _ = ctl.run("context", "list")
    expect(out.split() == ["CONTEXT", "ADDRESS", "NAMESPACE", "TLS", "SIGNED", "IN"],
           f"no contexts: {out!r}")
    ctl.run("context", "set", "here", "--address", server.grpc)
    ctl.run("context", "set", "there", "--address", "127.0.0.1:1", "--namespace", "blue")
    out, _ = ctl.run("context", "list")
    expect(re.search(r"\*\s+here\s", out) and "blue" in out, f"two contexts: {out!r}")
    ctl.run("list")  # the first one made is in use
    _, err = ctl.run("--context", "there", "--timeout", "2s", "list", code=5)
    expect("127.0.0.1:1" in err, f"another context: {err!r}")
    ctl.run("--context", "there", "--address", server.grpc, "list")  # the flag wins
    ctl.run("list", code=5, CAMPAIGNCTL_CONTEXT="there", CAMPAIGNCTL_ADDRESS="127.0.0.1:2")
    _, err = ctl.run("--context", "nowhere", "list", code=USAGE)
    expect("nowhere" in err and "context list" in err, f"an unknown context: {err!r}")
    ctl.run("context", "use", "there")
    ctl.run("--timeout", "2s", "list", code=5)
    ctl.run("context", "use", "here")
    ctl.run("context", "delete", "there")
    ctl.run("context", "delete", "there", code=NOT_FOUND)


def credentials(ctl, server):
    _, err = ctl.run("login", stdin="\n", code=USAGE)
    expect("--token-file" in err, f"login with nothing: {err!r}")
    ctl.run("login", stdin="ck_not_asked_for\n")  # a server without sign-in takes every caller
    kept = ctl.directory / "credentials.yaml"
    expect("ck_not_asked_for" in kept.read_text(), "the token is not kept")
    expect(stat.S_IMODE(kept.stat().st_mode) == 0o600, f"mode {kept.stat().st_mode:o}")
    expect("ck_not_asked_for" not in (ctl.directory / "contexts.yaml").read_text(),
           "the token is in the file that may be shown")
    out, _ = ctl.run("context", "list")
    expect("ck_" not in out and "yes" in out, f"signed in: {out!r}")
    ctl.run("list")
    kept.chmod(0o644)
    _, err = ctl.run("list", code=USAGE)
    expect("chmod 600" in err, f"credentials for all eyes: {err!r}")
    kept.chmod(0o600)
    ctl.run("logout")
    expect("ck_" not in kept.read_text(), "the token is still kept")
    (ctl.directory / "contexts.yaml").write_text("contexts: [unclosed\n")
    _, err = ctl.run("list", code=USAGE)
    expect("contexts.yaml:" in err, f"a broken file: {err!r}")
    (ctl.directory / "contexts.yaml").unlink()


def views(ctl, server):
    body = {"campaign": harness.campaign("views"), "request_id": "views"}
    workflow_id = server.rest("POST", "/v1/campaigns", body)["workflow_id"]
    ctl.run("context", "set", "here", "--address", server.grpc)
    out, _ = ctl.run("list", "--color", "always")
    expect("\033[36mRUNNING\033[0m" in out, f"no colours: {out!r}")
    out, _ = ctl.run("list")
    expect("\033" not in out and workflow_id in out, f"colours in a pipe: {out!r}")
    watching = subprocess.Popen(
        [harness.BIN / "campaignctl", "list", "--watch", "--interval", "100ms", "--output", "json"],
        env=ctl.environment, stdout=subprocess.PIPE, text=True)
    try:
        seen = ""
        while seen.count(workflow_id) < 3:
            line = watching.stdout.readline()
            expect(line, f"--watch ended: {seen!r}")
            seen += line
    finally:
        watching.terminate()
        watching.wait()
        watching.stdout.close()
    ctl.run("list", "--watch", "--interval", "never", code=USAGE)
    _, err = ctl.run("saga", "retry", workflow_id, "dance", code=NOT_FOUND)
    expect("no step" in err and "campaignctl saga show" in err, f"an unknown step: {err!r}")
    _, err = ctl.run("schedule", "pause", "nobody", code=NOT_FOUND)
    expect("campaignctl schedule list" in err and "wizard" not in err,
           f"an unknown schedule: {err!r}")
    _, err = ctl.run("show", "nobody", code=NOT_FOUND)
    expect("campaignctl list" in err and "wizard list" in err, f"an unknown run: {err!r}")
    out, _ = ctl.run("list", "--status", "running")
    expect(workflow_id in out, f"a status in small letters: {out!r}")


def commands(ctl):
    """Every command of the program, as its --help shows them."""
    found = []

    def look(path):
        out, _ = ctl.run(*path, "--help")
        _, _, listed = out.partition("Subcommands:\n")
        names = re.findall(r"^  ([a-z][a-z-]*)", listed.split("\n\n")[0], re.M)
        found.extend(" ".join([*path, name]) for name in names)
        for name in names:
            look([*path, name])
    look([])
    return found


def generated(ctl):
    every = commands(ctl)
    expect("wizard list" in every and "archive export" in every, f"commands: {every}")
    page, _ = ctl.run("man")
    expect(page.startswith(".TH CAMPAIGNCTL 1\n"), f"the manual begins {page[:50]!r}")
    plain = page.replace("\\-", "-")
    groups = {command.rsplit(" ", 1)[0] for command in every if " " in command}
    missing = [command for command in every
               if f".SS campaignctl {command}" not in plain and command not in groups]
    expect(not missing, f"not in the manual: {missing}")
    for shell in ("bash", "zsh", "fish"):
        script, _ = ctl.run("completion", shell)
        missing = [command for command in every if command.split()[-1] not in script]
        expect(not missing, f"not in the completion for {shell}: {missing}")

    def completed(line):
        ask = ('source <("$0" completion bash); COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]}-1));'
               ' _campaignctl; echo "${COMPREPLY[*]}"' % line)
        done = subprocess.run(["bash", "-c", ask, str(harness.BIN / "campaignctl")],
                              cwd=pathlib.Path(__file__).parent, capture_output=True, text=True,
                              timeout=60, check=True)
        return done.stdout.split()
    for line, wanted in (('campaignctl ""', "wizard"), ('campaignctl wizard ""', "approve"),
                         ('campaignctl --address x:1 sch', "schedule"),
                         ('campaignctl list --output ""', "json"),
                         ('campaignctl schedule create --', "--cron"),
                         ('campaignctl schedule create --', "--namespace"),
                         ('campaignctl list --status ""', "TIMED_OUT"),
                         ('campaignctl update-content --id ""', "blog_outline"),
                         ('campaignctl start --file cli_', "cli_test.py"),
                         ('campaignctl start -f cli_', "cli_test.py")):
        expect(wanted in completed(line), f"{line!r} completes to {completed(line)}")
    for command in ("wizard clone", "update-content", "reset", "list"):
        offered = completed(f'campaignctl {command} ""')
        twice = {word for word in offered if offered.count(word) > 1}
        expect(not twice and "--help" in offered, f"{command!r} offers twice: {twice}")
    for shell, line in (("zsh", "|-f|"), ("fish", " -s f -r -F ")):
        script, _ = ctl.run("completion", shell)
        expect(line in script, f"{shell} completes no file after -f")
    for verb, reason in (("retry", True), ("skip", False), ("resolve", False)):
        out, _ = ctl.run("saga", verb, "--help")
        expect(("token was renewed" in out) == reason, f"example of saga {verb}: {out!r}")


def mistakes(ctl):
    for line, wanted in ((("lst",), "there is no command lst; did you mean list?"),
                         (("wizard", "aprove", "wz-1"), "did you mean wizard approve?"),
                         (("wizard", "frobnicate"), "there is no command wizard frobnicate\n"),
                         (("saga", "bogus", "campaign-1"), "there is no command saga bogus, and"),
                         (("saga", "skp", "campaign-1", "dance"), "did you mean saga skip?"),
                         (("list", "--status", "happy"), "TIMED_OUT"),
                         (("kill-switch", "of"), "did you mean kill-switch off?"),
                         ((), "a command is missing"),
                         (("keys",), "keys needs a command: create, list, revoke"),
                         (("list", "--colour", "x"), "--colour"),
                         (("--colour", "x"), "no command or option --colour"),
                         (("approve",), "WORKFLOW_ID is required")):
        _, err = ctl.run(*line, code=USAGE)
        expect(wanted in err and "next: " in err, f"{line}: {err!r}")


def files(ctl, server):
    """What is wrong with a file, or with JSON on the command line, is told at once and in place."""
    text = ("campaign_name: 12\nchannels: email\ntone: angry\nnope: 1\nbudget_usd: 1e999\n"
            "research_sources: [memory]\n")
    _, err = ctl.run("start", "-f", "-", code=USAGE, stdin=text)
    for line in ("error: 7 fields are wrong", "campaign_name must be a string, not a number (line 1)",
                 "channels must be a list, not a string (line 2)",
                 "tone must be one of professional, casual, technical (line 3)",
                 "nope is not a known field (line 4)",
                 "budget_usd is a number that is too large (line 5)",
                 "campaign_goals is required", "target_audience is required"):
        expect(line in err, f"{line!r} is not in {err!r}")
    for text, wanted in (("", "there is nothing in it"), ("# a comment\n", "there is nothing in it"),
                         ("- email\n", "(file) must be an object, not a list"),
                         ("campaign_name: a\ncampaignName: b\n", "campaign_name is there twice")):
        _, err = ctl.run("start", "-f", "-", code=USAGE, stdin=text)
        expect(wanted in err, f"{text!r}: {err!r}")
    typed = {"message_type": "campaign.v1.CampaignSpec", "value": {"tone": 7}}
    for value, wanted in ((json.dumps(typed), "--input.value.tone must be a string, not a number"),
                          ('{"a": 1, "a": 2}', "--input.value.a is there twice"),
                          ('{"a": }', "--input: malformed JSON at line 1, column 7")):
        _, err = ctl.run("--address", server.grpc, "schedule", "create", "s1", "--cron", "@daily",
                         "--type", "nightly", "--input", value, code=USAGE)
        expect(wanted in err, f"{value}: {err!r}")


def run():
    with harness.Workplace("cli") as place:
        server = place.server(place.sandbox())
        ctl = Ctl(place.directory / "config")
        contexts(ctl, server)
        credentials(ctl, server)
        views(ctl, server)
        generated(ctl)
        mistakes(ctl)
        files(ctl, server)
        print(json.dumps({"commands": len(commands(ctl))}))
        print("cli: contexts, credentials, views, completions and the manual are as said")
        return 0


if __name__ == "__main__":
    harness.main(run)
