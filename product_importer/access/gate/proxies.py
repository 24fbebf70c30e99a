"""Apply `X-Forwarded-*` headers of trusted proxies, and remove all others."""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from product_importer.core.cidr import Network

FORWARDED = (b"forwarded", b"x-real-ip")
SECURE = {"http": "https", "https": "https", "ws": "wss", "wss": "wss"}
PLAIN = {"http": "http", "https": "http", "ws": "ws", "wss": "ws"}


def resolve_forwarded(scope: Scope, trusted: tuple[Network, ...]) -> Scope:
    """Return the scope with the client, scheme and host that a trusted proxy forwarded, without forwarding headers.

    The headers are removed because the websocket server would trust them. The client is the last address in
    `X-Forwarded-For` that is not a trusted proxy's: everything before it may be forged.
    """
    resolved = {**scope, "headers": [pair for pair in scope["headers"] if not _is_forwarding(pair[0])]}
    client = scope.get("client")
    if client is None or not _is_in(client[0], trusted):
        return resolved
    headers = Headers(scope=scope)
    addresses = _listed(headers, "x-forwarded-for")
    strangers = [address for address in addresses if not _is_in(address, trusted)]
    if addresses:
        resolved["client"] = ((strangers or addresses)[-1], 0)
    if schemes := _listed(headers, "x-forwarded-proto"):
        known = SECURE if schemes[-1].lower() in ("https", "wss") else PLAIN
        resolved["scheme"] = known[scope["scheme"]]
    if hosts := _listed(headers, "x-forwarded-host"):
        others = [pair for pair in resolved["headers"] if pair[0] != b"host"]
        resolved["headers"] = [(b"host", hosts[-1].encode("latin-1")), *others]
    return resolved


def _is_forwarding(name: bytes) -> bool:
    return name.startswith(b"x-forwarded-") or name in FORWARDED


def _listed(headers: Headers, name: str) -> list[str]:
    """Return the comma-separated parts of a header; the nearest proxy's is the last."""
    parts = ",".join(headers.getlist(name)).split(",")
    return [part.strip() for part in parts if part.strip()]


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return any((mapped or ip) in network for network in networks)
