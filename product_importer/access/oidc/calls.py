"""Call the provider: in limited time, and for limited answers."""

import asyncio
import json
import ssl
from functools import lru_cache
from typing import Any

import httpx

from product_importer.access.oidc.refusals import Refusal, Refused

SECONDS = 10.0
MAX_BYTES = 512 * 1024
# Packed answers would be larger than what is counted.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


async def call(
    method: str, url: str, *, headers: dict[str, str] | None = None, content: str | None = None
) -> tuple[int, dict[str, Any]]:
    """Call an address that was checked, and return the status and the JSON object of the answer.

    Raises:
        Refused: `UNREACHABLE` without an answer in `SECONDS`, `ANSWER` if it is longer than `MAX_BYTES` or no object.
    """
    try:
        async with asyncio.timeout(SECONDS), _client() as client:
            request = client.build_request(method, url, headers={**HEADERS, **(headers or {})}, content=content)
            return await _answer(client, request)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Refused(Refusal.UNREACHABLE, f"no answer: {type(error).__name__}") from error


async def _answer(client: httpx.AsyncClient, request: httpx.Request) -> tuple[int, dict[str, Any]]:
    answer = await client.send(request, stream=True)
    try:
        read = bytearray()
        async for piece in answer.aiter_raw():
            read += piece
            if len(read) > MAX_BYTES:
                raise Refused(Refusal.ANSWER, f"an answer is longer than {MAX_BYTES} bytes")
    finally:
        await answer.aclose()
    if answer.status_code >= 500:
        raise Refused(Refusal.UNREACHABLE, f"the provider answers {answer.status_code}")
    return answer.status_code, _object(bytes(read))


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise Refused(Refusal.ANSWER, "an answer is no JSON object")
    return parsed


def _client() -> httpx.AsyncClient:
    """Return a client that follows no redirects and uses no proxy of the environment."""
    return httpx.AsyncClient(verify=_tls(), timeout=SECONDS, trust_env=False)


@lru_cache
def _tls() -> ssl.SSLContext:
    """Trust what public sites are signed by, and what this machine's administrator added, for providers inside."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context
