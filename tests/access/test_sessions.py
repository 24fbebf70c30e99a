"""Sessions and tokens at the gate: who is let in, and when that ends."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import col, update

from product_importer.access import sessions
from product_importer.access.models import Account, AccountSession
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of
from product_importer.core import db
from tests.access.people import add_person, add_token, bearer, cookie, sign_in

PRODUCTS = "/api/products"


def _execute(statement) -> None:
    db.run(lambda session: session.execute(statement))


def _set(entity, **values) -> None:
    _execute(update(entity).values(values))


def _ago(**past: float) -> datetime:
    return datetime.now(UTC) - timedelta(**past)


def test_a_session_lets_in_until_it_ends(guarded):
    secret = sign_in(add_person())
    headers = {"Cookie": f"theme=dark; pi_session={secret}"}
    assert guarded.get(PRODUCTS, headers=headers).status_code == 200
    db.run(sessions.end, digest_of(secret))
    assert guarded.get(PRODUCTS, headers=headers).status_code == 401


def test_a_session_ends_after_twelve_idle_hours(guarded):
    headers = cookie(add_person())
    _set(AccountSession, last_used_at=_ago(hours=11.9))
    assert guarded.get(PRODUCTS, headers=headers).status_code == 200
    # That was a use: the next eleven hours begin.
    _set(AccountSession, last_used_at=col(AccountSession.last_used_at) - timedelta(hours=11))
    assert guarded.get(PRODUCTS, headers=headers).status_code == 200
    _set(AccountSession, last_used_at=_ago(hours=12.1))
    assert guarded.get(PRODUCTS, headers=headers).status_code == 401


def test_a_session_ends_after_seven_days(guarded):
    headers = cookie(add_person())
    _set(AccountSession, created_at=_ago(days=6.9))
    assert guarded.get(PRODUCTS, headers=headers).status_code == 200
    _set(AccountSession, created_at=_ago(days=7.1))
    assert guarded.get(PRODUCTS, headers=headers).status_code == 401


def test_expired_sessions_are_deleted(guarded):
    kept, idle, old = (sign_in(add_person()) for _ in range(3))
    for secret, values in ((idle, {"last_used_at": _ago(hours=13)}), (old, {"created_at": _ago(days=8)})):
        changed = update(AccountSession).where(col(AccountSession.digest) == digest_of(secret)).values(values)
        _execute(changed)
    db.run(sessions.delete_expired)
    assert db.run(sessions.current_digests, [digest_of(one) for one in (kept, idle, old)]) == {digest_of(kept)}


def test_a_disabled_person_is_out_with_sessions_and_tokens(guarded):
    person = add_person()
    callers = [cookie(person), bearer(add_token(person, "read"))]
    assert [guarded.get(PRODUCTS, headers=headers).status_code for headers in callers] == [200, 200]
    _set(Account, disabled_at=datetime.now(UTC))
    assert [guarded.get(PRODUCTS, headers=headers).status_code for headers in callers] == [401, 401]


def test_a_token_expires_and_a_role_that_shrinks_takes_its_scopes(guarded):
    person = add_person(Role.EDITOR)
    expired = add_token(person, "read", expires_at=_ago(seconds=1))
    assert guarded.get(PRODUCTS, headers=bearer(expired)).status_code == 401
    writing = bearer(add_token(person, "read", "write"))
    assert guarded.post(PRODUCTS, headers=writing, json={"sku": "A", "name": "a"}).status_code == 201
    _set(Account, role=Role.VIEWER)
    refused = guarded.post(PRODUCTS, headers=writing, json={"sku": "B", "name": "b"})
    assert (refused.status_code, "scope “write”" in refused.json()["detail"]) == (403, True)


@pytest.mark.parametrize(
    "given",
    [
        "Bearer",
        "Bearer ",
        "Bearer pi_",
        "Bearer pi_" + "0" * 40,
        "Bearer pi_" + "a" * 39,
        "Basic cGk6cGk=",
        "pi_token",
        "Bearer \u00e4",
    ],
)
def test_a_wrong_token_is_refused_also_beside_a_session(guarded, given):
    headers = {**cookie(add_person()), "Authorization": given.encode()}
    answer = guarded.get(PRODUCTS, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "/api/problems/unauthenticated")


@pytest.mark.parametrize(
    "given",
    [
        "pi_session=",
        "pi_session=x",
        "pi_session",
        "pi_session={secret}; pi_session={secret}",
        "__Host-pi_session={secret}",
        "PI_SESSION={secret}",
    ],
)
def test_a_wrong_cookie_is_a_stranger(guarded, given):
    headers = {"Cookie": given.format(secret=sign_in(add_person()))}
    assert guarded.get(PRODUCTS, headers=headers).status_code == 401


def test_under_tls_only_the_cookie_of_this_host_counts(open_api):
    secret = sign_in(add_person())
    client = open_api("https://localhost")
    assert client.get(PRODUCTS, headers={"Cookie": f"pi_session={secret}"}).status_code == 401
    assert client.get(PRODUCTS, headers={"Cookie": f"__Host-pi_session={secret}"}).status_code == 200


def test_a_page_leads_strangers_to_the_sign_in_and_back(guarded):
    answer = guarded.get("/imports/1?a=b&c=%22", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=/imports/1%3Fa%3Db%26c%3D%2522",
    )
    assert guarded.get("/", headers={"Accept": "text/html"}).headers["location"] == "/sign-in"
    # What a page loads is not a page.
    assert guarded.get("/assets/app.js", headers={"Accept": "*/*"}).status_code == 401


def test_a_token_opens_no_page(guarded):
    token = bearer(add_token(add_person(Role.ADMIN), "admin"))
    assert guarded.get("/", headers={**token, "Accept": "text/html"}).status_code == 403
    assert guarded.post("/_upload", headers=token).status_code == 403


def test_a_cookie_needs_the_own_origin_and_a_token_does_not(guarded):
    person = add_person()
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    product = {"sku": "A", "name": "a"}
    refused = guarded.post(PRODUCTS, headers={**cookie(person), **foreign}, json=product)
    assert (refused.status_code, refused.json()["type"]) == (403, "/api/problems/cross-site")
    token = bearer(add_token(person, "write"))
    assert guarded.post(PRODUCTS, headers={**token, **foreign}, json=product).status_code == 201


def test_who_cannot_be_looked_up_gets_a_503(guarded, monkeypatch):
    def fail(*_):
        raise PoolTimeout("the database is away")

    monkeypatch.setattr(sessions, "find", fail)
    answer = guarded.get(PRODUCTS, headers=cookie(add_person()))
    assert (answer.status_code, answer.json()["type"]) == (503, "/api/problems/unavailable")


def test_with_sign_in_off_anyone_may_do_everything(client):
    assert client.get(PRODUCTS, headers={"Authorization": "Bearer pi_anything"}).status_code == 200
