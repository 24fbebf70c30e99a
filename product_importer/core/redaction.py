"""Takes out of a text what must not stand in a log: header values, passwords, tokens, what an event holds.

Headers are shown by name: those that are listed, and no others. Everything else is found by its shape.
"""

import re
from collections.abc import Callable

HIDDEN = "[redacted]"
# Longer texts are cut first: what looks for secrets must not take long, whatever was sent.
MAX_CHARACTERS = 8_000

SHOWN_HEADERS = frozenset(
    (
        *("accept", "accept-encoding", "accept-language", "connection", "content-length", "content-type", "date"),
        *("expect", "host", "origin", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-websocket-version"),
        *("transfer-encoding", "upgrade", "user-agent", "webhook-event", "webhook-timestamp"),
    )
)

# A text as Python or JSON writes it; it may have been cut.
QUOTED = r"""b?(?:'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?$)|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?$))"""
# Only where a word begins, and for so many characters: a text of one endless word is looked at once.
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
# What Reflex quotes of an event that it does not understand.
EVENT = re.compile(r"(?is)(event data:|must be a dictionary, but received|event argument '\w{1,100}' with value) .*")
# Name and password in `postgresql://user:password@host/db`.
USER = re.compile(r"(?<=://)[^\s'\"]{1,300}@")
URL = re.compile(r"(?i)\bhttps?://[^\s'\"<>]+")
LONG_PART = re.compile(r"(?<=/)[\w%~.-]{20,}(?=/|$)")
QUERY = re.compile(r"(?<=[\w/])\?[\w.~%+-]{1,100}=[^\s'\"<>]*")
# Secrets of webhooks and tokens of the REST API.
TOKEN = re.compile(r"\b(whsec_|pi_)[\w+/=-]{8,}")
# The tokens of browser tabs are random UUIDs; ours are not.
TAB = re.compile(r"(?i)\b([0-9a-f]{8})-[0-9a-f]{4}-4[0-9a-f]{3}-[89a-f][0-9a-f]{3}-[0-9a-f]{12}\b")


def redacted(text: str) -> str:
    """Return a text without what is secret, and without what is beyond `MAX_CHARACTERS`."""
    text = text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]} …"
    for pattern, replacement in RULES:
        text = pattern.sub(replacement, text)
    return text


def _without_values(found: re.Match[str]) -> str:
    """Return headers as they were written, the values gone whose names are not listed."""
    return PAIR.sub(_shown_header, found[0])


def _shown_header(pair: re.Match[str]) -> str:
    name = pair[1].lstrip("bB").strip("'\"").lower()
    return pair[0] if name in SHOWN_HEADERS else f"{pair[1]}{pair[2]}'{HIDDEN}'"


def _without_token(url: re.Match[str]) -> str:
    """Return a URL without its query, and without the long parts of its path: receivers put tokens into both."""
    address = re.split(r"[?#]", url[0], maxsplit=1)[0]
    return LONG_PART.sub(HIDDEN, address) + (f"?{HIDDEN}" if address != url[0] else "")


Replacement = str | Callable[[re.Match[str]], str]
RULES: tuple[tuple[re.Pattern[str], Replacement], ...] = (
    (EVENT, rf"\1 {HIDDEN}"),
    (HEADERS, _without_values),
    (HEADER_LINE, rf"\1{HIDDEN}"),
    (SCHEME, rf"\1{HIDDEN}"),
    (NAMED, rf"\1{HIDDEN}"),
    (USER, f"{HIDDEN}@"),
    (URL, _without_token),
    (QUERY, f"?{HIDDEN}"),
    (TOKEN, rf"\1{HIDDEN}"),
    (TAB, rf"\1-{HIDDEN}"),
)
