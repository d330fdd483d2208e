#!/usr/bin/env python3
"""TLS, mutual TLS, certificates that change while the server runs, wrong ones that stop it, and
what the health pages say. The certificates are made by openssl."""

import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import urllib.parse

import harness
from harness import BIN, Failed, expect, wait_until


class Authority:
    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.pem = self.directory / f"{name}.pem"
        self.key = self.directory / f"{name}.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key,
                     "-out", self.pem)

    def openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def sign(self, name, alternative, days=1):
        """The paths of a new certificate and its key."""
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self.openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key,
                     "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key


def context(authority, own=None):
    made = ssl.create_default_context(cafile=authority.pem)
    if own is not None:
        made.load_cert_chain(*own)
    return made


def get(server, path, tls):
    """(status, body, common name of the server's certificate)"""
    host, port = urllib.parse.urlsplit(server.url).netloc.split(":")
    connection = http.client.HTTPSConnection(host, int(port), context=tls, timeout=20)
    try:
        connection.connect()
        subject = dict(pair[0] for pair in connection.sock.getpeercert()["subject"])
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(), subject["commonName"]
    finally:
        connection.close()


def ctl(server, *arguments, stdin=None, environment=None):
    return subprocess.run([BIN / "campaignctl", "--address", server.grpc, *map(str, arguments)],
                          input=stdin, env=environment, capture_output=True, text=True, timeout=60,
                          check=False)


def refuses(place, settings, reason):
    """The server ends at once and says why."""
    path = place.directory / "wrong.yaml"
    path.write_text(settings)
    done = subprocess.run([BIN / "campaignd", "--config", path, "--data-dir",
                           place.directory / "wrong-data", "--http-listen", "127.0.0.1:0",
                           "--grpc-listen", "127.0.0.1:0"],
                          capture_output=True, text=True, timeout=60, check=False)
    expect(done.returncode == 1, f"a server with {settings!r} ended with {done.returncode}")
    expect(reason in done.stderr, f"it should say {reason!r}: {done.stderr!r}")


def run():
    with harness.Workplace("transport") as place:
        directory = place.directory
        servers, clients = Authority(directory, "servers"), Authority(directory, "clients")
        certificate, key = servers.sign("first", "IP:127.0.0.1,DNS:localhost")
        ci = clients.sign("ci", "email:ci@example.com")
        settings = directory / "settings.yaml"
        tls = (f"server:\n  tls:\n    certificate_file: {directory}/server.pem\n"
               f"    key_file: {directory}/server.key\n    client_ca_file: {clients.pem}\n")
        settings.write_text(tls + "    require_client_certificate: true\n    recheck: 1s\n"
                            "auth:\n  certificate_role: viewer\n")

        def install(new_certificate, new_key):
            (directory / "server.key").write_bytes(new_key.read_bytes())
            (directory / "server.pem").write_bytes(new_certificate.read_bytes())

        install(certificate, key)
        sandbox = place.sandbox()
        server = place.server(sandbox, ["--config", settings])
        expect(server.url.startswith("https://"), f"{server.url} is not https")

        known = context(servers, ci)
        status, body, name = get(server, "/readyz", known)
        report = json.loads(body)
        expect(status == 200 and report["status"] == "ready", f"not ready: {body!r}")
        names = [check["name"] for check in report["checks"]]
        expect(names == ["store", "migrations", "partition-0"], f"the checks are {names}")
        expect(name == "first", f"the certificate is that of {name}")
        try:
            get(server, "/healthz", context(servers))
            raise Failed("a client without a certificate was let in")
        except (ssl.SSLError, OSError, http.client.HTTPException):
            pass

        listed = ctl(server, "--tls-ca", servers.pem, "--tls-cert", ci[0], "--tls-key", ci[1],
                     "list")
        expect(listed.returncode == 0, f"campaignctl with a certificate: {listed.stderr}")
        expect(ctl(server, "--tls-ca", servers.pem, "list").returncode != 0,
               "campaignctl without a certificate was let in")

        # By itself, within the time of a recheck.
        install(*servers.sign("second", "IP:127.0.0.1,DNS:localhost"))
        wait_until(lambda: get(server, "/healthz", known)[2] == "second", 20,
                   "the second certificate")
        # What does not fit is not used, and on SIGHUP at once.
        (directory / "server.key").write_text("nonsense")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificates cannot be used" in server.log.read_text(), 20,
                   "the log to name the wrong key")
        expect(get(server, "/healthz", known)[2] == "second", "the old certificate is gone")
        install(*servers.sign("third", "IP:127.0.0.1,DNS:localhost"))
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: get(server, "/healthz", known)[2] == "third", 20,
                   "the third certificate")
        wait_until(lambda: ctl(server, "--tls-ca", servers.pem, "--tls-cert", ci[0], "--tls-key",
                               ci[1], "list").returncode == 0, 20, "gRPC to go on")

        host, port = urllib.parse.urlsplit(server.url).netloc.split(":")
        with socket.create_connection((host, int(port))) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = plain.recv(1000)
        expect(b"400 Bad Request" in answer and b"https://" in answer, f"plain HTTP: {answer!r}")

        refuses(place, f"server:\n  tls:\n    certificate_file: {directory}/none.pem\n"
                f"    key_file: {key}\n", "cannot read")
        refuses(place, f"server:\n  tls:\n    certificate_file: {certificate}\n"
                f"    key_file: {ci[1]}\n", "the key is not that of the certificate")
        refuses(place, f"server:\n  tls:\n    certificate_file: {certificate}\n", "key_file is not")
        code, _ = server.stop()
        expect(code == 0, f"it ended with {code}")
        logged = server.log.read_text()
        expect('"message":"grpc"' in logged, "the handshakes that gRPC refused are not in the log")
        harness.only_json(logged)

        # What `login` tried is how the next commands go. This server asks nobody who they are.
        settings.write_text(tls[:tls.index("    client_ca_file")])
        server = place.server(sandbox, ["--config", settings])
        environment = {**os.environ, "CAMPAIGNCTL_CONFIG_DIR": str(directory / "contexts")}
        signed_in = ctl(server, "login", "--tls-ca", servers.pem, stdin="ck_any\n",
                        environment=environment)
        expect(signed_in.returncode == 0, f"login over TLS: {signed_in.stderr}")
        listed = subprocess.run([BIN / "campaignctl", "list"], env=environment, timeout=60,
                                capture_output=True, text=True, check=False)
        expect(listed.returncode == 0, f"after a login over TLS: {listed.stderr}")
    print("transport: TLS, mutual TLS, new certificates, health")
    return 0


if __name__ == "__main__":
    harness.main(run)
