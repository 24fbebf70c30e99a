"""Send one message to one receiver over HTTP, with its time limits and retry schedule."""

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
from pydantic import BaseModel

from product_importer.core.errors import first_line
from product_importer.core.messages import MESSAGES, ImportCounts
from product_importer.core.outbound import http_client
from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy
from product_importer.core.secrets import SecretUnreadable
from product_importer.webhooks.delivery import signing
from product_importer.webhooks.delivery.shown_headers import Headers, shown_answer, shown_request

log = logging.getLogger(__name__)

TOTAL_SECONDS = 15.0
# Of a response, including its headers.
MAX_RESPONSE_BYTES = 64 * 1024
EXCERPT_BYTES = 2 * 1024

# Seconds between attempts: the example of Standard Webhooks 1.0, about three days in all.
SCHEDULE = tuple(
    float(seconds) for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
JITTER = 0.2
MAX_RETRY_AFTER = 24 * 3600.0


@dataclass(frozen=True)
class Message:
    """A message. Its id and its body are the same in every attempt; `version` is the product's."""

    id: str
    event_type: str
    body: bytes
    version: int | None = None


@dataclass(frozen=True)
class Target:
    """Where a message goes, and the valid secrets as they are stored, newest first."""

    url: str
    stored_secrets: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """The result of an attempt: `error` is None if it succeeded, `retry_after` the receiver's header in seconds.

    `url` and `request_headers` are None if no request was made.
    """

    started_at: datetime
    response_time_ms: int
    status_code: int | None = None
    excerpt: str | None = None
    error: str | None = None
    retry_after: float | None = None
    url: str | None = None
    request_headers: Headers | None = None
    response_headers: Headers | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver accepted the message."""
        return self.error is None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more messages."""
        return self.status_code == HTTPStatus.GONE


@dataclass
class _Exchange:
    """What was sent, and what has been read of the response, also when the time limit cuts it off."""

    url: str | None = None
    request_headers: Headers | None = None
    status_code: int | None = None
    content: bytearray = field(default_factory=bytearray)
    retry_after: float | None = None
    response_headers: Headers | None = None


def encode_body(payload: dict[str, Any]) -> bytes:
    """Return an event's payload as the JSON bytes that are signed and sent, in the order of its model's fields.

    PostgreSQL's jsonb keeps no order. Fields that an earlier version recorded stay, at the end.
    """
    fields = _ordered(payload, MESSAGES[payload["event_type"]])
    if isinstance(fields.get("counts"), dict):
        fields["counts"] = _ordered(fields["counts"], ImportCounts)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def next_delay(
    tries: int, retry_after: float | None = None, spread: Callable[[float, float], float] = random.uniform
) -> float | None:
    """Return the seconds to wait after `tries` failed attempts, `retry_after` at least; None after the last."""
    if tries > len(SCHEDULE):
        return None
    delay = SCHEDULE[tries - 1] * spread(1 - JITTER, 1 + JITTER)
    return max(delay, min(retry_after or 0.0, MAX_RETRY_AFTER))


def new_client(policy: AddressPolicy) -> httpx.AsyncClient:
    """Return a client for messages. The caller closes it."""
    timeout = httpx.Timeout(TOTAL_SECONDS, connect=http_client.CONNECT_SECONDS, pool=None)
    return http_client.client(policy, timeout, MAX_RESPONSE_BYTES)


async def send(client: httpx.AsyncClient, policy: AddressPolicy, target: Target, message: Message) -> Outcome:
    """Send a message once and return the outcome. Errors become outcomes, too."""
    started_at, began = datetime.now(UTC), time.monotonic()
    exchange = _Exchange()
    error: str | None
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            await _post(client, policy.check_url(target.url), target, message, exchange)
        error = _status_error(exchange.status_code)
    except (AddressNotAllowed, SecretUnreadable) as cause:
        error = str(cause)
    except httpx.ConnectTimeout:
        error = f"no connection within {http_client.CONNECT_SECONDS:g} s"
    except (TimeoutError, httpx.TimeoutException):
        error = f"no complete response within {TOTAL_SECONDS:g} s"
    except httpx.ConnectError as cause:
        error = f"no connection: {_first_line(cause)}"
    except http_client.ResponseTooLong:
        error = f"the response headers are longer than {MAX_RESPONSE_BYTES // 1024} KB"
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as cause:
        error = f"the response was cut off or is not HTTP: {_first_line(cause)}"
    # An unexpected error with one receiver must not end the sender, which serves all of them.
    except Exception as cause:
        log.exception("message %s could not be sent", message.id)
        error = f"internal error of the sender, see its log: {type(cause).__name__}"
    return Outcome(
        started_at=started_at,
        response_time_ms=round((time.monotonic() - began) * 1000),
        status_code=exchange.status_code,
        excerpt=_excerpt(exchange.content) if exchange.status_code else None,
        error=error,
        retry_after=exchange.retry_after,
        url=exchange.url,
        request_headers=exchange.request_headers,
        response_headers=exchange.response_headers,
    )


async def _post(
    client: httpx.AsyncClient, url: httpx.URL, target: Target, message: Message, exchange: _Exchange
) -> None:
    """Send the request and fill `exchange` meanwhile."""
    request = client.build_request("POST", url, content=message.body, headers=_headers(target, message))
    exchange.url, exchange.request_headers = str(url), shown_request(request.headers)
    response = await client.send(request, stream=True, follow_redirects=False)
    try:
        exchange.status_code = response.status_code
        exchange.response_headers = shown_answer(response.headers)
        exchange.retry_after = _retry_after(response.headers.get("retry-after", ""))
        with suppress(http_client.ResponseTooLong):
            async for piece in response.aiter_raw():
                exchange.content += piece
    finally:
        await response.aclose()
        # Receivers get no cookies: each message stands for itself.
        client.cookies.clear()


def _headers(target: Target, message: Message) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "user-agent": "product-importer-webhooks/1",
        # Compressed, few bytes could unpack to more than the limit.
        "accept-encoding": "identity",
        "webhook-event": message.event_type,
        **signing.headers(message.id, int(time.time()), message.body, signing.readable(target.stored_secrets)),
    }
    if message.version is not None:
        headers["webhook-product-version"] = str(message.version)
    return headers


def _status_error(status: int | None) -> str | None:
    """Return why a status code means failure; None for a success."""
    if status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status is not None and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"answered {status}: redirects are not followed"
    return f"answered {status}"


def _retry_after(value: str) -> float | None:
    """Return the seconds of a `Retry-After` header (RFC 9110, section 10.2.3): seconds or a date."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _excerpt(content: bytearray) -> str:
    # PostgreSQL's text cannot hold NUL.
    return content[:EXCERPT_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


def _first_line(error: Exception) -> str:
    line = first_line(error)[:300]
    return line.encode(errors="replace").decode().replace("\0", "")


def _ordered(fields: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    known = {name: fields[name] for name in model.model_fields if name in fields}
    return known | {name: value for name, value in fields.items() if name not in known}
