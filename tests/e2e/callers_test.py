#!/usr/bin/env python3
"""Limits of callers on the real server with real keys: calls, starts of campaigns, guessed keys.

What was counted by the hour outlives a SIGKILL; what was refused says when to come back; the trail
has the keys, the sign-ins and the refusals.
"""

import json
import subprocess

import harness
from harness import bearer, expect

SETTINGS = """
limits:
  reads: 6/1h
  sign_ins: 4/1h
  campaigns_per_hour: 2
"""


def call(server, key, method, path, body=None):
    headers = {"Content-Type": "application/json", **bearer(key)}
    data = None if body is None else json.dumps(body)
    status, headers, answer = server.client.raw(method, path, data, headers)
    return status, headers, json.loads(answer)


def start(server, key, name):
    return call(server, key, "POST", "/v1/campaigns",
                {"campaign": harness.campaign(name), "request_id": name})


def run():
    with harness.Workplace("callers") as place:
        done = subprocess.run([harness.BIN / "campaignd", "--data-dir", place.directory / "data",
                               "--create-admin-key", "ops"], capture_output=True, text=True, check=True)
        admin = done.stdout.strip()
        settings = place.directory / "settings.yaml"
        settings.write_text(SETTINGS)
        server = place.server(place.sandbox(), ["--config", settings])
        status, _, made = call(server, admin, "POST", "/v1/api-keys", {"name": "ci", "role": "editor"})
        expect(status == 200, made)
        key = made["secret"]

        for left in (5, 4, 3, 2, 1, 0):
            status, headers, answer = call(server, key, "GET", "/v1/wizards")
            expect(status == 200 and headers["ratelimit-remaining"] == str(left), (headers, answer))
        status, headers, answer = call(server, key, "GET", "/v1/wizards")
        expect(status == 429 and int(headers["retry-after"]) >= 500, (status, headers, answer))
        expect(headers["ratelimit-limit"] == "6" and headers["ratelimit-remaining"] == "0", headers)
        expect(call(server, admin, "GET", "/v1/wizards")[0] == 200, "another caller has his own")

        for number in range(2):
            status, _, answer = start(server, key, f"callers-{number}")
            expect(status == 200, answer)
        expect(start(server, key, "callers-0")[2]["already_started"], "a repeated start counts once")
        status, headers, answer = start(server, key, "callers-2")
        expect(status == 429 and "may be started at" in answer["message"], answer)
        expect(3000 < int(headers["retry-after"]) <= 3600, headers)
        server.kill()
        server.start()
        status, _, answer = start(server, key, "callers-2")
        expect(status == 429, f"the restart forgot: {answer}")
        expect(start(server, key, "callers-1")[0] == 200, "what was counted may be repeated")

        codes = [call(server, f"ck_00000000_{i}", "GET", "/v1/wizards")[0] for i in range(6)]
        expect(codes == [401] * 4 + [429] * 2, codes)
        expect(call(server, admin, "GET", "/v1/wizards")[0] == 200, "a good key goes on")

        _, _, trail = call(server, admin, "GET", "/v1/audit/events?page_size=1000")
        told = [(e["actor"], e["action"], e["outcome"]) for e in trail["events"]]
        for wanted in (("key:ops", "CreateApiKey", "OK"), ("key:ci", "sign-in", "OK"),
                       ("key:ci", "CreateCampaign", "RESOURCE_EXHAUSTED"),
                       ("key:ci", "call.limited", "RESOURCE_EXHAUSTED"),
                       ("", "sign-in.failed", "UNAUTHENTICATED")):
            expect(wanted in told, f"the trail has no {wanted}: {told}")
        first = [e for e in trail["events"] if e["action"] == "CreateApiKey" and e["credential"] == "server"]
        expect(len(first) == 2 and first[0]["outcome"] == "OK", f"the first key: {first}")
        text = json.dumps(trail)
        for secret in (admin, key):
            expect(secret not in text and secret.split("_", 2)[2] not in text, "a key is in the trail")
        _, _, verdict = call(server, admin, "GET", "/v1/audit/verify")
        expect(verdict["intact"], verdict)
    print("callers: fine")
    return 0


if __name__ == "__main__":
    harness.main(run)
