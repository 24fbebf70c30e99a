"""Sign-in, sign-out and set-up by their forms, also as attackers use them."""

import html
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import create_engine
from sqlmodel import col, select

from product_importer.access import passwords, service, sessions, setup_links, throttle
from product_importer.access.models import AccountSession, AuditEvent
from product_importer.access.schemas import Role
from product_importer.access.secrets import digest_of
from product_importer.core import db
from tests.access.people import PASSWORD, add_person, add_token, bearer, cookie, sign_in

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = {"Accept": "text/html"}
PRODUCTS = "/api/products"
PATHS = ["/sign-in", "/sign-out", "/setup"]


def _events() -> list[AuditEvent]:
    return db.run(lambda session: list(session.scalars(select(AuditEvent).order_by(col(AuditEvent.id)))))


def _sign_in(client, email: str, password: str = PASSWORD, **form: str):
    return client.post("/sign-in", data={"email": email, "password": password, **form})


def _alert(answer) -> str:
    [text] = re.findall(r'role="alert">([^<]*)<', answer.text)
    return html.unescape(text)


def _sessions() -> int:
    return db.run(lambda session: len(session.scalars(select(AccountSession)).all()))


def test_a_person_signs_in_and_out(guarded):
    person = add_person(password=PASSWORD)
    assert guarded.get("/imports?x=1", headers=PAGE).headers["location"] == "/sign-in?next=/imports%3Fx%3D1"
    assert 'name="next" value="/imports?x=1"' in guarded.get("/sign-in?next=/imports%3Fx%3D1").text
    answer = _sign_in(guarded, f" {person.email.upper()} ", next="/imports?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/imports?x=1")
    assert guarded.get(PRODUCTS).status_code == 200
    assert guarded.get("/sign-in?next=/webhooks").headers["location"] == "/webhooks"
    # A link signs nobody out.
    assert person.email in guarded.get("/sign-out").text
    assert guarded.get(PRODUCTS).status_code == 200
    answer = guarded.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert answer.headers["clear-site-data"] == '"cache"'
    assert "pi_session" not in guarded.cookies
    assert guarded.get(PRODUCTS).status_code == 401
    assert [event.action for event in _events()[-2:]] == ["signed_in", "signed_out"]
    assert {(event.actor_id, event.actor_name, event.address) for event in _events()[-2:]} == {
        (person.id, person.email, "testclient")
    }


def test_a_cookie_that_was_stolen_is_worth_nothing_after_the_sign_out(guarded, open_api):
    person = add_person(password=PASSWORD)
    _sign_in(guarded, person.email)
    stolen = {"Cookie": f"pi_session={guarded.cookies['pi_session']}"}
    thief = open_api()
    assert thief.get(PRODUCTS, headers=stolen).status_code == 200
    guarded.post("/sign-out")
    assert thief.get(PRODUCTS, headers=stolen).status_code == 401


def test_a_sign_in_makes_a_new_session_and_ends_the_one_before(guarded):
    victim, attacker = add_person(password=PASSWORD), add_person()
    planted = sign_in(attacker)
    for presented in ("x" * 43, planted):
        guarded.cookies.set("pi_session", presented)
        answer = _sign_in(guarded, victim.email)
        given = re.match("pi_session=([^;]+);", answer.headers["set-cookie"])
        assert given is not None and given[1] != presented
        assert db.run(sessions.find, presented) is None
        assert db.run(sessions.find, given[1]).id == victim.id
        guarded.cookies.clear()


def test_a_session_ends_only_with_the_right_password(guarded):
    secret = sign_in(add_person())
    guarded.cookies.set("pi_session", secret)
    assert _sign_in(guarded, "nobody@shop.example").status_code == 401
    assert db.run(sessions.find, secret) is not None


def test_the_cookie_without_tls(guarded):
    answer = _sign_in(guarded, add_person(password=PASSWORD).email)
    [given] = answer.headers.get_list("set-cookie")
    secret, *flags = given.split("; ")
    assert re.fullmatch(r"pi_session=[\w-]{43}", secret)
    assert sorted(flags) == ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=lax"]
    [cleared] = guarded.post("/sign-out").headers.get_list("set-cookie")
    assert cleared.startswith("pi_session=") and "Max-Age=0" in cleared


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({"TRUSTED_PROXIES": "10.0.0.0/8"}, {"X-Forwarded-Proto": "https"}),
        ({"PUBLIC_URL": "https://shop.example"}, {}),
    ],
)
def test_the_cookie_under_tls(open_api, given, headers):
    client = open_api(client="10.0.0.1", **given)
    person = add_person(password=PASSWORD)
    form = {"email": person.email, "password": PASSWORD}
    [set_cookie] = client.post("/sign-in", data=form, headers=headers).headers.get_list("set-cookie")
    secret, *flags = set_cookie.split("; ")
    assert re.fullmatch(r"__Host-pi_session=[\w-]{43}", secret)
    assert sorted(flags) == ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=lax", "Secure"]
    sent = headers | {"Cookie": secret}
    assert client.get(PRODUCTS, headers=sent).status_code == 200
    [cleared] = client.post("/sign-out", headers=sent).headers.get_list("set-cookie")
    assert cleared.startswith("__Host-pi_session=") and "Secure" in cleared and "Path=/" in cleared
    assert client.get(PRODUCTS, headers=sent).status_code == 401


