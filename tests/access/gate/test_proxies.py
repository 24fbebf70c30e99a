"""Forwarding headers apply only if a trusted proxy sends them."""

import pytest

FORWARDED = {
    "x-forwarded-for": "198.51.100.1, 203.0.113.9, 10.0.0.2",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "shop.example",
    "x-forwarded-port": "1",
    "forwarded": "for=1.2.3.4",
    "x-real-ip": "1.2.3.4",
}
GIVEN = {"TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8", "ALLOWED_HOSTS": "shop.example"}


def test_headers_of_a_trusted_proxy_apply(visit):
    received = visit(client="10.0.0.1", **GIVEN).get("/api/x", headers=FORWARDED).json()
    # The last address that is not one of our proxies. The client itself may have written the ones before it.
    assert received == {
        "client": "203.0.113.9",
        "host": "shop.example",
        "scheme": "https",
        "forwarded": [],
        "size": 0,
    }


@pytest.mark.parametrize("given", [{}, GIVEN])
@pytest.mark.parametrize("client", ["192.0.2.1", "127.0.0.1"])
def test_headers_of_other_clients_are_ignored(visit, client, given):
    received = visit(client=client, **given).get("/api/x", headers=FORWARDED).json()
    assert received == {"client": client, "host": "localhost:3000", "scheme": "http", "forwarded": [], "size": 0}


def test_the_nearest_proxy_is_the_client_if_all_addresses_are_proxies(visit):
    headers = {"x-forwarded-for": "10.0.0.3, 10.0.0.2"}
    assert visit(client="10.0.0.1", **GIVEN).get("/api/x", headers=headers).json()["client"] == "10.0.0.2"


def test_an_ipv4_address_mapped_to_ipv6_is_the_same_proxy(visit):
    received = (
        visit(client="::ffff:10.0.0.1", **GIVEN).get("/api/x", headers={"x-forwarded-for": "203.0.113.9"}).json()
    )
    assert received["client"] == "203.0.113.9"


@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-host": "evil.example"}, {"host": "evil.example", "x-forwarded-host": "shop.example"}],
)
def test_the_host_and_the_forwarded_host_are_both_checked(visit, headers):
    assert visit(client="10.0.0.1", **GIVEN).get("/api/x", headers=headers).status_code == 400


def test_a_page_behind_tls_may_send_unsafe_requests(visit):
    headers = {"origin": "https://shop.example", "x-forwarded-host": "shop.example", "x-forwarded-proto": "https"}
    assert visit(client="10.0.0.1", **GIVEN).post("/api/x", headers=headers).status_code == 200
