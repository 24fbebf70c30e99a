"""The headers of a request and of its answer as the log of deliveries shows them: bounded, and without secrets."""

import re

import httpx

Headers = list[tuple[str, str]]

MAX_HEADERS = 40
MAX_NAME = 100
MAX_VALUE = 500
# Of each signature; enough to compare it with what a receiver logs.
SIGNATURE_CHARACTERS = 8
HIDDEN = "[hidden]"

SIGNATURE = re.compile(rf"(v1,[\w+/]{{{SIGNATURE_CHARACTERS}}})[\w+/=]+")
# What a receiver's answer may hold of its own secrets.
SECRET = re.compile(r"cookie|token|secret|authoriz|session|api-?key|passw", re.IGNORECASE)


def shown_request(headers: httpx.Headers) -> Headers:
    """Return the headers of a request. Signatures are cut: whoever reads the log cannot send the message again."""
    return [(name, SIGNATURE.sub(r"\1…", value)) for name, value in shown_answer(headers)]


def shown_answer(headers: httpx.Headers) -> Headers:
    """Return the headers of an answer, without the values of those that may be secrets of the receiver."""
    return [(name, HIDDEN if SECRET.search(name) else value) for name, value in _bounded(headers)]


def _bounded(headers: httpx.Headers) -> Headers:
    # Anything may be in there: PostgreSQL's text takes neither NUL nor half of a surrogate pair.
    found = [(_text(name, MAX_NAME), _text(value, MAX_VALUE)) for name, value in headers.raw[:MAX_HEADERS]]
    return [(name.lower(), value) for name, value in found]


def _text(raw: bytes, most: int) -> str:
    text = raw.decode("utf-8", "replace").replace("\0", "\ufffd")
    return text if len(text) <= most else f"{text[:most]}…"