def test_a_stranger_cannot_lie_about_tls(guarded):
    form = {"email": add_person(password=PASSWORD).email, "password": PASSWORD}
    answer = guarded.post("/sign-in", data=form, headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4"})
    assert answer.headers["set-cookie"].startswith("pi_session=")
    assert _events()[-1].address == "testclient"


def test_who_cannot_enter_gets_the_same_answer_and_is_recorded(guarded):
    person = add_person(password=PASSWORD)
    answers = [
        _sign_in(guarded, email, "wrong") for email in (person.email, "nobody@shop.example", "x\0<b>" + "y" * 300)
    ]
    assert {(answer.status_code, _alert(answer)) for answer in answers} == {(401, service.WRONG)}
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert "x&lt;b&gt;" not in answers[0].text and "<b>" not in answers[2].text
    assert [(event.action, event.object_name, event.actor_kind, event.address) for event in _events()[-3:]] == [
        ("sign_in_failed", tried, "stranger", "testclient") for tried in (person.email, "nobody@shop.example", None)
    ]


def test_as_much_is_computed_for_an_unknown_person(guarded, monkeypatch):
    counted: list[str] = []
    check = passwords._hashes.verify_and_update

    def noted(password: bytes, hashed: str) -> tuple[bool, str | None]:
        counted.append(hashed)
        return check(password, hashed)

    monkeypatch.setattr(passwords._hashes, "verify_and_update", noted)
    known = add_person(password=PASSWORD).email
    for email in (known, "nobody@shop.example", add_person().email):
        before = len(counted)
        assert _sign_in(guarded, email, "wrong").status_code == 401
        assert len(counted) == before + 1


def test_parallel_guesses_are_throttled_with_a_page(open_api):
    person = add_person(password=PASSWORD)
    clients = [open_api(client=f"203.0.113.{number}") for number in range(4)]

    def guess(number: int):
        return _sign_in(clients[number % 4], person.email, f"guess {number}")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(guess, range(24)))
    refused = [answer for answer in answers if answer.status_code != 401]
    assert len(answers) - len(refused) == throttle.BY_PERSON.amount
    for answer in refused:
        assert answer.status_code == 429 and 0 < int(answer.headers["retry-after"]) <= 15 * 60
        assert "minutes" in _alert(answer) and answer.headers["content-type"].startswith("text/html")
    # The right password is a guess like the others, and other people are free to enter.
    assert _sign_in(clients[0], person.email).status_code == 429
    assert _sign_in(clients[0], add_person(password=PASSWORD).email).status_code == 303


def test_the_right_password_clears_a_persons_guesses(guarded):
    person = add_person(password=PASSWORD)
    for password in [*["wrong"] * (throttle.BY_PERSON.amount - 1), PASSWORD, "wrong"]:
        assert _sign_in(guarded, person.email, password).status_code == (303 if password == PASSWORD else 401)


