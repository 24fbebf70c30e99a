"""Calls to addresses that other people name: resolved once, checked, and connected to by the address checked."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import httpcore
import httpx

from product_importer.core.addresses import AddressNotAllowed, Guard

# It would write a line for every request, with its URL, in which receivers like to put a token.
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT_SECONDS = 5.0
KEEPALIVE_SECONDS = 10.0
MOST_IDLE = 200

# A name server that does not answer holds up threads: not those that do anything else.
RESOLVERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolve")


def client(guard: Guard, timeout: httpx.Timeout) -> httpx.AsyncClient:
    """Return a client that reaches only what the guard allows: no proxies, no redirects, HTTP/1.1."""
    return httpx.AsyncClient(transport=GuardedTransport(guard), timeout=timeout, trust_env=False)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system's resolver orders them.

    Raises:
        OSError: there are none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport on a pool of connections whose every address is checked."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        # httpx has no parameter for the backend; certificate and Host stay those of the URL.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=None,
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=GuardedBackend(guard),
        )


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects by address, after every address that the name has was checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._guard.check_port(port)
        try:
            async with asyncio.timeout(timeout):
                addresses = await asyncio.get_running_loop().run_in_executor(RESOLVERS, resolve, host, port)
                # One closed address among several is reason enough: no receiver has such a name by accident.
                for address in addresses:
                    self._guard.check_ip(address)
                return await self._connect(addresses, port, local_address, socket_options)
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


@lru_cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
