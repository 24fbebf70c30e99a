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


def test_a_trusted_proxy_is_believed(visit):
    told = visit(client="10.0.0.1", **GIVEN).get("/api/x", headers=FORWARDED).json()
    # The last that is no proxy of ours: who sends the header writes what stands before.
    assert told == {"client": "203.0.113.9", "host": "shop.example", "scheme": "https", "forwarded": [], "size": 0}


@pytest.mark.parametrize("given", [{}, GIVEN])
@pytest.mark.parametrize("client", ["192.0.2.1", "127.0.0.1"])
def test_nobody_else_is(visit, client, given):
    told = visit(client=client, **given).get("/api/x", headers=FORWARDED).json()
    assert told == {"client": client, "host": "localhost:3000", "scheme": "http", "forwarded": [], "size": 0}


def test_a_proxy_among_proxies_is_the_client_where_nobody_else_is_named(visit):
    headers = {"x-forwarded-for": "10.0.0.3, 10.0.0.2"}
    assert visit(client="10.0.0.1", **GIVEN).get("/api/x", headers=headers).json()["client"] == "10.0.0.2"


def test_ipv4_inside_ipv6_is_the_same_proxy(visit):
    told = visit(client="::ffff:10.0.0.1", **GIVEN).get("/api/x", headers={"x-forwarded-for": "203.0.113.9"}).json()
    assert told["client"] == "203.0.113.9"


@pytest.mark.parametrize(
    "headers",
    [{"x-forwarded-host": "evil.example"}, {"host": "evil.example", "x-forwarded-host": "shop.example"}],
)
def test_both_the_host_and_what_a_proxy_tells_are_judged(visit, headers):
    assert visit(client="10.0.0.1", **GIVEN).get("/api/x", headers=headers).status_code == 400


def test_a_page_behind_tls_may_change_things(visit):
    headers = {"origin": "https://shop.example", "x-forwarded-host": "shop.example", "x-forwarded-proto": "https"}
    assert visit(client="10.0.0.1", **GIVEN).post("/api/x", headers=headers).status_code == 200
