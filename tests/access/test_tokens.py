"""Tokens by REST: made, shown once, listed, limited to their owner's role, and deleted."""

import json
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import ConnectionError
from sqlalchemy import text

from product_importer.access import throttle, tokens
from product_importer.access.schemas import Role
from product_importer.core import db
from tests.access.people import add_person, add_token, bearer, cookie

TOKENS = "/api/tokens"
NIGHTLY = {"name": "Nightly import", "scopes": ["import", "read"]}


def test_a_token_is_made_shown_once_used_and_deleted(guarded):
    person = add_person(Role.EDITOR)
    made = guarded.post(TOKENS, headers=cookie(person), json=NIGHTLY)
    assert made.status_code == 201
    body = made.json()
    assert (body["name"], body["scopes"], body["owner"]) == ("Nightly import", ["read", "import"], person.email)
    token = bearer(body.pop("token"))
    assert guarded.get("/api/products", headers=token).status_code == 200
    [listed] = guarded.get(TOKENS, headers=cookie(person)).json()["items"]
    assert listed.pop("last_used_at") is not None
    assert body.pop("last_used_at") is None
    assert listed == body
    assert guarded.delete(f"{TOKENS}/{body['id']}", headers=cookie(person)).status_code == 204
    assert guarded.get("/api/products", headers=token).status_code == 401


def test_a_token_has_a_form_that_scanners_know():
    made = {tokens.new_token() for _ in range(50)}
    assert len(made) == 50
    for token in made:
        random, checksum = token[3:37], token[37:]
        assert (token[:3], len(token), tokens.is_token(token)) == ("pi_", 43, True)
        value = 0
        for digit in checksum:
            value = value * 62 + tokens.ALPHABET.index(digit)
        assert value == zlib.crc32(random.encode())


def test_the_database_has_no_text_of_a_token(guarded):
    made = guarded.post(TOKENS, headers=cookie(add_person()), json=NIGHTLY).json()["token"]

    def everything(session) -> str:
        tables = ("account", "account_session", "api_token", "audit_event")
        return json.dumps(
            [[str(row) for row in session.execute(text(f"SELECT t::text FROM {name} t"))] for name in tables]
        )

    stored = db.run(everything)
    assert "Nightly import" in stored
    assert made not in stored
    assert made[3:] not in stored


def test_it_expires_after_a_year_or_when_it_is_told_to_or_never(guarded):
    headers, now = cookie(add_person()), datetime.now(UTC)

    def expiry(**given: object) -> str | None:
        return guarded.post(TOKENS, headers=headers, json=NIGHTLY | given).json()["expires_at"]

    assert abs(datetime.fromisoformat(expiry() or "") - now - timedelta(days=365)) < timedelta(minutes=5)
    tomorrow = now + timedelta(days=1)
    assert datetime.fromisoformat(expiry(expires_at=tomorrow.isoformat()) or "") == tomorrow
    assert expiry(expires_at=None) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01"}, "expires_at"),
        ({"owner": "me"}, "owner"),
    ],
)
def test_a_wrong_field_is_named(guarded, given, field):
    answer = guarded.post(TOKENS, headers=cookie(add_person(Role.EDITOR)), json=NIGHTLY | given)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


def test_people_see_their_own_tokens_and_administrators_all(guarded):
    person, other, admin = add_person(Role.VIEWER), add_person(Role.EDITOR), add_person(Role.ADMIN)
    for one in (person, other):
        add_token(one, "read")

    def owners(who) -> list[str]:
        return [item["owner"] for item in guarded.get(TOKENS, headers=cookie(who)).json()["items"]]

    assert owners(person) == [person.email]
    assert {person.email, other.email} <= set(owners(admin))
    mine = guarded.get(TOKENS, headers=cookie(other)).json()["items"][0]["id"]
    assert guarded.delete(f"{TOKENS}/{mine}", headers=cookie(person)).status_code == 404
    assert guarded.delete(f"{TOKENS}/{mine}", headers=cookie(admin)).status_code == 204


def test_only_a_token_with_the_scope_admin_makes_tokens_and_none_beyond_its_own(guarded):
    admin = add_person(Role.ADMIN)
    assert guarded.post(TOKENS, headers=bearer(add_token(admin, "read", "write")), json=NIGHTLY).status_code == 403
    token = bearer(add_token(admin, "admin"))
    assert guarded.post(TOKENS, headers=token, json=NIGHTLY | {"scopes": ["admin"]}).status_code == 201
    assert guarded.post(TOKENS, headers=token, json=NIGHTLY).status_code == 422


def test_without_sign_in_there_are_no_tokens(client):
    assert client.get(TOKENS).json()["items"] == []
    answer = client.post(TOKENS, json=NIGHTLY)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api/problems/conflict")


def test_a_token_may_send_only_so_many_requests_a_minute(open_api):
    client = open_api(TOKEN_REQUESTS_PER_MINUTE=3)
    one, other = (bearer(add_token(add_person(), "read")) for _ in range(2))
    assert [client.get("/api/jobs", headers=one).status_code for _ in range(3)] == [200, 200, 200]
    refused = client.get("/api/jobs", headers=one)
    assert (refused.status_code, refused.json()["type"]) == (429, "/api/problems/too-many-requests")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert client.get("/api/jobs", headers=other).status_code == 200


def test_a_token_works_while_redis_is_away(guarded, monkeypatch):
    def fail(*_: object) -> bool:
        raise ConnectionError("away")

    monkeypatch.setattr(throttle._request_limiter(), "hit", fail)
    assert guarded.get("/api/jobs", headers=bearer(add_token(add_person(), "read"))).status_code == 200
