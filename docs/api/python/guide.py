#!/usr/bin/env python3
"""A campaign from its draft to its result, with nothing but Python's own library.

    CAMPAIGND_URL=http://127.0.0.1:8080 CAMPAIGND_TOKEN=... docs/api/python/guide.py
"""

import json
import os
import time
import urllib.error
import urllib.request

BASE = os.environ.get("CAMPAIGND_URL", "http://127.0.0.1:8080")
TOKEN = os.environ.get("CAMPAIGND_TOKEN", "none")
RUN = os.environ.get("RUN", str(time.time_ns()))


class ApiError(Exception):
    """A google.rpc.Status: `code`, the message, and details by the last word of their type."""

    def __init__(self, http_status, body):
        super().__init__(body["message"])
        self.http_status = http_status
        self.code = body["code"]
        self.details = {d["@type"].rsplit(".", 1)[-1]: d for d in body["details"]}


def open_call(method, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, method=method, headers={
        "Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **headers})
    try:
        return urllib.request.urlopen(request, timeout=90)
    except urllib.error.HTTPError as error:
        raise ApiError(error.code, json.load(error)) from None


def call(method, path, body=None, **headers):
    with open_call(method, path, body, **headers) as response:
        return json.load(response)


def watch(workflow_id):
    """The data of each event "progress"."""
    with open_call("GET", f"/v1/workflows/{workflow_id}/watch") as stream:
        event = None
        for line in stream:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "progress":
                yield json.loads(value)
            elif name == "data":
                return  # "end", or "error" with a Status


def main():
    # 1. A draft. It may be incomplete. The same Idempotency-Key gives the same wizard again.
    draft = {"campaign": {"campaign_name": "Spring running programme", "channels": ["email", "blog"]}}
    wizard = call("POST", "/v1/wizards", draft, **{"Idempotency-Key": f"guide-python-{RUN}"})
    path = f"/v1/wizards/{wizard['wizard_id']}"

    # 2. A fault names every field that is wrong.
    try:
        call("POST", f"{path}/approve", {})
    except ApiError as error:
        for violation in error.details["BadRequest"]["field_violations"]:
            print("missing:", violation["field"], violation["description"])

    # 3. Fill it in. If somebody else changed it in the meantime, the etag is refused with 409.
    call("PATCH", path, {"etag": wizard["etag"], "campaign": {
        "campaign_goals": ["500 sign-ups before the first of May"],
        "research_sources": ["notion", "memory"],
        "target_audience": "people in cities who ran last year",
        "tone": "casual", "reviewers": ["U0REVIEWER1"]}})

    # 4. Start it.
    workflow_id = call("POST", f"{path}/approve", {})["workflow_id"]
    print("started:", workflow_id)

    # 5. Follow it until it waits for a decision.
    for progress in watch(workflow_id):
        print(progress["progress_percentage"], "%", progress["current_phase"])
        if progress["waiting_for_approval"]:
            break

    # 6. Decide. The first decision wins; a second one is told who decided.
    decision = {"comment": "Go."}
    call("POST", f"/v1/workflows/{workflow_id}/signals/approve", decision)
    try:
        call("POST", f"/v1/workflows/{workflow_id}/signals/reject", {"comment": "No."})
    except ApiError as error:
        print("too late:", error)

    # 7. The result, when it is there. Each call waits for a minute at most.
    status = "RUNNING"
    while status == "RUNNING":
        result = call("GET", f"/v1/workflows/{workflow_id}/result?wait=60s")
        status = result["status"]
    print(f"{status}:", ", ".join(result["result"]["value"]["published_channels"]))


if __name__ == "__main__":
    main()
