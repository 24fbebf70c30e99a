"""Networks, ports and host names as they are written in settings."""

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network

Network = IPv4Network | IPv6Network
# Names and IPv4 addresses; other scripts as IDNA, which is how a browser sends them.
HOST = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?", re.ASCII)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks separated by commas, `10.0.0.0/8, fd00::/8`, or the word `none`.

    Raises:
        ValueError: one is none; its host bits must be zero.
    """
    if text.strip() == "none":
        return ()
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def parse_hosts(text: str) -> frozenset[str]:
    """Read names and addresses separated by commas, `shop.example, 10.0.0.7, [fd00::1]`, in lower case.

    An IPv6 address comes back in brackets and shortened, as a browser writes it in `Host`.

    Raises:
        ValueError: one is none. A port, a scheme or a `*` does not belong there.
    """
    return frozenset(_host(part.strip().lower()) for part in text.split(",") if part.strip())


def _host(text: str) -> str:
    if HOST.fullmatch(text):
        return text
    try:
        return f"[{IPv6Address(text.removeprefix('[').removesuffix(']'))}]"
    except ValueError:
        raise ValueError(f"{text!r} is no name and no address: write names alone, without scheme and port") from None


def parse_ports(text: str) -> tuple[tuple[int, int], ...]:
    """Read ports and ranges of them, separated by commas: `443, 8000-8999`.

    Raises:
        ValueError: one is none.
    """
    ranges = tuple(_range(part.strip()) for part in text.split(",") if part.strip())
    if not ranges:
        raise ValueError("names no port")
    return ranges


def _range(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    low, high = int(first), int(last if dash else first)
    if not 1 <= low <= high <= 65535:
        raise ValueError(f"{text} is no port and no range of ports")
    return low, high
