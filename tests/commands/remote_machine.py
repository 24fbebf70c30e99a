"""Run commands as on a machine without servers of its own, and HTTP servers for them."""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.application import ROOT

TOKEN = "pi_0123456789"


@pytest.fixture
def remote(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Return a function that makes the environment of a machine without servers of its own."""

    def environment(url: str) -> dict[str, str]:
        return os.environ | {
            "PRODUCT_IMPORTER_URL": url,
            "PRODUCT_IMPORTER_TOKEN": TOKEN,
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
            "REDIS_URL": "no URL at all",
            "MAX_UPLOAD_MB": "0",
            "DATA_DIR": str(tmp_path / "untouched"),
        }

    return environment


@pytest.fixture
def run(remote, tmp_path: Path):
    """Return a function that runs a command on a server, and checks that nothing else was touched and shown."""

    def call(url: str, *words: str, stdin: bytes = b"", **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "product_importer", *words]
        environment = remote(url) | more
        done = subprocess.run(
            command, cwd=ROOT, env=environment, input=stdin, capture_output=True, check=False, timeout=90
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in err and TOKEN not in out + err, err
        assert not (tmp_path / "untouched").exists()
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return call


def reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line with which a command fails."""
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("product-importer: ")
    return line


class Refusing(BaseHTTPRequestHandler):
    """Answers everything with `status` and the headers `answers`, and notes the tokens that it gets."""

    status: int
    answers: dict[str, str]
    tokens: list[str | None]

    def do_GET(self) -> None:
        self.tokens.append(self.headers.get("Authorization"))
        self.send_response(self.status)
        for name, value in self.answers.items():
            self.send_header(name, value)
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_) -> None:
        pass


def refusing(status: int, tokens: list[str | None], **answers: str) -> type[Refusing]:
    return type("Answering", (Refusing,), {"status": status, "tokens": tokens, "answers": answers})


@contextmanager
def serving(handler, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run a server, with TLS if there is a context; yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        server.shutdown()


def self_signed(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    written = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(written + certificate.public_bytes(encoding))
    return path
