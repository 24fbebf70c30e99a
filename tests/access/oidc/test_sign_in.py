"""A person signs in through a provider that does everything right."""

from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt

from product_importer.access import service
from product_importer.access.oidc import begun
from product_importer.access.schemas import Role
from product_importer.core import db, redis
from product_importer.core.errors import Conflict
from tests.access.oidc.conftest import Open, Recorded, accounts, sign_in, way_back
from tests.access.oidc.small_provider import SUBJECT, SmallProvider, ec_signer


def test_a_person_gets_in_with_the_role_of_the_claim(
    browser: TestClient, provider: SmallProvider, recorded: Recorded
):
    assert browser.get("/api/products").status_code == 401
    answer = sign_in(browser, next="/imports?page=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/imports?page=2")
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("pi_session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert browser.get("/api/products").status_code == 200
    assert browser.post("/api/products", json={"sku": "A", "name": "A"}).status_code == 201
    assert browser.post("/api/webhooks", json={"url": "https://shop.example"}).status_code == 403
    (account,) = accounts()
    assert (account.email, account.role, account.oidc_issuer, account.oidc_subject, account.password_hash) == (
        "mina@shop.example",
        "editor",
        provider.url,
        SUBJECT,
        None,
    )
    way = {"way": "oidc", "issuer": provider.url}
    found = [event for event in recorded() if event[0] != "product_created"]
    assert found == [("account_created", account.email, way), ("signed_in", account.email, way)]


def test_the_way_to_the_provider_has_pkce_state_and_nonce(browser: TestClient, provider: SmallProvider):
    answer = browser.get("/sign-in/oidc/start")
    address = urlsplit(answer.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{provider.url}/authorize"
    asked = {name: value for name, (value,) in parse_qs(address.query).items()}
    assert {name: asked.pop(name) for name in list(asked) if name not in ("state", "nonce", "code_challenge")} == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "product-importer",
        "redirect_uri": "http://localhost/sign-in/oidc",
        # The provider knows a scope of the claim's name.
        "scope": "openid profile email groups",
        "code_challenge_method": "S256",
    }
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    assert len(set(asked.values())) == 3
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("pi_oidc=")
    assert all(part in cookie for part in ("HttpOnly", "Max-Age=600", "SameSite=lax"))
    assert asked["state"] not in cookie


def test_a_sign_in_that_has_begun_ends_after_ten_minutes(browser: TestClient):
    browser.get("/sign-in/oidc/start")
    (key,) = redis.client().keys("sign-in:oidc:*")  # type: ignore[misc]
    assert 590 < redis.client().ttl(key) <= begun.SECONDS == 600  # type: ignore[operator]


def test_behind_tls_the_cookies_are_for_this_host_alone(open_browser: Open):
    browser = open_browser(PUBLIC_URL="https://shop.example", ALLOWED_HOSTS="shop.example")
    begun = browser.get("/sign-in/oidc/start")
    assert begun.headers["set-cookie"].startswith("__Host-pi_oidc=")
    assert "Secure" in begun.headers["set-cookie"] and "Path=/;" in begun.headers["set-cookie"] + ";"
    answer = sign_in(browser)
    assert answer.status_code == 303
    assert any(line.startswith("__Host-pi_session=") for line in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_start_no_sign_in(browser: TestClient, site: str):
    start = "/sign-in/oidc/start?next=/imports%3Fx%3D1"
    answer = browser.get(start, headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/imports%3Fx%3D1")
    assert "set-cookie" not in answer.headers
    for own in ("same-origin", "none"):
        assert "code_challenge=" in browser.get(start, headers={"Sec-Fetch-Site": own}).headers["location"]


def test_two_tabs_can_sign_in_at_once(browser: TestClient):
    first, second = way_back(browser, "/imports"), way_back(browser, "/webhooks")
    assert browser.get(second).headers["location"] == "/webhooks"
    assert browser.get(first).headers["location"] == "/imports"


@pytest.mark.parametrize(
    "next", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sign-in/oidc/start"]
)
def test_nobody_is_led_to_another_site(browser: TestClient, next: str):
    assert sign_in(browser, next=next).headers["location"] == "/"


def test_an_old_session_of_the_browser_ends(browser: TestClient):
    sign_in(browser)
    old = browser.cookies["pi_session"]
    sign_in(browser)
    assert browser.cookies["pi_session"] != old
    assert browser.get("/api/products").status_code == 200
    browser.cookies.clear()
    assert browser.get("/api/products", headers={"Cookie": f"pi_session={old}"}).status_code == 401


def test_each_entry_brings_role_and_address_up_to_date(
    browser: TestClient, provider: SmallProvider, recorded: Recorded
):
    sign_in(browser)
    provider.said |= {"groups": ["staff", "admins"], "email": "Mina@new.example"}
    sign_in(browser)
    (account,) = accounts()
    assert (account.role, account.email, account.email_key) == ("admin", "Mina@new.example", "mina@new.example")
    assert [action for action, _, _ in recorded()] == ["account_created", "signed_in", "role_changed", "signed_in"]


def test_people_are_known_by_issuer_and_sub_alone(browser: TestClient, provider: SmallProvider):
    local = db.run(lambda session: service.create_account(session, "mina@shop.example", Role.ADMIN).id)
    sign_in(browser)
    provider.said["sub"] = "person-2"
    sign_in(browser)
    found = accounts()
    assert [(one.id == local, one.email, one.role, one.oidc_subject) for one in found] == [
        (True, "mina@shop.example", "admin", None),
        (False, "mina@shop.example", "editor", SUBJECT),
        (False, "mina@shop.example", "editor", "person-2"),
    ]


def test_a_person_without_a_role_stays_out(browser: TestClient, provider: SmallProvider, recorded: Recorded):
    provider.said["groups"] = ["guests", 7, None]
    answer = sign_in(browser)
    assert answer.status_code == 403
    assert "gives you a role" in answer.text and 'href="/sign-in"' in answer.text
    assert "pi_session" not in browser.cookies and accounts() == []
    ((action, name, details),) = recorded()
    assert (action, name, details["reason"]) == ("sign_in_failed", "mina@shop.example", "no_role")


def test_a_person_who_lost_the_role_stays_out(browser: TestClient, provider: SmallProvider):
    sign_in(browser)
    provider.said["groups"] = []
    assert sign_in(browser).status_code == 403


def test_a_disabled_person_stays_out(browser: TestClient, provider: SmallProvider, recorded: Recorded):
    sign_in(browser)
    (account,) = accounts()

    db.run(lambda session: service.disable(session, service.read_account(session, account.id)))
    provider.said |= {"groups": ["admins"], "email": "other@shop.example"}
    answer = sign_in(browser)
    assert (answer.status_code, "disabled" in answer.text) == (403, True)
    assert browser.get("/api/products").status_code == 401
    (unchanged,) = accounts()
    assert (unchanged.role, unchanged.email) == ("editor", "mina@shop.example")
    assert recorded()[-1][::2] == (
        "sign_in_failed",
        {"way": "oidc", "reason": "account_disabled", "why": ""},
    )


def test_claims_may_come_from_the_userinfo_endpoint(browser: TestClient, provider: SmallProvider):
    provider.said = {"sub": SUBJECT}
    provider.user_info = {"sub": SUBJECT, "email": "mina@shop.example", "groups": ["admins"]}
    assert sign_in(browser).status_code == 303
    assert [(one.email, one.role) for one in accounts()] == [("mina@shop.example", "admin")]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"email": "not@hers.example", "email_verified": False, "preferred_username": "mina"}, "mina"),
        ({"email": "mi\x00na@shop.example\ud800\n"}, "mina@shop.example"),
        ({"email": ["mina"], "preferred_username": ""}, SUBJECT),
        ({"email": "m" * 300}, "m" * 254),
    ],
)
def test_the_name_of_a_person_can_be_shown(browser: TestClient, provider: SmallProvider, said: dict, name: str):
    del provider.said["email"]
    provider.user_info = {"sub": SUBJECT} | said
    assert sign_in(browser).status_code == 303
    assert [one.email for one in accounts()] == [name]


