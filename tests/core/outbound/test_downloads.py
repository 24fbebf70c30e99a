"""Downloads against a real server: every redirect is checked, and an incomplete file is an error."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from product_importer.core.cidr import parse_networks
from product_importer.core.outbound import http_client
from product_importer.core.outbound.address_policy import AddressPolicy
from product_importer.core.outbound.downloads import MAX_REDIRECTS, DownloadError, download, file_name

OPEN = AddressPolicy(parse_networks("127.0.0.0/8"))
CONTENT = b"sku,name,description\n" + b"a,b,c\n" * 100_000


class Files(BaseHTTPRequestHandler):
    """Serve a file at `/file`, N redirects to it at `/hop/N`, and faulty answers at paths named after the fault."""

    def do_GET(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/")
        name = name.partition("?")[0]
        if name == "hop":
            self._redirect("/file" if rest == "1" else f"/hop/{int(rest) - 1}")
        elif name == "to":
            self._redirect(rest)
        elif name in ("file", "cut", "silent"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if name == "file" else CONTENT[:1000])
            self.wfile.flush()
            time.sleep(3 if name == "silent" else 0)
        else:
            self.send_error(404)

    def _redirect(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def fetch(url: str, policy: AddressPolicy = OPEN, silence_seconds: float = 30) -> tuple[bytes, list[str]]:
    hosts: list[str] = []
    content = b"".join(download(url, policy, hosts.append, silence_seconds=silence_seconds))
    return content, hosts


def test_a_file_arrives_in_pieces_unchanged(server):
    pieces = list(download(f"{server}/file", OPEN, pytest.fail))
    assert b"".join(pieces) == CONTENT and len(pieces) > 1


def test_redirects_are_followed_up_to_the_limit_and_reported(server):
    assert fetch(f"{server}/hop/{MAX_REDIRECTS}") == (CONTENT, ["127.0.0.1"] * MAX_REDIRECTS)
    with pytest.raises(DownloadError, match="more than 3 times"):
        fetch(f"{server}/hop/{MAX_REDIRECTS + 1}")


@pytest.mark.parametrize(
    "target",
    [
        *("http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://2852039166/"),
        *("file:///etc/passwd", "http://user:password@127.0.0.1/", "//192.168.0.1/"),
    ],
)
def test_a_redirect_to_a_forbidden_address_is_rejected(server, target):
    with pytest.raises(DownloadError, match="address not allowed"):
        fetch(f"{server}/to/{target}")


def test_a_redirect_to_a_name_with_a_private_address_is_rejected_when_connecting(server, monkeypatch):
    resolve = http_client.resolve
    monkeypatch.setattr(
        http_client, "resolve", lambda host, port: ["10.0.0.1"] if host == "example.com" else resolve(host, port)
    )
    with pytest.raises(DownloadError, match=r"address not allowed: 10\.0\.0\.1"):
        fetch(f"{server}/to/http://example.com/file")


def test_without_an_open_network_this_machine_is_closed(server):
    with pytest.raises(DownloadError, match="WEBHOOK_ALLOW_CIDRS"):
        fetch(f"{server}/file", AddressPolicy())


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing?token=secret", "127.0.0.1 answered 404"),
        ("/cut?token=secret", "broke off"),
        ("/silent?token=secret", "nothing arrived for 0.5 s"),
        ("/to/http://[::1?token=secret", "Invalid URL in location"),
    ],
)
def test_an_incomplete_file_is_an_error_without_the_token(server, path, words):
    with pytest.raises(DownloadError, match=words) as raised:
        fetch(server + path, silence_seconds=0.5 if path.startswith("/silent") else 30)
    assert "secret" not in str(raised.value)


def test_a_refused_connection_is_reported():
    with pytest.raises(DownloadError, match="no connection"):
        fetch("http://127.0.0.1:1/file")


def test_a_download_that_is_closed_early_ends(server):
    with closing(download(f"{server}/file", OPEN, pytest.fail)) as pieces:
        assert next(pieces)
    assert list(pieces) == []


def test_far_more_than_the_limit_is_not_read(server):
    pieces = download(f"{server}/file", OPEN, pytest.fail, max_bytes=len(CONTENT) // 4)
    with pytest.raises(http_client.ResponseTooLong):
        list(pieces)
    assert b"".join(download(f"{server}/file", OPEN, pytest.fail, max_bytes=len(CONTENT))) == CONTENT


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.com/a/price%20list.csv?token=secret", "price list.csv"),
        ("https://example.com/export/", "export"),
        ("https://example.com?token=secret", "example.com"),
    ],
)
def test_a_file_is_named_after_its_path_or_its_host(url, name):
    assert file_name(url) == name
