"""A sign-in is refused in words, and recorded, whatever the provider or the browser sends."""

import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from joserfc import jws, jwt
from joserfc.jwk import RSAKey
from limits import RateLimitItemPerMinute
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from product_importer.access import throttle
from product_importer.access.oidc import calls
from product_importer.core import redis
from tests.access.oidc.conftest import Open, Recorded, accounts, sign_in, way_back
from tests.access.oidc.small_provider import CLIENT_ID, CLIENT_SECRET, SmallProvider, secret_signer

OTHER = RSAKey.generate_key(2048, {"kid": "first"})
NOW = int(time.time())
SECRETS = ("code-0-", "the-access-token", "eyJ", CLIENT_SECRET)


def refused(answer: Any, recorded: Recorded, status: int, reason: str) -> None:
    """Check that an answer is a page in words with a way back, without a session, and was recorded."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert 'href="/sign-in"' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert not any("pi_session" in line for line in answer.headers.get_list("set-cookie"))
    assert accounts() == []
    action, _, details = recorded()[-1]
    assert (action, details["way"], details["reason"]) == ("sign_in_failed", "oidc", reason)
    assert not [secret for secret in SECRETS if secret in str(details) + answer.text]


def spoilt(**changed: Any) -> Callable[[SmallProvider], None]:
    """Return what makes a provider say something else in its ID token; None leaves a claim out."""

    def spoil(provider: SmallProvider) -> None:
        provider.spoil_claims = lambda claims: {
            name: value for name, value in (claims | changed).items() if value is not None
        }

    return spoil


def signed(sign: Callable[[dict, SmallProvider], str]) -> Callable[[SmallProvider], None]:
    """Return what makes a provider sign its ID token in another way."""

    def spoil(provider: SmallProvider) -> None:
        provider.sign = lambda claims: sign(claims, provider)

    return spoil


def _none(claims: dict, _: SmallProvider) -> str:
    return jwt.encode({"alg": "none"}, claims, RSAKey.generate_key(2048), algorithms=["none"])


def _changed_later(claims: dict, provider: SmallProvider) -> str:
    head, _, signature = provider.sign_well(claims).split(".")
    _, other, _ = provider.sign_well(claims | {"groups": ["admins"]}).split(".")
    return f"{head}.{other}.{signature}"


def _half_character(claims: dict, provider: SmallProvider) -> str:
    payload = jwt.json.dumps(claims | {"sub": "\ud800"})  # type: ignore[attr-defined]
    return jws.serialize_compact({"alg": "RS256", "kid": "first"}, payload, provider.key)


SPOILT_TOKENS = {
    "another issuer": spoilt(iss="https://other.example"),
    "no issuer": spoilt(iss=None),
    "another audience": spoilt(aud="other"),
    "another audience, which names us": spoilt(aud="other", azp=CLIENT_ID),
    "no audience": spoilt(aud=None),
    "several audiences without azp": spoilt(aud=[CLIENT_ID, "other"]),
    "for another party": spoilt(aud=[CLIENT_ID, "other"], azp="other"),
    "expired": spoilt(exp=NOW - 120, iat=NOW - 600),
    "without an end": spoilt(exp=None),
    "an end in words": spoilt(exp="tomorrow"),
    "from the future": spoilt(iat=NOW + 3600, exp=NOW + 7200),
    "without a beginning": spoilt(iat=None),
    "another nonce": spoilt(nonce="other"),
    "no nonce": spoilt(nonce=None),
    "no subject": spoilt(sub=None),
    "a subject that is no text": spoilt(sub=1),
    "an empty subject": spoilt(sub=""),
    "a subject that is too long": spoilt(sub="x" * 256),
    "half a character": signed(_half_character),
    "the hash of another access token": spoilt(at_hash="AAAA"),
    "another key of the same name": signed(
        lambda claims, _: jwt.encode({"alg": "RS256", "kid": "first"}, claims, OTHER)
    ),
    "a key without a name": signed(lambda claims, _: jwt.encode({"alg": "RS256"}, claims, OTHER)),
    "an unknown key": signed(lambda claims, _: jwt.encode({"alg": "RS256", "kid": "new"}, claims, OTHER)),
    "changed after it was signed": signed(_changed_later),
    "not signed": signed(_none),
    "signed by the client's secret": signed(lambda claims, _: secret_signer(CLIENT_SECRET.encode())(claims)),
    "signed by the public key as a secret": signed(
        lambda claims, provider: secret_signer(provider.key.as_pem(private=False))(claims)
    ),
    "no token": signed(lambda _, __: "x"),
    "no text": signed(lambda _, __: "é.é.é"),
}


@pytest.mark.parametrize("case", SPOILT_TOKENS)
def test_an_id_token_that_is_not_right_lets_nobody_in(
    browser: TestClient, provider: SmallProvider, recorded: Recorded, case: str
):
    SPOILT_TOKENS[case](provider)
    refused(sign_in(browser), recorded, 400, "id_token_invalid")


def test_several_audiences_are_right_where_we_are_the_party(browser: TestClient, provider: SmallProvider):
    spoilt(aud=["other", CLIENT_ID], azp=CLIENT_ID)(provider)
    assert sign_in(browser).status_code == 303


def test_the_userinfo_of_another_person_counts_nothing(
    browser: TestClient, provider: SmallProvider, recorded: Recorded
):
    del provider.said["email"]
    provider.user_info = {"sub": "person-2", "email": "boss@shop.example"}
    refused(sign_in(browser), recorded, 400, "id_token_invalid")


def test_another_state_lets_nobody_in_and_ends_nothing(browser: TestClient, recorded: Recorded):
    path = way_back(browser)
    state = path.partition("state=")[2]
    for wrong in ("x" * len(state), "", "é", state[:-1]):
        refused(browser.get(path.replace(state, wrong)), recorded, 400, "unknown_or_used")
    refused(browser.get(f"{path}&state={state}"), recorded, 400, "unknown_or_used")
    assert browser.get(path).status_code == 303


def test_another_browser_cannot_end_a_sign_in(
    browser: TestClient, open_browser: Open, provider: SmallProvider, recorded: Recorded
):
    path, other = way_back(browser), open_browser()
    refused(other.get(path), recorded, 400, "unknown_or_used")
    way_back(other)
    refused(other.get(path), recorded, 400, "unknown_or_used")
    assert "/token" not in provider.asked
    assert browser.get(path).status_code == 303


def test_a_code_counts_once(browser: TestClient, provider: SmallProvider, recorded: Recorded):
    path = way_back(browser)
    assert browser.get(path).status_code == 303
    answer = browser.get(path)
    assert (answer.status_code, 'href="/sign-in"' in answer.text) == (400, True)
    assert recorded()[-1][2]["reason"] == "unknown_or_used"
    assert provider.asked.count("/token") == 1


def test_a_sign_in_that_took_too_long_is_over(browser: TestClient, recorded: Recorded):
    path = way_back(browser)
    for key in redis.client().keys("sign-in:oidc:*"):
        redis.client().pexpire(key, 0)
    refused(browser.get(path), recorded, 400, "unknown_or_used")


def test_a_code_of_another_sign_in_is_not_accepted(browser: TestClient, provider: SmallProvider, recorded: Recorded):
    """The provider checks the verifier of PKCE: a code that somebody slipped in fits no other sign-in."""
    first, second = way_back(browser), way_back(browser)
    slipped = first.replace("code-0-", "code-1-")
    assert slipped != first and "code-1-" in second
    refused(browser.get(slipped), recorded, 400, "code_not_accepted")


@pytest.mark.parametrize(
    ("back", "status", "reason"),
    [
        ({"error": "access_denied", "error_description": "<b>no</b>"}, 403, "denied_by_provider"),
        ({"error": "temporarily_unavailable"}, 400, "provider_error"),
        ({"error": "<script>alert(1)</script>"}, 400, "provider_error"),
        ({"code": ""}, 424, "provider_answer_invalid"),
        ({"code": "x" * 8001}, 424, "provider_answer_invalid"),
        ({"iss": "https://other.example"}, 424, "provider_answer_invalid"),
    ],
)
def test_what_the_browser_brings_back_is_told_in_words(
    browser: TestClient, provider: SmallProvider, recorded: Recorded, back: dict, status: int, reason: str
):
    provider.back = back
    answer = sign_in(browser)
    refused(answer, recorded, status, reason)
    assert "<script>" not in answer.text and "<b>" not in answer.text
    assert "<" not in recorded()[-1][2]["why"]
    assert "/token" not in provider.asked


def test_a_provider_that_names_itself_must_do_so(browser: TestClient, provider: SmallProvider, recorded: Recorded):
    provider.about = {"authorization_response_iss_parameter_supported": True}
    refused(sign_in(browser), recorded, 424, "provider_answer_invalid")
    provider.back = {"iss": provider.url}
    assert sign_in(browser).status_code == 303


@pytest.mark.parametrize(
    ("path", "answer", "status", "reason"),
    [
        ("/token", (500, b"{}"), 424, "provider_unreachable"),
        ("/token", (400, b'{"error": "invalid_grant"}'), 400, "code_not_accepted"),
        ("/token", (401, b'{"error": 1}'), 400, "code_not_accepted"),
        ("/token", (302, b"{}"), 400, "code_not_accepted"),
        ("/token", (200, b"<html>"), 424, "provider_answer_invalid"),
        ("/token", (200, b"[" * 100_000), 424, "provider_answer_invalid"),
        ("/token", (200, b"{}"), 424, "provider_answer_invalid"),
        ("/token", (200, b'{"id_token": 1}'), 424, "provider_answer_invalid"),
        ("/keys", (404, b"{}"), 424, "provider_answer_invalid"),
        ("/keys", (200, b'{"keys": 1}'), 424, "provider_answer_invalid"),
        ("/keys", (200, b'{"keys": []}'), 400, "id_token_invalid"),
        (
            "/keys",
            (200, b'{"keys": [1, {}, {"kty": "RSA", "n": 1}, {"kty": "oct", "k": "eA"}]}'),
            400,
            "id_token_invalid",
        ),
    ],
)
def test_a_wrong_answer_of_the_provider_is_told_in_words(
    browser: TestClient,
    provider: SmallProvider,
    recorded: Recorded,
    path: str,
    answer: tuple[int, bytes],
    status: int,
    reason: str,
):
    provider.answers[path] = answer
    refused(sign_in(browser), recorded, status, reason)


def test_an_answer_without_an_end_is_not_read(browser: TestClient, provider: SmallProvider, recorded: Recorded):
    provider.other_keys.append({"kty": "x" * calls.MAX_BYTES})
    refused(sign_in(browser), recorded, 424, "provider_answer_invalid")


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": 1},
        {"jwks_uri": "http://other.example/keys"},
        {"authorization_endpoint": "http://other.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "file:///etc/passwd"},
    ],
)
def test_a_provider_that_cannot_be_right_is_not_asked(
    browser: TestClient, provider: SmallProvider, recorded: Recorded, about: dict
):
    provider.about = about
    refused(browser.get("/sign-in/oidc/start"), recorded, 424, "provider_answer_invalid")


def test_a_provider_that_is_away_is_told_in_words(open_browser: Open, recorded: Recorded):
    # Nothing listens on port 1.
    browser = open_browser(OIDC_ISSUER="http://127.0.0.1:1")
    answer = browser.get("/sign-in/oidc/start")
    refused(answer, recorded, 424, "provider_unreachable")
    assert "does not answer" in answer.text


def test_a_provider_that_says_nothing_is_not_waited_for(
    browser: TestClient, provider: SmallProvider, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
):
    path = way_back(browser)
    monkeypatch.setattr(calls, "SECONDS", 0.0)
    refused(browser.get(path), recorded, 424, "provider_unreachable")


def test_one_address_cannot_fill_the_record(browser: TestClient, recorded: Recorded, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throttle, "SIGN_ON_BY_ADDRESS", RateLimitItemPerMinute(3, 10, namespace="test"))
    answers = [browser.get("/sign-in/oidc?state=x") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert len(recorded()) == 3


def test_without_redis_it_says_so(browser: TestClient, monkeypatch: pytest.MonkeyPatch):
    path = way_back(browser)
    dead = Redis(port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(redis, "client", lambda: dead)
    for asked in ("/sign-in/oidc/start", path):
        answer = browser.get(asked)
        assert (answer.status_code, "Redis" in answer.text) == (503, True)


def test_the_browser_gets_no_token_of_the_provider(browser: TestClient):
    answer = sign_in(browser)
    assert answer.status_code == 303
    seen = [answer, browser.get("/api/products"), browser.get("/sign-out")]
    told = str([(each.headers, each.text) for each in seen]) + str(dict(browser.cookies))
    assert "pi_session" in told
    assert not [secret for secret in SECRETS if secret in told]


def test_the_log_holds_neither_codes_nor_tokens(
    browser: TestClient, provider: SmallProvider, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    assert sign_in(browser).status_code == 303
    spoilt(aud="other")(provider)
    sign_in(browser)
    provider.answers["/token"] = (400, b'{"error": "invalid_grant", "error_description": "code-2-x is wrong"}')
    sign_in(browser)
    # The test's own requests are logged, too.
    ours = [record for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert any("id_token_invalid" in record.getMessage() for record in ours)
    text = "\n".join(f"{record.getMessage()} {record.exc_info}" for record in ours)
    assert not [secret for secret in SECRETS if secret in text]
