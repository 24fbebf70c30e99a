"""Check the settings of single sign-on, and tell which role a provider's claims give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from product_importer.core.cidr import LOOPBACK, parse_hosts

# From the least to the most; `access.schemas` says what each may do.
ROLES = ("viewer", "editor", "admin")
# A value that everybody has.
EVERYBODY = "*"
FORM = "write it as claim:value=role,value=role, such as groups:admins=admin,staff=editor,*=viewer"

NEEDED = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_ROLES", "PUBLIC_URL")


@dataclass(frozen=True)
class RoleClaim:
    """A claim of the ID token, and the role that each of its values gives."""

    claim: str
    roles: Mapping[str, str]

    def role_of(self, claims: Mapping[str, Any]) -> str | None:
        """Return the highest role that a person's claims give; None if they give none."""
        given = {*_texts(self.found_in(claims)), EVERYBODY}
        roles = [role for value, role in self.roles.items() if value in given]
        return max(roles, key=ROLES.index, default=None)

    def found_in(self, claims: Mapping[str, Any]) -> Any:
        """Return the claim, also one inside others such as `realm_access.roles`; None if it is missing."""
        if self.claim in claims:
            return claims[self.claim]
        found: Any = claims
        for part in self.claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found


def parse_role_claim(text: str) -> RoleClaim:
    """Parse `groups:admins=admin,staff=editor,*=viewer`; `%3A`, `%2C` and `%3D` stand for colon, comma and equals.

    Raises:
        ValueError: the text has another form, names another role, or names a value twice.
    """
    claim, colon, mapping = text.partition(":")
    if not colon or not claim.strip() or not mapping.strip():
        raise ValueError(FORM)
    roles: dict[str, str] = {}
    for part in mapping.split(","):
        value, role = _pair(part)
        if value in roles:
            raise ValueError(f"“{value}” is there twice")
        roles[value] = role
    return RoleClaim(unquote(claim.strip()), roles)


def _pair(part: str) -> tuple[str, str]:
    value, equals, role = (piece.strip() for piece in part.partition("="))
    if not equals or not value:
        raise ValueError(FORM)
    if role not in ROLES:
        raise ValueError(f"“{role}” is no role; the roles are {', '.join(ROLES)}")
    return unquote(value), role


def _texts(claim: Any) -> list[str]:
    values = claim if isinstance(claim, list) else [claim]
    return [value for value in values if isinstance(value, str)]


def check_issuer(url: str) -> None:
    """Check the address of a provider.

    Raises:
        ValueError: it is no address, or has neither TLS nor this machine's name.
    """
    if not is_protected(url) or "?" in url or "#" in url:
        raise ValueError("must be an address that begins with https://, or with http:// on this machine")


def is_protected(url: str) -> bool:
    """Whether an address has TLS, or is on this machine, where nobody listens."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        hosts = parse_hosts(parts.hostname or "")
    except ValueError:
        return False
    return bool(hosts) and (parts.scheme == "https" or (parts.scheme == "http" and hosts <= LOOPBACK))


def check_complete(given: Sequence[str | None], secret: str, *, signs_in: bool) -> None:
    """Check the values of `NEEDED`, of which at least one is set, and that people sign in at all.

    Raises:
        ValueError: one is missing, id or secret cannot be sent, or nobody has to sign in.
    """
    missing = [name for name, value in zip(NEEDED, given, strict=True) if not value]
    if missing:
        raise ValueError(f"single sign-on needs {', '.join(NEEDED)}; missing: {', '.join(missing)}")
    client_id = given[NEEDED.index("OIDC_CLIENT_ID")] or ""
    if not (client_id + secret).isascii() or not (client_id + secret).isprintable():
        raise ValueError("OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must consist of printable ASCII characters")
    if not signs_in:
        raise ValueError("OIDC_ISSUER is set, but nobody has to sign in: set AUTH=on, or unset OIDC_ISSUER")
