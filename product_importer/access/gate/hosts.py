"""Allow only hosts that the application serves, which prevents DNS rebinding by other sites."""

import re
from ipaddress import IPv6Address

from starlette.datastructures import Headers
from starlette.types import Scope

from product_importer.core.cidr import LOOPBACK, parse_hosts
from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.core.settings import Settings

# Probes use the address of the machine as host. These two routes reveal nothing secret.
OPEN_PATHS = frozenset({"/api/health", "/api/ready"})
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)


def allowed_hosts(given: Settings) -> frozenset[str]:
    """Return the hosts that a request may name: loopback, `HOST` and `ALLOWED_HOSTS`."""
    return LOOPBACK | parse_hosts(given.host) | parse_hosts(given.allowed_hosts or "")


def host_of(scope: Scope) -> str:
    """Return the `Host` of a request in lower case, with its port if it has one.

    Raises:
        Invalid: there is none, more than one, or an invalid one.
    """
    named = Headers(scope=scope).getlist("host")
    if len(named) != 1 or not HOST.fullmatch(named[0]):
        raise _not_allowed("The request must name one host, as in “Host: localhost”.")
    return named[0].lower()


def require_allowed_host(scope: Scope, allowed: frozenset[str]) -> None:
    """Check the host of a request, except on `OPEN_PATHS`.

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
    """Return a host's name and port, "" for a missing port and for an invalid host; IPv6 addresses are shortened."""
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
