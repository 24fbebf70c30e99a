"""Call addresses that users enter: resolve a host once, check its addresses, and connect to a checked one."""

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

# It would log every request with its URL, which may hold a token.
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 10.0
MAX_IDLE = 200

# An unresponsive name server blocks threads: these are used for nothing else, and at most one for each host.
RESOLVERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")
LOOKUPS: dict[tuple[str, int], Future[list[str]]] = {}


class ResponseTooLong(Exception):
    """The response is longer than the client's limit."""


def client(policy: AddressPolicy, timeout: httpx.Timeout, max_bytes: int) -> httpx.AsyncClient:
    """Return a client that calls only what the policy allows, by HTTP/1.1 and without proxies.

    It reads at most `max_bytes` of each response, head and body together, and then raises `ResponseTooLong`.
    """
    return httpx.AsyncClient(transport=PolicyTransport(policy, max_bytes), timeout=timeout, trust_env=False)


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Concurrent calls for the same host share one lookup.

    Raises:
        OSError: the host cannot be resolved.
    """
    lookup = LOOKUPS.get((host, port))
    if lookup is None:
        lookup = LOOKUPS[host, port] = RESOLVERS.submit(resolve, host, port)
        lookup.add_done_callback(lambda _: LOOKUPS.pop((host, port), None))
    answer = asyncio.wrap_future(lookup)
    # A cancelled caller must not cancel the lookup of the others, nor leave its exception unretrieved.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(answer)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host in the order of the system's resolver.

    Raises:
        OSError: the host cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PolicyTransport(httpx.AsyncHTTPTransport):
    """httpx's transport with connections whose addresses are checked."""

    def __init__(self, policy: AddressPolicy, max_bytes: int) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        # httpx has no parameter for the backend. Certificate and Host are still those of the URL.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=MAX_IDLE,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=PolicyBackend(policy, max_bytes),
        )


class PolicyBackend(httpcore.AsyncNetworkBackend):
    """Resolves a host, checks all its addresses and connects to one of them."""

    def __init__(self, policy: AddressPolicy, max_bytes: int) -> None:
        self._policy = policy
        self._max_bytes = max_bytes
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
                # One forbidden address is enough to reject the host: no real receiver has one.
                for address in addresses:
                    self._policy.check_ip(address, port)
                stream = await self._connect(addresses, port, local_address, socket_options)
                return BoundedStream(stream, self._max_bytes)
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
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(
                    address, port, local_address=local_address, socket_options=socket_options
                )
            except httpcore.ConnectError as error:
                failure = error
        raise failure


class BoundedStream(httpcore.AsyncNetworkStream):
    """Limits the bytes that are read after each request, including the response's head, which may be endless."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, max_bytes: int) -> None:
        self._stream = stream
        self._max_bytes = self._left = max_bytes

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        if not self._left:
            raise ResponseTooLong(f"more than {self._max_bytes} bytes")
        read = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(read)
        return read

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._left = self._max_bytes
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        return BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout), self._max_bytes)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@lru_cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
