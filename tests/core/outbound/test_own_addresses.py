"""Recognise the application's own addresses."""

import socket
from ipaddress import ip_address

import pytest

from product_importer.core.cidr import parse_networks
from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy
from product_importer.core.outbound.own_addresses import from_settings, is_of_this_machine
from tests.webhooks.forbidden import LOOPBACK_HOSTS

# All networks are open, so only addresses of the application are rejected.
EVERYWHERE = parse_networks("0.0.0.0/0, ::/0")
NO_PORTS: frozenset[int] = frozenset()


def policy(host="127.0.0.1", port=3000, allowed_hosts="", further=NO_PORTS) -> AddressPolicy:
    return AddressPolicy(EVERYWHERE, own=from_settings(host, port, allowed_hosts, further))


def rejects(allowed: AddressPolicy, url: str) -> bool:
    try:
        allowed.check_url(url)
    except AddressNotAllowed as error:
        assert str(error).startswith("address not allowed: port ")
        assert str(error).endswith(" is this application itself")
        return True
    return False


def own_address() -> str:
    """Return an address of this machine: not loopback, unless it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost", "192.0.2.9"])
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_loopback_in_any_notation_is_ours_on_our_port_only(host, listens_on):
    ours = policy(listens_on)
    assert rejects(ours, f"http://{host}:3000/api/webhooks")
    assert rejects(policy(listens_on, 80), f"http://{host}/")
    assert rejects(policy(listens_on, 443), f"https://{host}/")
    assert not rejects(ours, f"http://{host}:3001/")
    assert not rejects(ours, f"http://{host}/")


def test_the_port_of_the_backend_is_ours_too():
    ours = policy(further=frozenset({8000}))
    assert rejects(ours, "http://localhost:8000/") and rejects(ours, "http://localhost:3000/")
    assert not rejects(policy(), "http://localhost:8000/")


def test_only_the_configured_address_is_ours():
    ours = policy("192.0.2.9")
    for host in ("192.0.2.9", "0xc0000209", "[::ffff:192.0.2.9]", "192.0.2.9."):
        assert rejects(ours, f"http://{host}:3000/")
    assert not rejects(ours, "http://192.0.2.9:80/")
    assert not rejects(ours, "http://192.0.2.10:3000/")
    assert rejects(policy("::ffff:192.0.2.9"), "http://192.0.2.9:3000/")
    assert rejects(policy("fd00::9"), "http://[fd00:0::9]:3000/")


def test_every_address_of_this_machine_is_ours_when_we_listen_on_all():
    own = own_address()
    for listens_on in ("0.0.0.0", "::", "shop"):
        assert rejects(policy(listens_on), f"http://{own}:3000/")
        assert not rejects(policy(listens_on), f"http://{own}:3001/")
        assert not rejects(policy(listens_on), "http://192.0.2.10:3000/")
    assert rejects(policy("shop"), "http://SHOP:3000/")


def test_an_address_is_of_this_machine_when_a_socket_can_be_bound_to_it():
    assert is_of_this_machine(ip_address("127.0.0.1")) and is_of_this_machine(ip_address(own_address()))
    assert not is_of_this_machine(ip_address("192.0.2.10"))
    assert not is_of_this_machine(ip_address("2001:db8::10"))
    assert not is_of_this_machine(ip_address("fe80::1%nothing"))


def test_allowed_hosts_are_ours_on_public_ports_and_on_our_own():
    ours = policy(allowed_hosts="Shop.example, 192.0.2.7, [fd00::7]")
    for host in ("shop.example", "SHOP.example.", "192.0.2.7", "0xc0000207", "[fd00::7]", "[::ffff:192.0.2.7]"):
        for url in (f"http://{host}/", f"https://{host}/api", f"http://{host}:3000/", f"http://{host}:443/"):
            assert rejects(ours, url), url
        assert not rejects(ours, f"http://{host}:8443/")
    assert not rejects(ours, "https://other.shop.example/")
    assert not rejects(ours, "https://shop.example.org/")


def test_a_policy_without_own_addresses_allows_them():
    AddressPolicy(EVERYWHERE).check_url("http://127.0.0.1:3000/")
