"""Which URLs and addresses may be called, and which address is connected to."""

import asyncio
import threading
from ipaddress import ip_address

import httpcore
import httpx
import pytest

from product_importer.core.cidr import parse_networks, parse_ports
from product_importer.core.outbound import http_client
from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy, closed_reason, policy
from product_importer.core.settings import settings
from tests.webhooks.forbidden import ALLOWED, FORBIDDEN

PORTS = parse_ports("80,443,1024-65535")
STRICT = AddressPolicy((), PORTS)


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_forbidden_url_is_rejected(url):
    with pytest.raises(AddressNotAllowed, match=r"^address not allowed: ."):
        STRICT.check_url(url)


@pytest.mark.parametrize("url", ALLOWED)
def test_a_public_url_is_allowed(url):
    STRICT.check_url(url)


@pytest.mark.parametrize(
    "address",
    # Addresses that Python's `is_global` calls global, and the first and last of closed networks.
    [
        *("224.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.88.99.1", "::ffff:8.8.8.8"),
        *("100.64.0.0", "100.127.255.255", "172.31.255.255", "0.255.255.255", "198.19.255.255"),
        *("4000::", "2001:1ff::", "1fff::"),
    ],
)
def test_an_address_that_is_not_public_is_closed(address):
    assert closed_reason(ip_address(address))
    with pytest.raises(AddressNotAllowed):
        STRICT.check_ip(address, 443)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.0", "11.0.0.0", "9.255.255.255"),
        *("2606:4700::", "2a00::", "2001:200::"),
    ],
)
def test_a_public_address_is_open(address):
    STRICT.check_ip(address, 443)


def test_an_opened_network_is_open_and_no_other():
    opened = AddressPolicy(parse_networks("10.1.0.0/16, ::1/128"), PORTS)
    for url in ("http://10.1.2.3/", "http://[::1]:8080/", "http://localhost:3000/", "http://hooks.internal/"):
        opened.check_url(url)
    # IPv6 addresses that contain an address of an opened IPv4 network stay closed.
    for url in ("http://10.2.0.1/", "http://127.0.0.1/", "http://[::ffff:10.1.2.3]/", "http://169.254.169.254/"):
        with pytest.raises(AddressNotAllowed):
            opened.check_url(url)


@pytest.mark.parametrize(
    ("networks", "database", "opens"),
    [
        (None, None, True),
        (None, "postgresql://somewhere/shop", False),
        ("none", None, False),
        ("127.0.0.0/8", "postgresql://somewhere/shop", True),
    ],
)
def test_loopback_is_open_by_default_only_with_the_embedded_database(monkeypatch, networks, database, opens):
    monkeypatch.setattr(settings(), "webhook_allow_cidrs", networks)
    monkeypatch.setattr(settings(), "database_url", database)
    assert policy().is_open(ip_address("127.0.0.1")) is opens
    assert not policy().is_open(ip_address("10.0.0.1"))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "everything", "10.0.0.0/8;fd00::/8"])
def test_invalid_networks_are_rejected(text):
    with pytest.raises(ValueError):
        parse_networks(text)


@pytest.mark.parametrize("text", ["", "0", "65536", "90-80", "http", "80,,x"])
def test_invalid_ports_are_rejected(text):
    with pytest.raises(ValueError):
        parse_ports(text)


def connect(allowed: AddressPolicy, url: str) -> httpx.Response:
    async def post() -> httpx.Response:
        async with http_client.client(allowed, httpx.Timeout(2), 1_000) as client:
            return await client.post(url)

    return asyncio.run(post())


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:169.254.169.254"], ["0.0.0.0"]])
def test_a_name_that_resolves_to_a_private_address_is_rejected_when_connecting(monkeypatch, answers):
    monkeypatch.setattr(http_client, "resolve", lambda host, port: answers)
    STRICT.check_url("http://example.com/")
    with pytest.raises(AddressNotAllowed):
        connect(STRICT, "http://example.com/")


def test_a_name_is_resolved_once_and_the_checked_address_is_used(monkeypatch):
    # A rebinding name server: a public address for the first query, a private one afterwards.
    answers = iter([["192.0.2.1"], ["127.0.0.1"]])
    asked, connected = [], []

    def resolve(host, port):
        asked.append(host)
        return next(answers)

    async def note(self, host, port, **_):
        connected.append(host)
        raise httpcore.ConnectError("not in a test")

    monkeypatch.setattr(http_client, "resolve", resolve)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", note)
    with pytest.raises(httpx.ConnectError):
        connect(AddressPolicy(parse_networks("192.0.2.0/24"), PORTS), "http://rebinding.example.com/")
    assert (asked, connected) == (["rebinding.example.com"], ["192.0.2.1"])


def test_concurrent_lookups_of_a_name_share_one_answer(monkeypatch):
    # A slow name server must not occupy all resolver threads, which all webhooks share.
    asked, answers = [], threading.Event()

    def resolve(host, port):
        asked.append(host)
        answers.wait(10)
        raise OSError("no such name")

    async def connect_often() -> list[object]:
        async with http_client.client(STRICT, httpx.Timeout(10, connect=0.2), 1_000) as impatient:
            calls = [impatient.post("http://silent.example.com/") for _ in range(20)]
            errors = await asyncio.gather(*calls, return_exceptions=True)
        async with http_client.client(STRICT, httpx.Timeout(10), 1_000) as patient:
            asyncio.get_running_loop().call_later(0.1, answers.set)
            return [
                *errors,
                *await asyncio.gather(patient.post("http://silent.example.com/"), return_exceptions=True),
            ]

    monkeypatch.setattr(http_client, "resolve", resolve)
    *impatient, patient = asyncio.run(connect_often())
    assert {type(error) for error in impatient} == {httpx.ConnectTimeout}
    assert isinstance(patient, httpx.ConnectError) and "no such name" in str(patient)
    assert asked == ["silent.example.com"]
    with pytest.raises(httpx.ConnectError):
        connect(STRICT, "http://silent.example.com/")
    assert len(asked) == 2, "an answer is only for the requests that waited for it"


def test_each_request_reads_at_most_the_maximum_of_bytes():
    class Endless(httpcore.AsyncMockStream):
        async def read(self, max_bytes, timeout=None):  # noqa: ASYNC109 - httpcore's signature
            return b"x" * max_bytes

    async def read_all(stream) -> int:
        await stream.write(b"request")
        read = 0
        with pytest.raises(http_client.ResponseTooLong):
            while piece := await stream.read(64):
                read += len(piece)
        return read

    stream = http_client.BoundedStream(Endless([]), 1_000)
    assert [asyncio.run(read_all(stream)) for _ in range(2)] == [1_000, 1_000]


def test_proxies_in_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with pytest.raises(AddressNotAllowed):
        connect(STRICT, "http://127.0.0.1/")
