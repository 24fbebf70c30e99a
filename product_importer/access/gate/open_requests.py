"""Limit the open requests of each address, so that no client can keep others out."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from starlette.types import Scope

from product_importer.core.errors import TooMany

RETRY_SECONDS = 5


class OpenRequests:
    """Counts open requests and websockets by client address; loopback is not counted."""

    def __init__(self, maximum: int):
        self._maximum = maximum
        self._open: Counter[str] = Counter()

    @contextmanager
    def counted(self, scope: Scope) -> Iterator[None]:
        """Count a request while it is open.

        Raises:
            TooMany: its address has reached the maximum.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        if _is_loopback(address):
            yield
            return
        if self._open[address] >= self._maximum:
            raise TooMany(
                f"{address} has {self._maximum} requests open, as many as MAX_REQUESTS_PER_ADDRESS allows. "
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
