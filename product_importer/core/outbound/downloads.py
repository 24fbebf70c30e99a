"""Download a file from a URL that a user enters. The address policy applies to it and to each redirect."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from http import HTTPStatus
from urllib.parse import unquote

import httpx

from product_importer.core.errors import first_line
from product_importer.core.outbound import http_client
from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy

# End a download when nothing arrives for so long.
SILENCE_SECONDS = 30.0
# The limit of all bytes from the server, as a multiple of the limit of the file.
MAX_OVERHEAD = 2
MAX_REDIRECTS = 3
HEADERS = {
    "user-agent": "product-importer/1",
    # So that the limit applies to the file's own size.
    "accept-encoding": "identity",
}


class DownloadError(Exception):
    """The download failed. The message is one line with hosts but without URLs, which may hold tokens."""


def file_name(url: str) -> str:
    """Return a name for the file of a URL: the last part of its path, or its host if there is none."""
    parsed = httpx.URL(url)
    return unquote(parsed.path.rstrip("/").rpartition("/")[2]) or parsed.host


def download(
    url: str,
    policy: AddressPolicy,
    redirected: Callable[[str], object],
    max_bytes: int | None = None,
    silence_seconds: float = SILENCE_SECONDS,
) -> Generator[bytes]:
    """Yield the file's bytes as they arrive, and pass the host of each redirect to `redirected`.

    `max_bytes` is the largest file that the caller takes; far more is not read. None: there is no limit.

    Raises:
        DownloadError: an address is not allowed, does not answer in time, or does not send the whole file.
    """
    limits = httpx.Timeout(silence_seconds, connect=http_client.CONNECT_SECONDS, pool=None)
    try:
        yield from _step_by_step(_download(url, policy, limits, redirected, max_bytes))
    except AddressNotAllowed as error:
        raise DownloadError(f"{error}; WEBHOOK_ALLOW_CIDRS and WEBHOOK_PORTS open others") from None
    except httpx.ConnectTimeout:
        raise DownloadError(f"no connection within {http_client.CONNECT_SECONDS:g} s") from None
    except httpx.TimeoutException:
        raise DownloadError(f"nothing arrived for {silence_seconds:g} s") from None
    except httpx.ConnectError as error:
        raise DownloadError(f"no connection: {first_line(error)}") from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise DownloadError(f"the response broke off or is not HTTP: {first_line(error)}") from None


def _step_by_step(pieces: AsyncGenerator[bytes]) -> Generator[bytes]:
    """Run an asynchronous generator on a loop of its own."""

    async def step() -> bytes | None:
        return await anext(pieces, None)

    async def close() -> None:
        await pieces.aclose()

    with asyncio.Runner() as runner:
        try:
            while (piece := runner.run(step())) is not None:
                yield piece
        except GeneratorExit:
            # The loop's end would close this generator and those inside it at once, in no order.
            runner.run(close())
            raise


async def _download(
    url: str,
    policy: AddressPolicy,
    limits: httpx.Timeout,
    redirected: Callable[[str], object],
    max_bytes: int | None,
) -> AsyncGenerator[bytes]:
    most = sys.maxsize if max_bytes is None else MAX_OVERHEAD * max_bytes
    async with http_client.client(policy, limits, most) as client:
        for _ in range(MAX_REDIRECTS + 1):
            checked = policy.check_url(url)
            request = client.stream("GET", checked, headers=HEADERS, follow_redirects=False)
            async with request as response:
                if response.next_request is None:
                    _require_file(response)
                    async for piece in response.aiter_bytes():
                        yield piece
                    return
                url = str(response.next_request.url)
            redirected(policy.check_url(url).host)
    raise DownloadError(f"the server redirects more than {MAX_REDIRECTS} times")


def _require_file(response: httpx.Response) -> None:
    if response.status_code != HTTPStatus.OK:
        raise DownloadError(f"{response.url.host} answered {response.status_code} {response.reason_phrase}".rstrip())
