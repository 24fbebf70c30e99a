"""Which addresses are the application itself."""

import socket
from ipaddress import ip_address

import pytest

from product_importer.core.cidr import parse_networks
from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy
from product_importer.core.outbound.own_addresses import from_settings, is_of_this_machine
from tests.webhooks.forbidden import LOOPBACK_HOSTS

# Everything is open: what is refused is refused because it is the application.
EVERYWHERE = parse_networks("0.0.0.0/0, ::/0")
NO_PORTS: frozenset[int] = frozenset()


def policy(host="127.0.0.1", port=3000, allowed_hosts="", further=NO_PORTS) -> AddressPolicy:
    return AddressPolicy(EVERYWHERE, own=from_settings(host, port, allowed_hosts, further))


def refuses(allowed: AddressPolicy, url: str) -> bool:
    try:
        allowed.check_url(url)
    except AddressNotAllowed as refusal:
        assert str(refusal).startswith("address not allowed: port ")
        assert str(refusal).endswith(" is this application itself")
        return True
    return False


def own_address() -> str:
    """Return an address of this machine other than loopback, or a loopback one where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.mark.parametrize("listens_on", ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost", "192.0.2.9"])
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_loopback_is_ours_in_every_notation_and_on_our_port_only(host, listens_on):
    ours = policy(listens_on)
    assert refuses(ours, f"http://{host}:3000/api/webhooks")
    assert refuses(policy(listens_on, 80), f"http://{host}/")
    assert refuses(policy(listens_on, 443), f"https://{host}/")
    assert not refuses(ours, f"http://{host}:3001/")
    assert not refuses(ours, f"http://{host}/")


def test_the_port_of_the_backend_is_ours_too():
    ours = policy(further=frozenset({8000}))
    assert refuses(ours, "http://localhost:8000/") and refuses(ours, "http://localhost:3000/")
    assert not refuses(policy(), "http://localhost:8000/")


def test_the_address_of_the_setting_is_ours_and_its_neighbour_is_not():
    ours = policy("192.0.2.9")
    for host in ("192.0.2.9", "0xc0000209", "[::ffff:192.0.2.9]", "192.0.2.9."):
        assert refuses(ours, f"http://{host}:3000/")
    assert not refuses(ours, "http://192.0.2.9:80/")
    assert not refuses(ours, "http://192.0.2.10:3000/")
    assert refuses(policy("::ffff:192.0.2.9"), "http://192.0.2.9:3000/")
    assert refuses(policy("fd00::9"), "http://[fd00:0::9]:3000/")


def test_every_address_of_this_machine_is_ours_when_we_listen_on_all():
    own = own_address()
    for listens_on in ("0.0.0.0", "::", "shop"):
        assert refuses(policy(listens_on), f"http://{own}:3000/")
        assert not refuses(policy(listens_on), f"http://{own}:3001/")
        assert not refuses(policy(listens_on), "http://192.0.2.10:3000/")
    assert refuses(policy("shop"), "http://SHOP:3000/")


def test_an_address_is_of_this_machine_when_a_socket_can_be_bound_to_it():
    assert is_of_this_machine(ip_address("127.0.0.1")) and is_of_this_machine(ip_address(own_address()))
    assert not is_of_this_machine(ip_address("192.0.2.10"))
    assert not is_of_this_machine(ip_address("2001:db8::10"))
    assert not is_of_this_machine(ip_address("fe80::1%nothing"))


def test_what_others_call_us_is_ours_on_public_ports_and_on_our_own():
    ours = policy(allowed_hosts="Shop.example, 192.0.2.7, [fd00::7]")
    for host in ("shop.example", "SHOP.example.", "192.0.2.7", "0xc0000207", "[fd00::7]", "[::ffff:192.0.2.7]"):
        for url in (f"http://{host}/", f"https://{host}/api", f"http://{host}:3000/", f"http://{host}:443/"):
            assert refuses(ours, url), url
        assert not refuses(ours, f"http://{host}:8443/")
    assert not refuses(ours, "https://other.shop.example/")
    assert not refuses(ours, "https://shop.example.org/")


def test_a_guard_of_nobody_knows_no_application():
    AddressPolicy(EVERYWHERE).check_url("http://127.0.0.1:3000/")
