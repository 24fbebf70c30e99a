"""Secrets are redacted in every form in which libraries write them."""

import random
import string

import pytest

from product_importer.core.logging.redaction import HIDDEN, MAX_CHARACTERS, redacted

SECRETS = [
    "Cookie: session=S3CRET; other=S3CRET",
    "cookie:S3CRET",
    "Set-Cookie: id=S3CRET; HttpOnly",
    "Authorization: Bearer S3CRET",
    "authorization: Basic S3CRETS3CRET==",
    "Proxy-Authorization: Basic S3CRETS3CRET",
    "authorization=Bearer S3CRET.S3CRET",
    "got Bearer S3CRET from somebody",
    "{'cookie': 'a=S3CRET'}",
    '{"Cookie": "a=S3CRET"}',
    "{'cookie': \"it's S3CRET\"}",
    r"{'cookie': 'it\'s S3CRET'}",
    "{'cookie': 'cut off S3CRET",
    "[(b'cookie', b'S3CRET'), (b'host', b'a')]",
    "[[b'authorization', b'Bearer S3CRET']]",
    "router_data={'headers': {'host': 'a', 'x-my-own': 'S3CRET', 'x-other': 'S3CRET'}}",
    "scope = {'type': 'http', 'headers': [(b'x-my-own', b'S3CRET'), (b'accept', b'*/*')]}",
    "Headers({'x-my-own': 'S3CRET', 'content-length': 5, 'x-other': 'S3CRET'})",
    "headers=Headers(raw=[(b'x-my-own', b'S3CRET')])",
    'headers: {"x-my-own": "S3CRET',
    "[(b'host', b'a'), (b'x-my-own', b'S3CRET')]",
    "x-api-key: S3CRET",
    "'X-Api-Key': 'S3CRET'",
    "Idempotency-Key: S3CRET",
    "password=S3CRET host=db",
    "PASSWORD = 'S3CRET with spaces'",
    "aws_secret_access_key=S3CRET",
    "X-Auth-Token: S3CRET",
    "invalid dsn: postgresql://shop:S3CRET@db:5432/shop",
    "redis://:S3CRET@cache:6379/0 does not answer",
    "postgresql://shop:S3CRET@S3CRET@db/shop",
    "https://S3CRET:S3CRET@example.com/hook",
    "POST https://example.com/hook?key=S3CRET failed",
    "https://example.com/hook#S3CRET",
    "https://hooks.example.com/services/T0/S3CRETS3CRETS3CRETS3CRET/x",
    "GET /_event/?EIO=4&token=S3CRET",
    "/hook?anything=S3CRET&more=S3CRET",
    "secret whsec_S3CRETS3CRETS3CRET+/=",
    "token pi_S3CRETS3CRET",
    "Failed to deserialize event data: {'name': 'x', 'payload': {'field': 'S3CRET'}}.",
    "Event data must be a dictionary, but received ['S3CRET'] of type <class 'list'>.",
    "may indicate a bug. Event data: S3CRET\nS3CRET",
    "Error transforming event argument 'form' with value '{'pin': 'S3CRET'}' and type hint 'dict'",
]
HARMLESS = [
    "import 01a2092e-a412-7000-8000-46da72beb174: completed",
    "import 01a2092e-a412-7000-8000-46da72beb174: claimed with fencing token 1",
    "{'headers': {'host': 'shop.example', 'user-agent': 'curl/8', 'content-length': 5}}",
    "webhook 01a2092e-a412-7000-8000-46da72beb174 is disabled: The receiver answered 410 Gone.",
    'password authentication failed for user "shop"',
    "(Background on this error at: https://sqlalche.me/e/20/e3q8)",
    "cannot enqueue product_importer.imports.tasks.run_import: Error 111 connecting to 127.0.0.1:6379.",
    "what? nothing=1",
    "File '/srv/shop/a-very-long-name-of-a-folder-of-mine/x.py'",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_redacted(text):
    result = redacted(text)
    assert "S3CRET" not in result and HIDDEN in result


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_is_unchanged(text):
    assert redacted(text) == text


def test_text_around_a_secret_is_unchanged():
    assert redacted("cannot open postgresql://shop:a@db:5432/shop, see above") == (
        f"cannot open postgresql://{HIDDEN}@db:5432/shop, see above"
    )
    shown = redacted("{'headers': {'host': 'a', 'x-mine': 'b'}, 'path': '/c'}")
    assert shown == f"{{'headers': {{'host': 'a', 'x-mine': '{HIDDEN}'}}, 'path': '/c'}}"
    token = "1b4e28ba-2fa1-4d2a-883f-b9a761bde3fb"
    assert redacted(f"disconnected client '{token}'") == f"disconnected client '1b4e28ba-{HIDDEN}'"


def test_a_long_text_is_cut_and_its_secrets_are_not_shown():
    assert len(redacted("a b " * MAX_CHARACTERS)) < MAX_CHARACTERS + 10
    assert "S3CRET" not in redacted("{'headers': {'x': '" + "S3CRET" * MAX_CHARACTERS)


PIECES = [
    "headers={'",
    "headers: ",
    "'a': 'b', ",
    "://",
    "cookie: ",
    "'",
    '"',
    "\\",
    "token=",
    "a",
    "-",
    "(",
    "[",
    "https://a/",
]
MEAN = [piece * MAX_CHARACTERS for piece in PIECES]
MEAN += [
    "headers: " + "[" * MAX_CHARACTERS,
    "headers={'a': 'b'" + ", 'a'" * MAX_CHARACTERS,
    "token" * MAX_CHARACTERS,
]


@pytest.mark.parametrize("text", MEAN, ids=[text[:24] for text in MEAN])
def test_no_text_makes_the_patterns_slow(text):
    # A pattern with much backtracking would not end in any reasonable time.
    assert len(redacted(text)) < 3 * MAX_CHARACTERS


def test_any_text_can_be_redacted():
    chance = random.Random(1)
    for _ in range(300):
        parts = chance.choices([*PIECES, *string.printable, "\x1b", "\u2028", "\ud800"], k=chance.randrange(80))
        assert isinstance(redacted("".join(parts)), str)
