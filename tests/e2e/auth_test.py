#!/usr/bin/env python3
"""Who may call: no credential means this machine only, the first key shuts the server, keys by
campaignctl, tokens whose keys come from an address and are rotated, an issuer that is down.

    tests/e2e/auth_test.py
"""

import base64
import http.server
import json
import os
import subprocess
import threading
import time

import harness
from harness import BIN, bearer, expect


def output(program, *arguments, environment=None):
    done = subprocess.run([str(BIN / program), *map(str, arguments)], capture_output=True,
                          text=True, timeout=60, check=False,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Publishes keys on a real port and signs tokens, by the openssl program."""

    def __init__(self, directory):
        self.directory = directory
        self.fetches = 0
        self.down = False
        self.hangs = False
        self.end = threading.Event()
        self.published = []
        issuer = self
        for key in ("one", "two", "three"):
            subprocess.run(["openssl", "genrsa", "-out", self.path(key), "2048"],
                           capture_output=True, check=True)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.fetches += 1
                if issuer.hangs:
                    issuer.end.wait(60)
                if issuer.down:
                    return self.send_error(503)
                body = json.dumps({"keys": [issuer.jwk(key) for key in issuer.published]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # who hangs up meanwhile
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks"

    def path(self, key):
        return self.directory / f"{key}.pem"

    def jwk(self, key):
        text = subprocess.run(["openssl", "rsa", "-in", self.path(key), "-noout", "-modulus"],
                              capture_output=True, text=True, check=True).stdout
        modulus = bytes.fromhex(text.strip().split("=")[1])
        return {"kty": "RSA", "kid": key, "use": "sig", "n": base64url(modulus), "e": "AQAB"}

    def token(self, key, **claims):
        whole = {"iss": "https://issuer.example.com", "aud": "campaignd",
                 "exp": int(time.time()) + 3600, **claims}
        text = ".".join(base64url(json.dumps(part).encode())
                        for part in ({"alg": "RS256", "kid": key}, whole))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path(key)],
                                   input=text.encode(), capture_output=True, check=True).stdout
        return f"{text}.{base64url(signature)}"


def caller(server, token=None):
    return harness.Client(server.url, bearer(token) if token else {}).call("GET", "/v1/caller")


def refuses_to_listen_without_a_credential(place):
    for flag in ("--http-listen", "--grpc-listen"):
        other = "--grpc-listen" if flag == "--http-listen" else "--http-listen"
        code, _, err = output("campaignd", "--data-dir", place.directory / "open", flag,
                              "0.0.0.0:0", other, "127.0.0.1:0")
        expect(code == 1 and "will not listen on 0.0.0.0:" in err and "--create-admin-key" in err,
               f"{flag} 0.0.0.0 without a credential: {code}: {err}")


def keys(place, sandbox):
    server = place.server(sandbox)
    status, me = caller(server)
    expect(status == 200 and me["role"] == "admin" and me["credential"] == "none",
           f"an open server: {status} {me}")
    status, _, body = server.client.raw("GET", "/v1/caller", None, {"Host": "evil.example.com"})
    expect(status == 403 and b"HOST_NOT_LOCAL" in body, f"another Host: {status} {body}")
    data = server.directory / "data"
    code, _, err = output("campaignd", "--data-dir", data, "--create-admin-key", "ops")
    expect(code == 1 and "in use" in err, f"a key while the server runs: {code}: {err}")
    server.stop()
    code, secret, err = output("campaignd", "--data-dir", data, "--create-admin-key", "ops")
    secret = secret.strip()
    expect(code == 0 and secret.startswith("ck_"), f"--create-admin-key: {code}: {err}")
    expect(secret not in err, "the secret is on standard error too")

    server.start()
    expect(caller(server)[0] == 401, "no credential is still taken")
    status, me = caller(server, secret)
    expect(status == 200 and me["identity"] == "key:ops" and me["namespace"] == "*", f"{me}")
    for path, code in (("/healthz", 200), ("/readyz", 200), ("/metrics", 401),
                       ("/assets/wf/banner.png", 404), ("/openapi.json", 200)):
        expect(server.client.raw("GET", path)[0] == code, f"{path} is not {code}")

    token = {"CAMPAIGNCTL_TOKEN": secret}

    def ctl(*arguments, environment=None):
        return output("campaignctl", "--address", server.grpc, *arguments,
                      environment=environment or token)

    code, out, err = ctl("whoami")
    expect(code == 0 and "key:ops" in out and "admin" in out, f"whoami: {code}: {out}{err}")
    code, out, err = ctl("keys", "create", "ci", "--role", "editor", "--namespace", "default",
                         "--expires-in", "24h", "--output", "json")
    expect(code == 0, f"keys create: {err}")
    made = json.loads(out)
    ci = {"CAMPAIGNCTL_TOKEN": made["secret"]}
    expect(ctl("list", environment=ci)[0] == 0, "the new key may not list")
    code, _, err = ctl("kill-switch", "on", "--reason", "x", environment=ci)
    expect(code != 0 and "needs the role admin" in err, f"an editor's kill switch: {code}: {err}")
    code, out, _ = ctl("keys", "list")
    expect(code == 0 and made["api_key"]["key_id"] in out and made["secret"] not in out, out)
    code, out, _ = ctl("users", "set", "ann@example.com", "--role", "viewer")
    expect(code == 0 and "viewer" in out, out)
    expect("ann@example.com" in ctl("users", "list")[1], "users list")
    expect(ctl("users", "delete", "ann@example.com")[0] == 0, "users delete")
    code, out, err = ctl("keys", "revoke", made["api_key"]["key_id"])
    expect(code == 0 and "revoked" in out, f"keys revoke: {out}{err}")
    code, _, err = ctl("list", environment=ci)
    expect(code != 0 and "revoked" in err, f"a revoked key: {code}: {err}")

    # A crash changes nothing of it.
    server.kill()
    server.start()
    expect(caller(server, made["secret"])[0] == 401, "a revoked key after a crash")
    expect(caller(server, secret)[0] == 200, "the admin's key after a crash")
    log = server.log.read_text()
    expect(secret not in log and made["secret"] not in log, "a secret is in the log")
    server.stop()


def tokens(place, sandbox):
    directory = place.directory / "tokens"
    directory.mkdir()
    issuer = Issuer(directory)
    issuer.published = ["one"]
    config = directory / "campaignd.yaml"
    config.write_text(f"""auth:
  email_domains: [example.com]
  public_metrics: true
  public_assets: false
  jwt:
    jwks_url: "{issuer.url}"
    issuer: https://issuer.example.com
    audiences: [campaignd]
""")
    server = harness.Server(directory, sandbox, ["--config", config])
    place.programs.append(server)
    server.start()
    ann = {"email": "ann@example.com"}
    status, me = caller(server, issuer.token("one", **ann, roles=["editor"]))
    expect(status == 200 and me["role"] == "editor" and me["identity"] == "ann@example.com", f"{me}")
    expect(caller(server, issuer.token("one", **ann))[1]["role"] == "viewer", "the default role")
    for claims, code in (({"aud": "other"}, 401), ({"iss": "https://evil"}, 401),
                         ({"exp": int(time.time()) - 3600}, 401),
                         ({"email": "eve@evil.com"}, 403)):
        status, body = caller(server, issuer.token("one", **{**ann, **claims}))
        expect(status == code, f"{claims}: {status} {body}")
    for path, code in (("/metrics", 200), ("/assets/wf/banner.png", 401)):
        expect(server.client.raw("GET", path)[0] == code, f"{path} is not {code}")
    expect(issuer.fetches == 1, f"{issuer.fetches} fetches for all of that")

    # Rotation: a token with the new key has the keys fetched; the old one's then end.
    issuer.published = ["two"]
    new, old = issuer.token("two", **ann), issuer.token("one", **ann)
    harness.wait_until(lambda: caller(server, new)[0] == 200, 30, "the new key to be fetched", 1)
    expect(caller(server, old)[0] == 401, "a token of the key that is gone")
    # The issuer is down: what we have goes on.
    issuer.down = True
    unknown = issuer.token("three", **ann)
    before = issuer.fetches

    def fetched():
        status = caller(server, unknown)[0]
        expect(status in (401, 429), f"a key that nobody published: {status}")
        return issuer.fetches > before
    harness.wait_until(fetched, 30, "another fetch", 1)
    expect(caller(server, new)[0] == 200, "the keys did not stay while the issuer was down")
    expect(new not in server.log.read_text(), "a token is in the log")

    # A fetch that hangs does not hold up the end of the server.
    issuer.hangs, before = True, issuer.fetches

    def ask():
        while issuer.fetches == before:
            output("campaignctl", "--address", server.grpc, "list",
                   environment={"CAMPAIGNCTL_TOKEN": unknown})
            time.sleep(1)
    threading.Thread(target=ask, daemon=True).start()
    harness.wait_until(lambda: issuer.fetches > before, 30, "a fetch that hangs")
    code, seconds = server.stop()
    issuer.end.set()
    expect(code == 0 and seconds < 6, f"SIGTERM during a fetch: code {code} after {seconds:.1f} s")


def run():
    with harness.Workplace("auth") as place:
        refuses_to_listen_without_a_credential(place)
        sandbox = place.sandbox()
        keys(place, sandbox)
        tokens(place, sandbox)
    print("auth: no credential, keys, tokens, rotation")
    return 0


if __name__ == "__main__":
    harness.main(run)