def test_without_redis_or_postgresql_there_is_a_page_that_says_so(guarded, monkeypatch):
    email = add_person(password=PASSWORD).email
    with monkeypatch.context() as patched:
        nowhere = MovingWindowRateLimiter(RedisStorage("redis://127.0.0.1:1"))
        patched.setattr(throttle, "_limiter", lambda: nowhere)
        answer = _sign_in(guarded, email)
        assert answer.status_code == 503 and "Redis" in _alert(answer)
    with monkeypatch.context() as patched:
        closed = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
        patched.setattr(db, "engine", lambda: closed)
        for answer in (
            _sign_in(guarded, email),
            guarded.get("/setup?token=x"),
            guarded.post("/setup", data={"token": "x", "password": "y"}),
        ):
            assert answer.status_code == 503 and "database" in _alert(answer)
    assert _sign_in(guarded, email).status_code == 303


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_form_is_refused(guarded, path, headers):
    """Also where nobody is signed in: else it could sign a person in as somebody else."""
    person = add_person(password=PASSWORD)
    form = {"email": person.email, "password": PASSWORD, "token": "x"}
    answer = guarded.post(path, data=form, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (403, "/api/problems/cross-site")
    assert "set-cookie" not in answer.headers and _sessions() == 0


@pytest.mark.parametrize("path", ["/sign-in", "/setup"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"email": "a@b", "password": "x", "token": "x"}}, 415),
        ({"files": {"email": ("", "a@b"), "password": ("", "x"), "token": ("", "x")}}, 415),
        ({"content": b"", "headers": FORM}, 422),
        ({}, 415),
        ({"content": b"email=a&email=b&password=x&token=x", "headers": FORM}, 422),
        ({"content": b"email=a&password=x&token=x&password=y", "headers": FORM}, 422),
        ({"content": b"email=a&password=%ff&token=x", "headers": FORM}, 400),
        ({"content": b"email=a&password=\xff&token=x", "headers": FORM}, 400),
        ({"content": b"&".join(b"f%d=x" % number for number in range(30)), "headers": FORM}, 400),
    ],
)
def test_what_is_no_form_is_refused_with_a_page(guarded, path, sent, status):
    answer = guarded.post(path, **sent)
    assert answer.status_code == status and _alert(answer)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_refused_with_a_page(guarded, path, method):
    answer = guarded.request(method, path)
    assert answer.status_code == 405 and {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert _alert(answer)


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in?next=/imports", "/setup?token=x"])
def test_the_pages_run_nothing_tell_nobody_and_are_not_kept(guarded, path):
    headers = guarded.get(path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "strict-origin"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "http://evil.example", "/sign-out"])
def test_a_sign_in_leads_to_no_other_site(guarded, wanted):
    person = add_person(password=PASSWORD)
    assert 'name="next" value="/"' in guarded.get("/sign-in", params={"next": wanted}).text
    assert _sign_in(guarded, person.email, next=wanted).headers["location"] == "/"
    assert guarded.get("/sign-in", params={"next": wanted}).headers["location"] == "/"


def test_the_first_account_is_made_through_its_link(guarded):
    token = (db.run(setup_links.make_first) or "").partition("token=")[2]
    shown = guarded.get("/setup", params={"token": token})
    assert shown.status_code == 200 and f'value="{token}"' in shown.text and "readonly" not in shown.text
    form = {"token": token, "email": "mina@shop.example", "password": "password1234"}
    refused = guarded.post("/setup", data=form)
    assert refused.status_code == 422 and "common" in _alert(refused) and "password1234" not in refused.text
    assert 'value="mina@shop.example"' in refused.text
    assert guarded.post("/setup", data=form | {"password": PASSWORD}).status_code == 303
    assert "Your password is set" in guarded.get("/sign-in?set-up=done").text
    assert _sign_in(guarded, "mina@shop.example").status_code == 303
    assert guarded.get(PRODUCTS).status_code == 200


def test_a_person_chooses_a_password_through_a_link(guarded):
    person = add_person(Role.VIEWER)
    link = db.run(lambda session: setup_links.make(session, service.read_account(session, person.id)))
    path = link.removeprefix("http://localhost:3000")
    shown = guarded.get(path)
    assert person.email in shown.text and "readonly" in shown.text
    form = {"token": path.partition("token=")[2], "password": PASSWORD}
    # Another person is signed in in this browser.
    answer = guarded.post("/setup", data=form, headers=cookie(add_person()))
    assert _sessions() == 0
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?set-up=done")
    assert _sign_in(guarded, person.email).status_code == 303
    again = guarded.post("/setup", data=form)
    assert again.status_code == guarded.get(path).status_code == guarded.get("/setup").status_code == 404
    assert "Ask for a new one" in _alert(again)


def test_a_new_password_lets_in_who_was_throttled(guarded):
    person = add_person(password=PASSWORD)
    while _sign_in(guarded, person.email, "wrong").status_code != 429:
        pass
    link = db.run(lambda session: setup_links.make(session, service.read_account(session, person.id)))
    guarded.post("/setup", data={"token": link.partition("token=")[2], "password": "another good long secret"})
    assert _sign_in(guarded, person.email, "another good long secret").status_code == 303


def test_a_token_is_no_way_around_the_origin_check(guarded):
    person = add_person(password=PASSWORD)
    headers = bearer(add_token(person, "admin")) | {"Origin": "http://evil.example"}
    answer = guarded.post("/sign-in", data={"email": person.email, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", PATHS)
def test_without_sign_in_the_forms_lead_to_the_first_page(open_api, path, method):
    answer = open_api(AUTH="off").request(
        method, path, data={"email": "a", "password": "b"} if method == "POST" else None
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_secret_is_nowhere_but_in_the_cookie(guarded):
    person = add_person(password=PASSWORD)
    _sign_in(guarded, person.email)
    secret = guarded.cookies["pi_session"]
    assert secret not in guarded.get("/sign-out").text
    [stored] = db.run(lambda session: session.scalars(select(AccountSession)).all())
    assert stored.digest == digest_of(secret)
