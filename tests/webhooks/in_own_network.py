"""Names that resolve to private addresses, with a real name server and the system's resolver.

`test_rebinding` runs this file. Every address belongs to this machine, and one receiver listens on all of them, so a
request that is not rejected arrives.
"""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from product_importer.core.settings import settings
from tests.catalog.conftest import create
from tests.waiting import wait_for
from tests.webhooks.conftest import Receiver, fetch
from tests.webhooks.name_server import NameServer
from tests.webhooks.own_network import INSIDE, PUBLIC

__all__ = ["create"]

pytestmark = pytest.mark.usefixtures("closed")

NOT_ALLOWED = "address not allowed"
NAME = "hooks.example.com"
PRIVATE = ["127.0.0.1", *INSIDE, "0.0.0.0", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]


@pytest.fixture
def answer() -> Iterator[Callable[..., NameServer]]:
    """Start name servers."""
    servers = []

    def start(**names) -> NameServer:
        servers.append(NameServer({name.replace("_", "."): answers for name, answers in names.items()}))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def everywhere(make_receiver) -> Receiver:
    """Start a receiver that listens on every address of this machine."""
    return make_receiver(host="0.0.0.0")


@pytest.fixture
def attempt(client, webhook, everywhere, create, send, request) -> Callable[[], str | None]:
    """Send a test message or a delivery to the name, and return its error."""
    made = webhook(f"http://{NAME}:{everywhere.port}/hook")
    sent: list[dict] = []

    def test() -> str | None:
        return client.post(f"/api/webhooks/{made['id']}/test").json()["error"]

    def deliver() -> str | None:
        sent.append(create(f"SKU-{len(sent)}"))
        send()
        newest = client.get(f"/api/webhooks/{made['id']}/deliveries").json()["items"][0]
        assert newest["attempts"] == 1
        return newest["error"]

    return {"test": test, "delivery": deliver}[request.param]


both_ways = pytest.mark.parametrize("attempt", ["test", "delivery"], indirect=True)


def reached(receiver: Receiver) -> list[str]:
    return [message.reached for message in receiver.received]


@both_ways
@pytest.mark.parametrize("inside", PRIVATE)
def test_a_name_that_becomes_private_is_rejected(answer, everywhere, attempt, inside):
    server = answer(hooks_example_com=[[PUBLIC], [inside]])
    assert attempt() is None
    assert attempt().startswith(NOT_ALLOWED)
    assert attempt().startswith(NOT_ALLOWED)
    assert reached(everywhere) == [PUBLIC]
    # One query per connection: it connects to the address that was checked.
    assert server.asked[NAME] == 3


@both_ways
def test_a_name_that_alternates_is_reached_only_while_it_is_public(answer, everywhere, attempt):
    answer(hooks_example_com=[["127.0.0.1"], [PUBLIC]] * 3)
    assert [attempt() is None for _ in range(6)] == [False, True] * 3
    assert reached(everywhere) == [PUBLIC] * 3


@both_ways
@pytest.mark.parametrize("inside", PRIVATE)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_name_with_one_private_address_is_rejected(answer, everywhere, attempt, inside, is_first):
    answer(hooks_example_com=[[inside, PUBLIC] if is_first else [PUBLIC, inside]])
    assert attempt().startswith(NOT_ALLOWED)
    assert reached(everywhere) == []


@both_ways
def test_an_alias_of_a_private_name_is_rejected(answer, everywhere, attempt):
    answer(hooks_example_com=[["=router.example.com"]], router_example_com=[["10.0.0.7"]])
    assert attempt().startswith(NOT_ALLOWED)
    assert reached(everywhere) == []


@both_ways
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_target_of_a_redirect_is_not_resolved(answer, everywhere, attempt, status):
    server = answer(hooks_example_com=[[PUBLIC]], router_example_com=[["127.0.0.1"]])
    everywhere.status = status
    everywhere.headers = {"Location": f"http://router.example.com:{everywhere.port}/"}
    assert attempt() == f"answered {status}: redirects are not followed"
    assert reached(everywhere) == [PUBLIC]
    assert set(server.asked) == {NAME}


@both_ways
@pytest.mark.parametrize("host", ["0.0.0.0", PUBLIC, "127.0.0.1"])
def test_a_name_of_the_application_itself_is_rejected(answer, everywhere, attempt, monkeypatch, host):
    # All networks are allowed, and the receiver has the port of the application, so any request would arrive.
    monkeypatch.setattr(settings(), "webhook_allow_cidrs", "0.0.0.0/0, ::/0")
    monkeypatch.setattr(settings(), "host", host)
    # Beyond loopback, people would have to sign in.
    monkeypatch.setattr(settings(), "auth", "off")
    own = ["127.0.0.1", "127.3.2.1", "::1", "0.0.0.0", "::ffff:127.0.0.1"]
    own += {"0.0.0.0": [PUBLIC, *INSIDE], PUBLIC: [PUBLIC]}.get(host, [])
    answer(hooks_example_com=[*([address] for address in own), [INSIDE[0], own[-1]], [own[-1]]])
    elsewhere = settings().port
    monkeypatch.setattr(settings(), "port", everywhere.port)
    for _ in range(len(own) + 1):
        assert attempt().startswith(f"{NOT_ALLOWED}: port {everywhere.port} of ")
    assert reached(everywhere) == []
    monkeypatch.setattr(settings(), "port", elsewhere)
    assert attempt() is None, "another port of the same address must be allowed"


@both_ways
def test_a_name_that_does_not_exist_is_reported(answer, attempt):
    answer(other_example_com=[[PUBLIC]])
    assert "cannot be resolved" in attempt()


def test_a_silent_name_server_delays_no_other_webhook(answer, webhook, everywhere, create, send):
    names = {f"silent{number}_example_com": [None] for number in range(3)}
    answer(hooks_example_com=[[PUBLIC]], **names)
    for name in names:
        webhook(f"http://{name.replace('_', '.')}/")
    # More attempts wait for these names than there are resolver threads.
    for number in range(20):
        create(f"SKU-{number}")
    sending = threading.Thread(target=send)
    webhook(f"http://{NAME}:{everywhere.port}/hook")
    create("SKU-healthy")
    began = time.monotonic()
    sending.start()
    wait_for(lambda: everywhere.received, 20, "the healthy receiver has its message")
    # The first attempt to resolve a silent name ends after 6 s.
    assert time.monotonic() - began < 5
    sending.join(60)
    assert not sending.is_alive()
    errors = fetch("SELECT error FROM webhook_delivery WHERE error IS NOT NULL")
    assert len(errors) == 3 * 21 and all(error.startswith("no connection") for (error,) in errors)
