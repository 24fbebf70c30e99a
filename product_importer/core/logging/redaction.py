"""Redact secrets from log texts: header values, passwords, tokens and the contents of events.

The values of headers are redacted unless their names are in `SHOWN_HEADERS`. Everything else is found by patterns.
"""

import re
from collections.abc import Callable

HIDDEN = "[redacted]"
# Longer texts are cut first, so that the patterns never take long.
MAX_CHARACTERS = 8_000

SHOWN_HEADERS = frozenset(
    (
        *("accept", "accept-encoding", "accept-language", "connection", "content-length", "content-type", "date"),
        *("expect", "host", "origin", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-websocket-version"),
        *("transfer-encoding", "upgrade", "user-agent", "webhook-event", "webhook-timestamp"),
    )
)

# A string literal of Python or JSON, possibly cut off.
QUOTED = r"""b?(?:'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?$)|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$))"""
# Bounded, and only at the start of a word, so that a very long word is scanned once.
NAME = (
    r"(?<![\w-])[\w-]{0,40}?(?:cookie|authorization|token|secret|passwo?r?d|api[_-]?key|idempotency[_-]?key|session"
    r"|signature|credential)[\w-]{0,40}"
)
PAIR = re.compile(rf"({QUOTED})(\s*[:,]\s*)({QUOTED}|[\w.-]+)", re.DOTALL)
# `'headers': {'a': 'b'}`, `Headers({"a": "b"})`, `headers=Headers(raw=[(b'a', b'b')])`; and `[(b'a', b'b')]` alone.
HEADERS = re.compile(
    rf"(?is)(?:headers['\"]?\s*[:=(][\w\s=({{\[]{{0,40}}?|(?=\[[(\[]b['\"]))(?:[\s,()\[]*{PAIR.pattern}[)\]]*)+"
)
# A header on a line of its own.
HEADER_LINE = re.compile(r"(?i)(?<![\w-])((?:set-|proxy-)?(?:cookie|authorization)\s*:\s*)(?!['\"{\[])[^\r\n]+")
NAMED = re.compile(
    rf"(?is)({NAME}(?:['\"]\s*[:,=]|\s*[:=])\s*)(?:{QUOTED}|[^\s,;'\"{{}}()\[\]]+)",
)
SCHEME = re.compile(r"(?i)\b(bearer\s+|basic\s+(?=[\w+/]{8}))[^\s'\"]+")
# What Reflex quotes of an event that it cannot parse.
EVENT = re.compile(r"(?is)(event data:|must be a dictionary, but received|event argument '\w{1,100}' with value) .*")
# Name and password in `postgresql://user:password@host/db`.
USER = re.compile(r"(?<=://)[^\s'\"]{1,300}@")
URL = re.compile(r"(?i)\bhttps?://[^\s'\"<>]+")
LONG_PART = re.compile(r"(?<=/)[\w%~.-]{20,}(?=/|$)")
QUERY = re.compile(r"(?<=[\w/])\?[\w.~%+-]{1,100}=[^\s'\"<>]*")
# Secrets of webhooks and tokens of the REST API.
TOKEN = re.compile(r"\b(whsec_|pi_)[\w+/=-]{8,}")
# Reflex's tokens of browser tabs are UUIDs of version 4; our ids have version 7.
TAB = re.compile(r"(?i)\b([0-9a-f]{8})-[0-9a-f]{4}-4[0-9a-f]{3}-[89a-f][0-9a-f]{3}-[0-9a-f]{12}\b")


def redacted(text: str) -> str:
    """Return the first `MAX_CHARACTERS` of a text with its secrets redacted."""
    text = text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} …"
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return text


def _redact_headers(found: re.Match[str]) -> str:
    """Redact the values of the headers that are not in `SHOWN_HEADERS`."""
    return PAIR.sub(_shown_header, found[0])


def _shown_header(pair: re.Match[str]) -> str:
    name = pair[1].lstrip("bB").strip("'\"").lower()
    return pair[0] if name in SHOWN_HEADERS else f"{pair[1]}{pair[2]}'{HIDDEN}'"


def _redact_url(url: re.Match[str]) -> str:
    """Redact the query of a URL and the long parts of its path: receivers put tokens into both."""
    address = re.split(r"[?#]", url[0], maxsplit=1)[0]
    return LONG_PART.sub(HIDDEN, address) + (f"?{HIDDEN}" if address != url[0] else "")


Replacement = str | Callable[[re.Match[str]], str]
RULES: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    (EVENT, rf"\1 {HIDDEN}"),
    (HEADERS, _redact_headers),
    (HEADER_LINE, rf"\1{HIDDEN}"),
    (SCHEME, rf"\1{HIDDEN}"),
    (NAMED, rf"\1{HIDDEN}"),
    (USER, f"{HIDDEN}@"),
    (URL, _redact_url),
    (QUERY, f"?{HIDDEN}"),
    (TOKEN, rf"\1{HIDDEN}"),
    (TAB, rf"\1-{HIDDEN}"),
)
