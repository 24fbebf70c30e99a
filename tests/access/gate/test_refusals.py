"""What is refused is in the log: to whom, from where, and what they asked for."""

import logging

import pytest

from product_importer.access.gate import refusals
from product_importer.access.schemas import Permission, Role
from tests.access.people import add_person, add_token, bearer, cookie


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == refusals.__name__]


def test_who_was_refused_what_is_logged(open_api, caplog):
    client = open_api(client="203.0.113.1")
    viewer = add_person(Role.VIEWER)
    assert client.post("/api/products", headers=cookie(viewer), json={}).status_code == 403
    token = bearer(add_token(viewer, Permission.READ))
    assert client.delete("/api/products?confirm=no", headers=token).status_code == 403
    wrong = "pi_" + "x" * 40
    assert client.get("/api/products", headers=bearer(wrong)).status_code == 401
    evil = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/api/products", headers=evil).status_code == 403
    person, by_token, nobody, another = _lines(caplog)
    assert person == f"refused to person {viewer.email} at 203.0.113.1: 403 POST /api/products"
    assert by_token.startswith("refused to token ") and by_token.endswith("at 203.0.113.1: 403 DELETE /api/products")
    assert nobody == "refused to somebody at 203.0.113.1: 401 GET /api/products"
    assert another == "refused to somebody at 203.0.113.1: 403 POST /api/products"


def test_throttled_guesses_are_logged_and_a_stranger_who_is_led_to_the_sign_in_is_not(open_api, caplog):
    client = open_api(client="203.0.113.2")
    assert client.get("/api/products").status_code == 401
    assert _lines(caplog) == []
    form = {"email": "mina@shop.example", "password": "a wrong password"}
    statuses = [client.post("/sign-in", data=form).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    assert _lines(caplog) == ["refused to stranger at 203.0.113.2: 429 POST /sign-in"]


def test_one_address_cannot_fill_the_log(open_api, caplog):
    client, other = open_api(client="203.0.113.3"), open_api(client="203.0.113.4")
    evil = {"Sec-Fetch-Site": "cross-site"}
    for _ in range(refusals.LINES.amount + 5):
        assert client.post("/api/products", headers=evil).status_code == 403
    assert other.post("/api/products", headers=evil).status_code == 403
    *most, last, others = _lines(caplog)
    assert len(most) + 1 == refusals.LINES.amount
    assert last.endswith("; more within this minute are not logged") and "203.0.113.4" in others
    assert not any("not logged" in line for line in most)


def test_a_refusal_is_a_warning(open_api, caplog):
    open_api(client="203.0.113.5").post("/api/products", headers={"Sec-Fetch-Site": "cross-site"})
    assert [record.levelno for record in caplog.records if record.name == refusals.__name__] == [logging.WARNING]
