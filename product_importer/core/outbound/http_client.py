"""Calls to addresses that other people name: resolved once, checked, and connected to by the address checked."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from product_importer.core.outbound.address_policy import AddressNotAllowed, AddressPolicy

# It would write a line for every request, with its URL, in which receivers like to put a token.
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 10.0
MAX_IDLE = 200

# A name server that does not answer holds up threads: not those that do anything else, and one for each name.
RESOLVERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")
LOOKUPS: dict[tuple[str, int], Future[list[str]]] = {}


class AnswerTooLong(Exception):
    """More has come than is read of an answer."""


def client(policy: AddressPolicy, timeout: httpx.Timeout, max_bytes: int) -> httpx.AsyncClient:
    """Return a client that reaches only what the guard allows: no proxies, no redirects, HTTP/1.1.

    Of each answer it reads at most `max_bytes`, head and body together, and raises `AnswerTooLong` for the next.
    """
    return httpx.AsyncClient(transport=PolicyTransport(policy, max_bytes), timeout=timeout, trust_env=False)


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host; whoever asks while somebody else waits for them waits for the same answer.

    Raises:
        OSError: there are none.
    """
    lookup = LOOKUPS.get((host, port))
    if lookup is None:
        lookup = LOOKUPS[host, port] = RESOLVERS.submit(resolve, host, port)
        lookup.add_done_callback(lambda _: LOOKUPS.pop((host, port), None))
    answer = asyncio.wrap_future(lookup)
    # Who gives up waiting does not end it for the others, and never learns what came of it.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(answer)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system's resolver orders them.

    Raises:
        OSError: there are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PolicyTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport on a pool of connections whose every address is checked."""

    def __init__(self, policy: AddressPolicy, max_bytes: int) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        # httpx has no parameter for the backend; certificate and Host stay those of the URL.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=MAX_IDLE,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=PolicyBackend(policy, max_bytes),
        )


class PolicyBackend(httpcore.AsyncNetworkBackend):
    """Connects by address, after every address that the name has was checked."""

    def __init__(self, policy: AddressPolicy, max_bytes: int) -> None:
        self._policy = policy
        self._most_bytes = max_bytes
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._policy.check_port(port)
        try:
            async with asyncio.timeout(timeout):
                addresses = await look_up(host, port)
                # One closed address among several is reason enough: no receiver has such a name by accident.
                for address in addresses:
                    self._policy.check_ip(address, port)
                stream = await self._connect(addresses, port, local_address, socket_options)
                return BoundedStream(stream, self._most_bytes)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        del timeout, socket_options
        raise AddressNotAllowed(f"{path} is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _connect(
        self,
        addresses: list[str],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        refused: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(
                    address, port, local_address=local_address, socket_options=socket_options
                )
            except httpcore.ConnectError as error:
                refused = error
        raise refused


class BoundedStream(httpcore.AsyncNetworkStream):
    """A connection on which so many bytes are read after each request: an answer's head may have no end, too."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, max_bytes: int) -> None:
        self._stream = stream
        self._most_bytes = self._left = max_bytes

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if not self._left:
            raise AnswerTooLong(f"more than {self._most_bytes} bytes")
        read = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(read)
        return read

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._left = self._most_bytes
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._most_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@lru_cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
