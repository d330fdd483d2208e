#!/usr/bin/env python3
"""The server as a process: settings, one server a data directory, --dev with its own sandbox,
ports, SIGTERM.

    tests/e2e/server_test.py
"""

import http.client
import json
import pathlib
import re
import socket
import subprocess

import harness
import production
from harness import BIN, expect

CAMPAIGND = str(BIN / "campaignd")
USUAL_PORT = 9100  # of a vendor-sandbox


def output(*arguments, environment=None):
    done = subprocess.run([CAMPAIGND, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, env=environment)
    return done.returncode, done.stdout, done.stderr


def command_line(directory):
    code, out, _ = output("--help")
    expect(code == 0 and "Examples:" in out and "--data-dir" in out, f"--help: {code}: {out}")
    code, out, _ = output("--version")
    expect(code == 0 and re.fullmatch(r"campaignd \d+\.\d+\.\d+\n", out),
           f"--version: {code}: {out}")
    code, _, err = output("--no-such-flag")
    expect(code == 2 and "no-such-flag" in err, f"unknown flag: {code}: {err}")
    code, _, err = output("--sandbox", "http://127.0.0.1:1")
    expect(code == 2 and "--dev" in err, f"--sandbox without --dev: {code}: {err}")
    for url in ("notaurl", "127.0.0.1:9100", "ftp://127.0.0.1:1", "http://", "http://127.0.0.1:0"):
        code, _, err = output("--dev", "--sandbox", url, "--data-dir", directory / "never")
        expect(code == 2 and "http://127.0.0.1:9100" in err, f"--sandbox {url}: {code}: {err}")
    expect(not (directory / "never").exists(), "a directory was made for wrong flags")
    for program in ("campaignctl", "vendor-sandbox"):
        done = subprocess.run([BIN / program, "--version"], capture_output=True, text=True,
                              timeout=60, check=False)
        expect(done.returncode == 0 and done.stdout == out.replace("campaignd", program),
               f"{program} --version: {done}")

    bad = directory / "bad.yaml"
    bad.write_text("server:\n  http_lisen: 127.0.0.1:1\n  log_level: loud\n")
    code, _, err = output("--config", bad, "--check")
    expect(code == 2 and "bad.yaml:2" in err and "bad.yaml:3" in err and "http_listen" in err,
           f"--check of a bad file: {code}: {err}")
    code, _, err = output("--config", bad)
    expect(code == 2 and "bad.yaml:3" in err, f"start with a bad file: {code}: {err}")
    code, out, err = output("--config", harness.ROOT / "deploy" / "settings.yaml", "--check")
    expect(code == 0, f"--check of the sample: {code}: {out}{err}")
    code, out, _ = output("--print-settings", "--http-listen", "127.0.0.1:4711",
                          environment={"GITHUB_TOKEN": "do-not-show-this"})
    expect(code == 0 and "127.0.0.1:4711" in out and "[set]" in out and "do-not-show" not in out,
           f"--print-settings: {code}: {out}")


def one_server_a_directory(place, server):
    code, _, err = output("--dev", "--sandbox", place.programs[0].url, "--data-dir",
                          place.directory / "data", "--http-listen", "127.0.0.1:0",
                          "--grpc-listen", "127.0.0.1:0")
    expect(code == 1 and str(server.pid) in err and "in use" in err,
           f"second server on the directory: {code}: {err}")
    harness.only_json(err)
    port = server.http
    code, _, err = output("--dev", "--sandbox", place.programs[0].url, "--data-dir",
                          place.directory / "data2", "--http-listen", port,
                          "--grpc-listen", "127.0.0.1:0")
    expect(code == 1 and port.split(":")[1] in err, f"port in use: {code}: {err}")
    harness.only_json(err)
    code, _, err = output("--dev", "--sandbox", "http://127.0.0.1:1", "--data-dir",
                          place.directory / "data3", "--http-listen", "127.0.0.1:0",
                          "--grpc-listen", "127.0.0.1:0")
    expect(code == 1 and "127.0.0.1:1" in err, f"no sandbox there: {code}: {err}")
    harness.only_json(err)


def process(pid):
    """(name, parent) of a living process, or None."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    found = re.match(r"\d+ \((.*)\) (\S) (\d+)", stat, re.DOTALL)
    return None if found.group(2) == "Z" else (found.group(1), int(found.group(3)))


def children(pid):
    """(pid, name) of the living children of a process."""
    result = []
    for entry in pathlib.Path("/proc").iterdir():
        found = process(entry.name) if entry.name.isdigit() else None
        if found and found[1] == pid:
            result.append((int(entry.name), found[0]))
    return result


def own_sandbox(place):
    """--dev alone starts a vendor-sandbox, which ends with the server, however that ends."""
    server = harness.Server(place.directory / "dev")
    (place.directory / "dev").mkdir()
    place.programs.append(server)
    server.start()
    expect(server.client.raw("GET", "/readyz")[0] == 200, "not ready")
    sandbox = [pid for pid, name in children(server.pid) if name.startswith("vendor-sand")]
    expect(sandbox, f"no vendor-sandbox among: {children(server.pid)}")
    first = sandbox_port(server)
    expect(first == USUAL_PORT or f'"taken":{USUAL_PORT}' in server.log.read_text(),
           f"the sandbox's port is {first}, and the log does not say why")
    server.kill()
    harness.wait_until(lambda: process(sandbox[0]) is None, 10,
                       "the sandbox to end with its server")
    server.start()  # the directory is free again, and so is the port
    expect(sandbox_port(server) == first, f"after a restart: {sandbox_port(server)}, not {first}")
    code, seconds = server.stop()
    expect(code == 0 and seconds < 10, f"SIGTERM: code {code} after {seconds:.1f} s")
    with socket.socket() as other:  # takes the port
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", first))
        other.listen()
        server.start()
        second = sandbox_port(server)
        expect(second != first, "two programs listen on a port")
        expect(f'"taken":{first}' in server.log.read_text(), "the log does not name the taken port")
        server.stop()
    server.start()
    expect(sandbox_port(server) == second, f"then: {sandbox_port(server)}, not {second}")
    server.stop()


def sandbox_port(server):
    said = server.log.with_suffix(".out").read_text()
    return int(re.search(r"simulated by http://127\.0\.0\.1:(\d+)", said).group(1))


def series_from_the_start(server):
    """What alerts.yaml watches the increase of is there with 0 before it happens, and so is what
    the requirements name."""
    status, _, text = server.client.raw("GET", "/metrics")
    expect(status == 200, f"/metrics: {status}")
    there = {}
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text.decode(),
                                          re.MULTILINE):
        there.setdefault(name, []).append((dict(re.findall(r'(\w+)="([^"]*)"', labels)),
                                           float(value)))

    def values(name, **wanted):
        return [value for labels, value in there.get(name, ())
                if all(re.fullmatch(pattern, labels.get(key, ""))
                       for key, pattern in wanted.items())]
    rules = (harness.ROOT / "docs" / "operations" / "alerts.yaml").read_text()
    watched = re.findall(r"\b(?:increase|rate)\((\w+)(?:\{([^}]*)\})?\[", rules)
    expect(len(watched) > 8, f"alerts.yaml watches only {watched}")
    for name, labels in watched:
        wanted = dict(re.findall(r'(\w+)=~?"([^"]*)"', labels))
        found = values(name, **wanted)
        expect(found, f"alerts.yaml watches {name}{{{labels}}}, and /metrics has no such series")
    for name, wanted in (
            [("workflow_stuck_total", {"reason": reason}) for reason in (
                "nondeterminism", "limit", "workflow_task_failed", "compensation_blocked")] +
            [("workflow_paused_total", {"by": by}) for by in ("operator", "activity")] +
            [("saga_compensations_total", {"reason": reason}) for reason in (
                "failed", "rejected", "canceled", "timed_out")] +
            [("workflow_executions_total", {"workflow": "campaign", "status": status})
             for status in harness.ENDED] +
            [("activity_executions_total", {"activity": "distribute_campaign_activity",
                                            "status": status})
             for status in ("completed", "failed", "timed_out", "canceled")] +
            [("workflow_starts_total", {"workflow": "campaign"}),
             ("workflow_duration_seconds_count", {"workflow": "campaign"}),
             ("activity_retry_count", {"activity": "research_phase_activity"})]):
        found = values(name, **wanted)
        expect(found == [0], f"{name}{wanted} of a fresh server is {found}, not 0")


def ask(server, path):
    """A GET whose answer is read later."""
    connection = http.client.HTTPConnection(*server.client.address, timeout=30)
    connection.request("GET", path)
    return connection


def follow(server, *arguments):
    """campaignctl that waits for what comes."""
    return subprocess.Popen([BIN / "campaignctl", "--address", server.grpc, *arguments], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def went_on(program):
    """campaignctl was told to come again, came again, and saw the end."""
    out, err = program.communicate(timeout=120)
    expect(program.returncode == 0 and "COMPLETED" in out,
           f"{program.args}: code {program.returncode}: {out}{err}")
    expect("the server is stopping; try again" in err and "the server is back" in err,
           f"{program.args} says nothing of the restart: {err}")


def correlated(place, server):
    """A campaign that is started over gRPC has a correlation id, in its run and in the log."""
    spec = place.directory / "correlated.json"
    spec.write_text(json.dumps(harness.campaign("Correlated")))
    started = json.loads(server.ctl("start", "-f", spec, "--output", "json")[0])
    made = server.rest("GET", f"/v1/workflows/{started['workflow_id']}")["correlation_id"]
    expect(re.fullmatch("[0-9a-f]{16}", made), f"the run's correlation id is {made!r}")
    server.await_review(started["workflow_id"])
    expect(f'"correlation_id":"{made}"' in server.log.read_text(), f"no {made} in the log")


def stop_while_busy(sandbox, server):
    """SIGTERM with activities running, long polls and event streams open over REST and gRPC: all
    are told to come again, code 0 in seconds, and all of it goes on after the start."""
    fault = sandbox.fault(vendor="*", kind="latency", latency_ms=3000)
    ids = [server.rest("POST", "/v1/campaigns", {"campaign": harness.campaign(
        f"Busy {number}", sandbox=sandbox)})["workflow_id"] for number in range(5)]
    result = ask(server, f"/v1/workflows/{ids[0]}/result?wait=60s")
    streams = [ask(server, f"/v1/workflows/{ids[0]}/watch").getresponse()]
    history = http.client.HTTPConnection(*server.client.address, timeout=30)
    history.request("GET", f"/v1/workflows/{ids[0]}/history",
                    headers={"Accept": "text/event-stream"})
    streams.append(history.getresponse())
    waiting = [follow(server, "result", ids[0], "--wait"), follow(server, "watch", ids[0])]
    expect(waiting[1].stdout.readline(), "watch shows nothing")
    harness.wait_until(lambda: server.metric("grpc_requests_total", method="GetWorkflowResult"),
                       30, "result --wait to have come")
    harness.wait_until(lambda: sandbox.client.ok("GET", "/__sandbox/faults")["faults"][0]["applied"],
                       30, "calls to be under way")
    code, seconds = server.stop()
    expect(code == 0 and seconds < 10, f"SIGTERM while busy: code {code} after {seconds:.1f} s")
    answer = result.getresponse()
    told = json.loads(answer.read())
    expect(answer.status == 503 and told["code"] == 14 and "is stopping" in told["message"],
           f"the long poll: {answer.status}: {told}")
    for stream in streams:
        text = stream.read().decode()
        expect("event: error" in text and "the server is stopping; try again" in text,
               f"the end of a stream: {text[-500:]}")
    sandbox.client.ok("DELETE", f"/__sandbox/faults/{fault['id']}")
    server.start()
    for workflow_id in ids:
        server.await_review(workflow_id)
    server.rest("POST", f"/v1/workflows/{ids[0]}/signals/approve", {"decided_by": "test"})
    for program in waiting:
        went_on(program)
    return seconds


def production_run(place, sandbox):
    """Without --dev: settings from a file, secrets from the environment and from files, the
    embedded memory. No secret may reach the logs or the data directory."""
    directory = place.directory / "production"
    directory.mkdir()
    config = directory / "campaignd.yaml"
    config.write_text(production.settings(sandbox.url, {"vendors": {
        "memory": None, "figma": {"token_file": str(directory / "figma-token")}}}))
    (directory / "figma-token").write_text("secret-figma-value\n")
    (directory / "github-token").write_text("secret-github-value\n")
    environment = {name: f"secret-{name}-value" for name in (
        "NOTION_TOKEN", "OPENAI_API_KEY", "SLACK_BOT_TOKEN", "SENDGRID_API_KEY",
        "BUFFER_ACCESS_TOKEN", "GRAFANA_TOKEN")}
    environment["GITHUB_TOKEN_FILE"] = str(directory / "github-token")
    server = harness.Server(directory, sandbox, ["--config", config, "--log-level", "debug"],
                            environment, dev=False)
    place.programs.append(server)
    server.start()
    workflow_id = server.rest("POST", "/v1/campaigns", {
        "campaign": harness.campaign("As in production", sandbox=sandbox)})["workflow_id"]
    server.await_review(workflow_id)
    server.rest("POST", f"/v1/workflows/{workflow_id}/signals/approve", {"decided_by": "test"})
    status = server.wait_ended(workflow_id)
    expect(status == "COMPLETED", f"ended {status}")
    vendors = {resource["vendor"] for resource in sandbox.existing(workflow_id)}
    expect({"github", "sendgrid", "buffer", "grafana"} <= vendors, f"made only at {vendors}")
    expect("memory" not in vendors, "the embedded memory was not used")
    code, _ = server.stop()
    expect(code == 0, f"code {code}")
    for path in [server.log, *(directory / "data").rglob("*")]:
        if path.is_file():
            found = re.search(rb"secret-\w+-value", path.read_bytes())
            expect(not found, f"{path} holds {found and found.group(0)}")


def campaigns_without_their_settings(place, sandbox):
    """What a campaign needs of the settings is asked for at its start, not after its approval."""
    directory = place.directory / "incomplete"
    directory.mkdir()
    config = directory / "campaignd.yaml"
    config.write_text(production.settings(sandbox.url, {
        "campaign": {"email": {"recipients": None}, "social": None}}))
    tokens = {name: value for name, value in production.TOKENS.items() if name != "NOTION_TOKEN"}
    server = harness.Server(directory, sandbox, ["--config", config], tokens, dev=False)
    place.programs.append(server)
    server.start()
    client = server.client

    def refused(method, path, body, *fields):
        status, answer = client.call(method, path, body)
        named = [violation["field"] for violation in answer["details"][0]["field_violations"]]
        expect(status == 400 and named == list(fields), f"{method} {path}: {status}: {answer}")
        return answer

    spec = harness.campaign("Nobody gets it")
    answer = refused("POST", "/v1/campaigns", {"campaign": spec},
                     "campaign.email_recipients", "campaign.channels[1]")
    expect("campaign.email.recipients" in answer["message"] and
           "campaign.social.channels" in answer["message"], f"what to do: {answer}")
    refused("POST", "/v1/campaigns", {"campaign": {**spec, "channels": ["blog"],
                                                   "research_sources": ["notion"]}},
            "campaign.research_sources[0]")
    draft = client.ok("POST", "/v1/wizards", {"campaign": spec})["wizard_id"]
    expect(not client.ok("POST", f"/v1/wizards/{draft}/validate", {})["valid"], "it is valid")
    refused("POST", f"/v1/wizards/{draft}/approve", {},
            "campaign.email_recipients", "campaign.channels[1]")
    expect(client.ok("GET", f"/v1/wizards/{draft}")["status"] == "draft", "it is no draft any more")
    refused("POST", "/v1/schedules", {"schedule_id": "s", "schedule": {
        "spec": {"crons": ["@daily"]}, "action": {"workflow_type": "campaign", "input": {
            "message_type": "campaign.v1.CampaignSpec", "value": spec}}}},
            "schedule.action.input.value.email_recipients",
            "schedule.action.input.value.channels[1]")
    # A dry run sends nothing, and what a campaign brings itself it does not need.
    client.ok("POST", "/v1/campaigns", {"campaign": {**spec, "dry_run": True}})
    workflow_id = client.ok("POST", "/v1/campaigns", {"campaign": {
        **spec, "channels": ["email"], "email_recipients": ["ann@example.com"]}})["workflow_id"]
    server.await_review(workflow_id)
    code, _ = server.stop()
    expect(code == 0, f"code {code}")


def run():
    with harness.Workplace("server") as place:
        command_line(place.directory)
        sandbox = place.sandbox()
        server = place.server(sandbox)
        series_from_the_start(server)
        one_server_a_directory(place, server)
        correlated(place, server)
        busy = stop_while_busy(sandbox, server)
        code, seconds = server.stop()
        expect(code == 0 and seconds < 10, f"SIGTERM: code {code} after {seconds:.1f} s")
        logged = server.log.read_text()
        expect(logged.strip(), "nothing is logged")
        harness.only_json(logged)
        own_sandbox(place)
        production_run(place, place.programs[0])
        campaigns_without_their_settings(place, place.programs[0])
        print(f"server: fine; SIGTERM while busy took {busy:.1f} s")
        return 0


if __name__ == "__main__":
    harness.main(run)
