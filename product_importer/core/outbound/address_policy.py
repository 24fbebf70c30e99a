"""Which addresses outside the application may be called: plainly public ones, and those that are opened by name.

Never the application's own: a webhook could call the REST API in its name, or itself in a loop.

An address is judged twice. `check_url` refuses what can be seen in a URL when somebody types it. `check_ip` judges
the address that is about to be connected to (see `outgoing`), whatever a name resolves to at that moment: a name
that changes its answer between the check and the connection gains nothing.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from product_importer.core.cidr import Network, parse_networks, parse_ports
from product_importer.core.outbound.own_addresses import IP, NOBODY, OwnAddresses, ourselves
from product_importer.core.settings import settings

SCHEME_PORTS = {"http": 80, "https": 443}

# The IANA special-purpose address registries, and what they do not list. Python's `is_global` is no help: it calls
# multicast, 6to4 and NAT64 addresses global, and it changes between versions.
CLOSED_IPV4 = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier NAT",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "a cloud's metadata service",
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "reserved for documentation",
    "192.31.196.0/24": "reserved",
    "192.52.193.0/24": "reserved",
    "192.88.99.0/24": "a 6to4 relay",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "reserved",
    "198.18.0.0/15": "reserved for benchmarks",
    "198.51.100.0/24": "reserved for documentation",
    "203.0.113.0/24": "reserved for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
CLOSED_IPV6 = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::ffff:0:0/96": "an IPv4 address in IPv6",
    "::ffff:0:0:0/96": "an IPv4 address in IPv6",
    "::/96": "an IPv4 address in IPv6",
    "64:ff9b::/96": "an IPv4 address in IPv6",
    "64:ff9b:1::/48": "an IPv4 address in IPv6",
    "2001::/32": "an IPv4 address in IPv6",
    "2002::/16": "an IPv4 address in IPv6",
    "2001::/23": "reserved",
    "2001:db8::/32": "reserved for documentation",
    "2620:4f:8000::/48": "reserved",
    "3fff::/20": "reserved for documentation",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "private",
    "ff00::/8": "multicast",
}
CLOSED: dict[int, dict[Network, str]] = {
    4: {IPv4Network(network): kind for network, kind in CLOSED_IPV4.items()},
    6: {IPv6Network(network): kind for network, kind in CLOSED_IPV6.items()},
}
# Everything else in IPv6 is not handed out.
UNICAST = IPv6Network("2000::/3")
LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
LOOPBACK_NETWORKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

LOCAL_NAMES = ("local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "localdomain")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?:{LABEL}\.)*{LABEL}", re.ASCII)
# What every resolver reads as a number: a last label of digits, or a hexadecimal one (WHATWG URL, 3.5).
ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
MAX_HOST = 253
AUTHORITY = re.compile(r"[^/?#]*//([^/?#]*)")
# Python reads a number in `+80`, in `8_0`, and in the digits of other scripts, too.
PORT = re.compile(r"[0-9]*", re.ASCII)


class AddressNotAllowed(Exception):
    """An address that must not be called; the text says why, and begins with `address not allowed`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"address not allowed: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class AddressPolicy:
    """What may be called: `networks` are open although they are not public, `ports` are pairs of first and last.

    `own` is the application itself, which may not.
    """

    networks: tuple[Network, ...] = ()
    ports: tuple[tuple[int, int], ...] = ((1, 65535),)
    own: OwnAddresses = NOBODY

    def check_url(self, url: str) -> httpx.URL:
        """Return a URL that may be called as far as one can see without resolving its name.

        Raises:
            AddressNotAllowed: it may not.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError, UnicodeError):
            raise AddressNotAllowed("this is no URL") from None
        if parsed.scheme not in SCHEME_PORTS:
            raise AddressNotAllowed("only http:// and https:// are called")
        self._check_authority(url)
        port = SCHEME_PORTS[parsed.scheme] if parsed.port is None else parsed.port
        self.check_port(port)
        self._check_host(parsed.raw_host.decode("ascii").lower(), port)
        return parsed

    def check_port(self, port: int) -> None:
        """Refuse a port that is not among those of the settings."""
        if not any(first <= port <= last for first, last in self.ports):
            raise AddressNotAllowed(f"port {port} is not open; WEBHOOK_PORTS names those that are")

    def check_ip(self, address: str, port: int) -> None:
        """Refuse an address that is not plainly public, unless its network is open, and the application itself.

        Raises:
            AddressNotAllowed: it is closed.
        """
        try:
            ip = ip_address(address)
        except ValueError:
            raise AddressNotAllowed(f"{address} is no IP address") from None
        kind = closed(ip) or ("an address with a zone" if isinstance(ip, IPv6Address) and ip.scope_id else None)
        if kind and not self.is_open(ip):
            raise AddressNotAllowed(f"{ip} is {kind}")
        if self.own.has_address(ip, port):
            raise AddressNotAllowed(f"port {port} of {ip} is this application itself")

    def is_open(self, ip: IP) -> bool:
        """Whether the settings open an address."""
        return any(ip in network for network in self.networks)

    def _check_authority(self, url: str) -> None:
        """Refuse what is there to mislead whoever reads the URL."""
        found = AUTHORITY.match(url)
        authority = found[1] if found else ""
        # An empty name, too.
        if "@" in authority:
            raise AddressNotAllowed("a URL must not hold a name or a password")
        _, colon, port = authority.rpartition("]")[2].rpartition(":")
        if colon and not PORT.fullmatch(port):
            raise AddressNotAllowed("this is no port")

    def _check_host(self, host: str, port: int) -> None:
        name = host.removesuffix(".")
        if not name or len(name) > MAX_HOST:
            raise AddressNotAllowed("a URL must name a host")
        literal = as_literal(name)
        if literal is not None:
            self.check_ip(literal, port)
        elif not HOST_NAME.fullmatch(name) or ENDS_IN_A_NUMBER.fullmatch(name):
            raise AddressNotAllowed("this is no name of a host")
        elif self.own.has_name(name, port):
            raise AddressNotAllowed(f"port {port} of {name} is this application itself")
        elif name == "localhost" or name.endswith(".localhost"):
            if not any(self.is_open(ip) for ip in LOOPBACK):
                raise AddressNotAllowed(f"{name} is this machine")
        elif not self.networks and ("." not in name or name.endswith(tuple(f".{end}" for end in LOCAL_NAMES))):
            # Where a network is open, its own names must work; each is judged again when it is connected to.
            raise AddressNotAllowed(f"{name} is a local name")


def closed(ip: IP) -> str | None:
    """Say what makes an address other than plainly public; None for a public one."""
    for network, kind in CLOSED[ip.version].items():
        if ip in network:
            return kind
    return "reserved" if isinstance(ip, IPv6Address) and ip not in UNICAST else None


def as_literal(host: str) -> str | None:
    """Return the address that a host spells, in whatever notation; None for a name.

    `2130706433`, `0x7f.1`, `017700000001` and `127.1` are 127.0.0.1 to the resolver, so they are here.
    """
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    if not ENDS_IN_A_NUMBER.fullmatch(host):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def policy() -> AddressPolicy:
    """Return the guard that the settings describe."""
    given = settings()
    if given.webhook_allow_cidrs is not None:
        networks = parse_networks(given.webhook_allow_cidrs)
    else:
        # The embedded servers mean one machine and one person, who tries things out on it.
        networks = LOOPBACK_NETWORKS if given.database_url is None else ()
    return AddressPolicy(networks, parse_ports(given.webhook_ports), ourselves())
