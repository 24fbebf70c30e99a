"""Networks and ports as they are written in settings."""

from ipaddress import IPv4Network, IPv6Network, ip_network

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks separated by commas, `10.0.0.0/8, fd00::/8`, or the word `none`.

    Raises:
        ValueError: one is none; its host bits must be zero.
    """
    if text.strip() == "none":
        return ()
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


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
