"""Decide which addresses may be called: public ones, and the networks that the settings open.

The application's own addresses are never allowed: a webhook could call the REST API, or itself in a loop.

An address is checked twice. `check_url` checks a URL when a user enters it. `check_ip` checks each IP address before
a connection (see `http_client`), so a name that resolves to another address later is of no use to an attacker.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from product_importer.core.cidr import Network, parse_networks, parse_ports
from product_importer.core.outbound.own_addresses import IP, NO_ADDRESSES, OwnAddresses, own_addresses
from product_importer.core.settings import settings

SCHEME_PORTS = {"http": 80, "https": 443}

# The IANA special-purpose address registries, and some networks that they do not list. Python's `is_global` is not
# enough: it is true for multicast, 6to4 and NAT64 addresses, and it changes between versions.
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
# The rest of IPv6 is not assigned.
UNICAST = IPv6Network("2000::/3")
LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
LOOPBACK_NETWORKS = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

LOCAL_NAMES = ("local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "localdomain")
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?:{LABEL}\.)*{LABEL}", re.ASCII)
# A host whose last label is a decimal or hexadecimal number, which resolvers read as an address (WHATWG URL, 3.5).
ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)
MAX_HOST = 253
AUTHORITY = re.compile(r"[^/?#]*//([^/?#]*)")
# Python's `int` also accepts `+80`, `8_0` and the digits of other scripts.
PORT = re.compile(r"[0-9]*", re.ASCII)


class AddressNotAllowed(Exception):
    """An address that must not be called. The message begins with `address not allowed` and says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"address not allowed: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class AddressPolicy:
    """What may be called: public addresses and `networks`, on `ports`, which are pairs of first and last.

    `own` are the application's own addresses, which are never allowed.
    """

    networks: tuple[Network, ...] = ()
    ports: tuple[tuple[int, int], ...] = ((1, 65535),)
    own: OwnAddresses = NO_ADDRESSES

    def check_url(self, url: str) -> httpx.URL:
        """Parse a URL and check all of it that can be checked without resolving its host.

        Raises:
            AddressNotAllowed: it is not a URL, or must not be called.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError, UnicodeError):
            raise AddressNotAllowed("this is not a URL") from None
        if parsed.scheme not in SCHEME_PORTS:
            raise AddressNotAllowed("only http:// and https:// are called")
        self._check_authority(url)
        port = SCHEME_PORTS[parsed.scheme] if parsed.port is None else parsed.port
        self.check_port(port)
        self._check_host(parsed.raw_host.decode("ascii").lower(), port)
        return parsed

    def check_port(self, port: int) -> None:
        """Check a port.

        Raises:
            AddressNotAllowed: it is not one of the settings' ports.
        """
        if not any(first <= port <= last for first, last in self.ports):
            raise AddressNotAllowed(f"port {port} is not open; WEBHOOK_PORTS names those that are")

    def check_ip(self, address: str, port: int) -> None:
        """Check an IP address before a connection.

        Raises:
            AddressNotAllowed: it is neither public nor in an open network, or it is the application's own.
        """
        try:
            ip = ip_address(address)
        except ValueError:
            raise AddressNotAllowed(f"{address} is not an IP address") from None
        reason = closed_reason(ip)
        if isinstance(ip, IPv6Address) and ip.scope_id:
            reason = reason or "an address with a zone"
        if reason and not self.is_open(ip):
            raise AddressNotAllowed(f"{ip} is {reason}")
        if self.own.has_address(ip, port):
            raise AddressNotAllowed(f"port {port} of {ip} is this application itself")

    def is_open(self, ip: IP) -> bool:
        """Whether the settings open the address's network."""
        return any(ip in network for network in self.networks)

    def _check_authority(self, url: str) -> None:
        """Reject parts that mislead readers of the URL: user names, and ports in unusual spellings."""
        found = AUTHORITY.match(url)
        authority = found[1] if found else ""
        # Also an empty user name.
        if "@" in authority:
            raise AddressNotAllowed("a URL must not hold a name or a password")
        _, colon, port = authority.rpartition("]")[2].rpartition(":")
        if colon and not PORT.fullmatch(port):
            raise AddressNotAllowed("this is not a port")

    def _check_host(self, host: str, port: int) -> None:
        name = host.removesuffix(".")
        if not name or len(name) > MAX_HOST:
            raise AddressNotAllowed("a URL must name a host")
        literal = as_literal(name)
        if literal is not None:
            self.check_ip(literal, port)
        elif not HOST_NAME.fullmatch(name) or ENDS_IN_A_NUMBER.fullmatch(name):
            raise AddressNotAllowed("this is not a host name")
        elif self.own.has_name(name, port):
            raise AddressNotAllowed(f"port {port} of {name} is this application itself")
        elif name == "localhost" or name.endswith(".localhost"):
            if not any(self.is_open(ip) for ip in LOOPBACK):
                raise AddressNotAllowed(f"{name} is this machine")
        elif not self.networks and ("." not in name or name.endswith(tuple(f".{end}" for end in LOCAL_NAMES))):
            # Names of an open network must work. Their addresses are checked before each connection.
            raise AddressNotAllowed(f"{name} is a local name")


def closed_reason(ip: IP) -> str | None:
    """Return why an address is not public, or None for a public one."""
    for network, kind in CLOSED[ip.version].items():
        if ip in network:
            return kind
    return "reserved" if isinstance(ip, IPv6Address) and ip not in UNICAST else None


def as_literal(host: str) -> str | None:
    """Return the IP address that a host denotes in any notation, or None for a name.

    Resolvers read `2130706433`, `0x7f.1`, `017700000001` and `127.1` as 127.0.0.1, and so does this.
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
    """Return the policy of the settings."""
    given = settings()
    if given.webhook_allow_cidrs is not None:
        networks = parse_networks(given.webhook_allow_cidrs)
    else:
        # With the embedded server, the application is probably tried out by one person on one machine.
        networks = LOOPBACK_NETWORKS if given.database_url is None else ()
    return AddressPolicy(networks, parse_ports(given.webhook_ports), own_addresses())
