"""Parse networks, host names and ports from settings."""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Names and IPv4 addresses; names in other scripts as IDNA, as browsers send them.
HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?", re.ASCII)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse networks separated by commas, `10.0.0.0/8, fd00::/8`, or the word `none`.

    Raises:
        ValueError: a part is not a network, or its host bits are not zero.
    """
    if text.strip() == "none":
        return ()
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def parse_hosts(text: str) -> frozenset[str]:
    """Parse names and addresses separated by commas, `shop.example, 10.0.0.7, [fd00::1]`; return them in lower case.

    IPv6 addresses are returned in brackets and shortened, as browsers write them in `Host`.

    Raises:
        ValueError: a part is neither a name nor an address. Ports, schemes and `*` are not allowed.
    """
    return frozenset(_host(part.strip().lower()) for part in text.split(",") if part.strip())


def _host(text: str) -> str:
    if HOST.fullmatch(text):
        return text
    try:
        return f"[{IPv6Address(text.removeprefix('[').removesuffix(']'))}]"
    except ValueError:
        raise ValueError(f"{text!r} is neither a name nor an address: write it without scheme and port") from None


def parse_ports(text: str) -> tuple[tuple[int, int], ...]:
    """Parse ports and port ranges separated by commas, `443, 8000-8999`, into pairs of first and last.

    Raises:
        ValueError: a part is not a port or a range, or there is none.
    """
    ranges = tuple(_range(part.strip()) for part in text.split(",") if part.strip())
    if not ranges:
        raise ValueError("names no port")
    return ranges


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    low, high = int(first), int(last if dash else first)
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{text} is neither a port nor a range of ports")
    return low, high
