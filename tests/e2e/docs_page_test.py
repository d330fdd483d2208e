#!/usr/bin/env python3
"""/docs in a browser: the page shows the operations of /openapi.json, everything comes from the server
itself, and its content security policy stops nothing that it needs.

    tests/e2e/docs_page_test.py
"""

import gzip
import re
import shutil
import subprocess

import harness
from harness import expect


def files(server):
    """What the page is made of: types, compression, validators, and nothing beside it."""
    for path, kind in (("/openapi.json", "application/json"), ("/docs", "text/html"),
                       ("/docs/docs.js", "text/javascript"), ("/docs/swagger-ui.css", "text/css"),
                       ("/docs/swagger-ui-bundle.js", "text/javascript")):
        status, got, plain = server.client.raw("GET", path)
        expect(status == 200 and got["content-type"].startswith(kind), f"{path}: {status} {got}")
        expect("content-encoding" not in got, f"{path} is compressed for nobody: {got}")
        expect("'unsafe-" not in got["content-security-policy"] and
               "default-src 'none'" in got["content-security-policy"], f"{path}: {got}")
        status, got, packed = server.client.raw("GET", path, None,
                                                {"Accept-Encoding": "br, *;q=0, gzip"})
        # JSON gets a line break at its end, for terminals, where it is not compressed.
        expect(got.get("content-encoding") == "gzip" and
               gzip.decompress(packed).rstrip(b"\n") == plain.rstrip(b"\n"), f"{path}: gzip: {got}")
        expect(int(got["content-length"]) == len(packed), f"{path}: {got}")
        expect(got["vary"] == "Accept-Encoding", f"{path}: {got}")
        status, again, body = server.client.raw("GET", path, None, {"If-None-Match": got["etag"]})
        expect(status == 304 and not body, f"{path}: If-None-Match: HTTP {status}")
    for path in ("/docs/none.js", "/docs/index.html%2f..", "/docs/../openapi.json"):
        status, _, _ = server.client.raw("GET", path)
        expect(status in (200, 404) and (status == 404 or path.endswith("openapi.json")),
               f"{path}: HTTP {status}")
    _, _, html = server.client.raw("GET", "/docs")
    expect(not re.search(rb"https?://", html), "the page takes something from elsewhere")
    expect(not re.search(rb"<script(?![^>]*src)[^>]*>|<style|\son\w+=", html),
           "the page has a script or style within it")


def browser(server, directory):
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    expect(program, "there is no chromium: run deploy/install-deps.sh")
    done = subprocess.run(
        [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--no-first-run",
         f"--user-data-dir={directory / 'chromium'}", "--enable-logging=stderr", "--v=0",
         "--virtual-time-budget=60000", "--dump-dom", server.url + "/docs"],
        capture_output=True, text=True, timeout=180, check=False)
    page = done.stdout
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    expect(not said, "the browser says:\n" + "\n".join(said))
    for text in ("campaignd", "ApproveWizard", "/v1/campaigns", "WorkflowService", "Authorize"):
        expect(text in page, f"the page does not show {text}:\n{page[:2000]}\n{done.stderr[-2000:]}")


def run():
    with harness.Workplace("docs") as place:
        server = place.server(place.sandbox())
        files(server)
        browser(server, place.directory)
        print("docs: fine")
        return 0


if __name__ == "__main__":
    harness.main(run)
