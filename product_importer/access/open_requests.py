"""Bound how many requests one address has open, so that no client can keep everybody else out."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from starlette.types import Scope

from product_importer.core.errors import TooMany

RETRY_SECONDS = 5


class OpenRequests:
    """Requests and websockets that are open now, by the address of their client; loopback is not counted."""

    def __init__(self, most: int):
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def counted(self, scope: Scope) -> Iterator[None]:
        """Count a request while it is open.

        Raises:
            TooMany: its address has as many open as it may have.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        if _is_loopback(address):
            yield
            return
        if self._open[address] >= self._most:
            raise TooMany(
                f"{address} has {self._most} requests open, as many as MAX_REQUESTS_PER_ADDRESS allows. "
                "Wait for one to end.",
                retry_after=RETRY_SECONDS,
            )
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


def _is_loopback(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
