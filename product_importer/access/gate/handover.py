"""Hand a request over to Reflex and REST: with its session's digest, without its cookies."""

from starlette.types import Scope

from product_importer.access.principal import Principal, PrincipalKind

# Tells Reflex's events which session their connection belongs to: the digest of its secret, in hexadecimal.
SESSION_HEADER = "product-importer-session"
REMOVED = (b"cookie", SESSION_HEADER.encode())


def without_secrets(scope: Scope, who: Principal) -> Scope:
    """Return the scope without cookies, and with `SESSION_HEADER` for a person who has signed in.

    Reflex keeps a connection's headers in the state of its tab, logs them on errors, and sends most to the page,
    where scripts can read them. No session's secret may be among them.
    """
    headers = [pair for pair in scope["headers"] if pair[0] not in REMOVED]
    if who.kind == PrincipalKind.PERSON and who.credential is not None:
        headers.append((SESSION_HEADER.encode(), who.credential.hex().encode()))
    return {**scope, "headers": headers}
