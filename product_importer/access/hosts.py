"""Decide under which names the application is served: a foreign name that leads here is another site's page."""

import re
from ipaddress import IPv6Address

from starlette.datastructures import Headers
from starlette.types import Scope

from product_importer.core.cidr import parse_hosts
from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.core.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Probes of load balancers and orchestrators use the address of the machine. These two tell nobody a secret.
OPEN_PATHS = frozenset({"/api/health", "/api/ready"})
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)


def allowed_hosts(given: Settings) -> frozenset[str]:
    """Return the names that a request may name: loopback, `HOST`, and `ALLOWED_HOSTS`."""
    return LOOPBACK | parse_hosts(given.host) | parse_hosts(given.allowed_hosts or "")


def host_of(scope: Scope) -> str:
    """Return the `Host` of a request in lower case, with its port where it has one.

    Raises:
        Invalid: there is none, more than one, or it is no host.
    """
    named = Headers(scope=scope).getlist("host")
    if len(named) != 1 or not HOST.fullmatch(named[0]):
        raise _not_allowed("The request must name one host, as in “Host: localhost”.")
    return named[0].lower()


def require_allowed_host(scope: Scope, allowed: frozenset[str]) -> None:
    """Return when the request names a host that is served here, or asks only for health.

    Raises:
        Invalid: `host-not-allowed`.
    """
    if scope["type"] == "http" and scope["path"] in OPEN_PATHS:
        return
    name, _ = split_host(host_of(scope))
    if name not in allowed:
        raise _not_allowed(
            f"This application is not served under the name {name}. "
            "If it should be, add the name to the setting ALLOWED_HOSTS and start again."
        )


def split_host(host: str) -> tuple[str, str]:
    """Return name and port of a host, the port as "" where there is none; an IPv6 address is shortened."""
    found = HOST.fullmatch(host)
    name, port = (found[1].lower(), found[2] or "") if found else ("", "")
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name[1:-1])}]"
        except ValueError:
            name = ""
    return name, port


def _not_allowed(detail: str) -> Invalid:
    return Invalid(detail, kind=ProblemType.HOST_NOT_ALLOWED, title="The host is not allowed")