def test_new_keys_of_the_provider_are_found(
    browser: TestClient, provider: SmallProvider, monkeypatch: pytest.MonkeyPatch
):
    sign_in(browser)
    provider.sign = ec_signer(provider)
    # Within half a minute, nobody can make us ask again and again.
    assert sign_in(browser).status_code == 400
    assert provider.asked.count("/keys") == 1
    monkeypatch.setattr("product_importer.access.oidc.provider.ASKED_AGAIN_SECONDS", -1)
    assert sign_in(browser).status_code == 303
    assert sign_in(browser).status_code == 303
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_token_that_names_no_key_is_tried_with_all(browser: TestClient, provider: SmallProvider):
    ec_signer(provider)
    provider.published.reverse()
    provider.sign = lambda claims: jwt.encode({"alg": "RS256"}, claims, provider.key)
    assert sign_in(browser).status_code == 303


def test_a_provider_may_want_the_secret_in_the_form(browser: TestClient, provider: SmallProvider):
    provider.methods = ["client_secret_post"]
    assert sign_in(browser).status_code == 303


def test_the_sign_in_page_leads_to_the_provider(open_browser: Open, browser: TestClient):
    page = browser.get("/sign-in", params={"next": "/imports?a=1&b=2"})
    assert 'href="http://localhost/sign-in/oidc/start?next=/imports%3Fa%3D1%26b%3D2"' in page.text
    assert "Sign in with 127.0.0.1" in page.text
    without = open_browser(OIDC_ISSUER=None)
    assert "Sign in with" not in without.get("/sign-in").text
    assert without.get("/sign-in/oidc/start").status_code == 404
    assert without.get("/sign-in/oidc").status_code == 404


def test_the_role_is_the_providers_to_change(browser: TestClient):
    sign_in(browser)
    (account,) = accounts()
    with pytest.raises(Conflict, match="The provider says which role mina"):
        db.run(lambda session: service.set_role(session, service.read_account(session, account.id), Role.ADMIN))
