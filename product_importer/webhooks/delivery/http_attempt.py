"""One message to one receiver: what is sent, how long an answer may take, and when the next attempt is due."""

import asyncio
import json
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx

from product_importer.core.errors import first_line
from product_importer.core.outbound import http_client
from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy
from product_importer.webhooks.delivery import signing

log = logging.getLogger(__name__)

TOTAL_SECONDS = 15.0
# Of an answer, its head included.
MAX_BYTES = 64 * 1024
EXCERPT_BYTES = 2 * 1024

# Between attempts: the example of Standard Webhooks 1.0, about three days in all.
SCHEDULE = tuple(
    float(seconds) for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
JITTER = 0.2
MAX_RETRY_AFTER = 24 * 3600.0

# The order in which the contract shows them; PostgreSQL's jsonb keeps none.
FIELDS = ("event_type", "product_id", "job_id", "sku", "name", "filename", "status", "counts", "deleted", "timestamp")
COUNTS = ("total", "created", "updated", "unchanged", "duplicates", "rejected")


@dataclass(frozen=True)
class Message:
    """What a receiver is told. Its id stays across attempts, and so do its bytes."""

    id: str
    event_type: str
    body: bytes
    version: int | None = None


@dataclass(frozen=True)
class Target:
    """Where a message goes, and the secrets that are valid: the newest first."""

    url: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What an attempt brought. `retry_after`, in seconds, is the receiver's wish."""

    started_at: datetime
    response_time_ms: int
    status_code: int | None = None
    excerpt: str | None = None
    error: str | None = None
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status_code == HTTPStatus.GONE


@dataclass
class _Answer:
    """What there is of an answer, also when the deadline cuts it."""

    status_code: int | None = None
    content: bytearray = field(default_factory=bytearray)
    retry_after: float | None = None


def render(payload: dict[str, Any]) -> bytes:
    """Return an event's payload as the bytes that are signed and sent."""
    told = _ordered(payload, FIELDS)
    if isinstance(told.get("counts"), dict):
        told["counts"] = _ordered(told["counts"], COUNTS)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def next_delay(
    tries: int, retry_after: float | None = None, spread: Callable[[float, float], float] = random.uniform
) -> float | None:
    """Return the seconds until the attempt after `tries` failed ones; None when that was the last."""
    if tries > len(SCHEDULE):
        return None
    delay = SCHEDULE[tries - 1] * spread(1 - JITTER, 1 + JITTER)
    return max(delay, min(retry_after or 0.0, MAX_RETRY_AFTER))


def client(policy: AddressPolicy) -> httpx.AsyncClient:
    """Return a client for messages; close it after use."""
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=http_client.CONNECT_SECONDS, pool=None)
    return http_client.client(policy, timeout, MAX_BYTES)


async def send(through: httpx.AsyncClient, policy: AddressPolicy, target: Target, message: Message) -> Outcome:
    """Send a message once, and say how it went: whatever happens, it is an outcome."""
    started_at, began = datetime.now(UTC), time.monotonic()
    answer = _Answer()
    error: str | None = None
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            await _exchange(through, policy.check_url(target.url), target, message, answer)
        error = _refusal(answer.status_code)
    except AddressNotAllowed as refusal:
        error = str(refusal)
    except httpx.ConnectTimeout:
        error = f"no connection within {http_client.CONNECT_SECONDS:g} s"
    except (TimeoutError, httpx.TimeoutException):
        error = f"no complete answer within {TOTAL_SECONDS:g} s"
    except httpx.ConnectError as fault:
        error = f"no connection: {_first_line(fault)}"
    except http_client.AnswerTooLong:
        error = f"the head of the answer is longer than {MAX_BYTES // 1024} KB"
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as fault:
        error = f"the answer broke off or is no HTTP: {_first_line(fault)}"
    # One receiver must not end the sender of all, by whatever it finds.
    except Exception as fault:
        log.exception("message %s could not be sent", message.id)
        error = f"a fault of the sender, which its log describes: {type(fault).__name__}"
    return Outcome(
        started_at=started_at,
        response_time_ms=round((time.monotonic() - began) * 1000),
        status_code=answer.status_code,
        excerpt=_excerpt(answer.content) if answer.status_code else None,
        error=error,
        retry_after=answer.retry_after,
    )


async def _exchange(
    through: httpx.AsyncClient, url: httpx.URL, target: Target, message: Message, answer: _Answer
) -> None:
    headers = {
        "content-type": "application/json",
        "user-agent": "product-importer-webhooks/1",
        # What is read is bounded; compressed, it would not be.
        "accept-encoding": "identity",
        "webhook-event": message.event_type,
        **signing.headers(message.id, int(time.time()), message.body, target.secrets),
    }
    if message.version is not None:
        headers["webhook-product-version"] = str(message.version)
    request = through.stream("POST", url, content=message.body, headers=headers, follow_redirects=False)
    async with request as response:
        answer.status_code = response.status_code
        answer.retry_after = _retry_after(response.headers.get("retry-after", ""))
        with suppress(http_client.AnswerTooLong):
            async for piece in response.aiter_raw():
                answer.content += piece


def _refusal(status: int | None) -> str | None:
    """Say why a status is a failure; None for a success."""
    if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status is not None and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"answered {status}: redirects are not followed"
    return f"answered {status}"


def _retry_after(value: str) -> float | None:
    """Read `Retry-After` (RFC 9110, section 10.2.3): seconds or a date."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _excerpt(content: bytearray) -> str:
    # PostgreSQL's text holds no NUL.
    return content[:EXCERPT_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


def _first_line(fault: Exception) -> str:
    line = first_line(fault)[:300]
    return line.encode(errors="replace").decode().replace("\0", "")


def _ordered(told: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    known = {name: told[name] for name in names if name in told}
    return known | {name: value for name, value in told.items() if name not in known}
