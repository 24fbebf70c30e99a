"""Recognise the application's own addresses by the settings of this process."""

import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from product_importer.core.cidr import parse_hosts
from product_importer.core.settings import settings

IP = IPv4Address | IPv6Address

# The ports of a proxy in front of the application, under the names in ALLOWED_HOSTS.
PUBLIC_PORTS = frozenset((80, 443))
# Networks whose addresses contain an IPv4 address in their last four bytes.
EMBEDDING = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))

_further_ports: set[int] = set()


def add_port(port: int) -> None:
    """Add a port besides `PORT` on which this process or its parent serves: Reflex's backend in development."""
    _further_ports.add(port)


@dataclass(frozen=True)
class OwnAddresses:
    """The addresses under which the application can be called.

    It listens on `ports` of `address`, or of all addresses of this machine if that is None; `host` is the address as
    in the settings. `names` and `addresses` are those of ALLOWED_HOSTS, used directly or through a proxy.
    """

    ports: frozenset[int] = frozenset()
    address: IP | None = None
    host: str = "localhost"
    names: frozenset[str] = frozenset()
    addresses: frozenset[IP] = frozenset()

    def has_name(self, name: str, port: int) -> bool:
        """Whether a host name, in lower case and ASCII, and a port are the application's."""
        if name in self.names:
            return port in self.ports | PUBLIC_PORTS
        return port in self.ports and (name in ("localhost", self.host) or name.endswith(".localhost"))

    def has_address(self, ip: IP, port: int) -> bool:
        """Whether an IP address and a port are the application's."""
        ip = unwrapped(ip)
        if ip in self.addresses and port in self.ports | PUBLIC_PORTS:
            return True
        if port not in self.ports:
            return False
        # A connection to the unspecified address reaches loopback.
        if ip.is_loopback or ip.is_unspecified or ip == self.address:
            return True
        return self.address is None and is_of_this_machine(ip)


NO_ADDRESSES = OwnAddresses()


def own_addresses() -> OwnAddresses:
    """Return the own addresses of this process's settings."""
    given = settings()
    return from_settings(given.host, given.port, given.allowed_hosts or "", frozenset(_further_ports))


@lru_cache
def from_settings(host: str, port: int, allowed_hosts: str, further_ports: frozenset[int]) -> OwnAddresses:
    """Return the own addresses for these settings; `further_ports` are used besides `port`."""
    named = {name: _as_address(name.strip("[]")) for name in parse_hosts(allowed_hosts)}
    listens_on = _as_address(host)
    return OwnAddresses(
        ports=further_ports | {port},
        # A name may have several addresses.
        address=None if listens_on is None or listens_on.is_unspecified else unwrapped(listens_on),
        host=host.lower().removesuffix("."),
        names=frozenset(name for name, address in named.items() if address is None),
        addresses=frozenset(unwrapped(address) for address in named.values() if address is not None),
    )


def unwrapped(ip: IP) -> IP:
    """Return the IPv4 address inside an IPv6 address, or the address itself."""
    if isinstance(ip, IPv4Address) or ip.is_loopback or ip.is_unspecified:
        return ip
    if ip.sixtofour is not None:
        return ip.sixtofour
    return IPv4Address(int(ip) & 0xFFFFFFFF) if any(ip in network for network in EMBEDDING) else ip


def is_of_this_machine(ip: IP) -> bool:
    """Whether an interface of this machine has the address: only then can a socket be bound to it."""
    try:
        # `getaddrinfo` parses the zone of a link-local address.
        family, kind, *_, place = socket.getaddrinfo(str(ip), 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.bind(place)
    except OSError:
        return False
    return True


def _as_address(host: str) -> IP | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
