"""Reject requests that pages of other sites send: without sign-in, any such page could use the application.

The rule is OWASP's “Cross-Site Request Forgery Prevention”: fetch metadata, or `Origin` for browsers that do not send
it. Clients that are not browsers send neither header, and pass.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from product_importer.access.gate.hosts import host_of, split_host
from product_importer.core.errors import CrossSite, WebhookLoop

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
OWN_SITE = frozenset({"same-origin", "none"})
WEBHOOK_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
DEFAULT_PORTS = {"http": "80", "https": "443"}


def reject_cross_site(scope: Scope) -> None:
    """Reject unsafe requests, preflights and websockets from pages of other origins.

    Raises:
        CrossSite: the request comes from another origin.
    """
    headers = Headers(scope=scope)
    if scope["type"] == "websocket":
        is_ours = _is_own_origin(headers.get("origin"), scope)
    elif scope["method"] in SAFE_METHODS and "access-control-request-method" not in headers:
        is_ours = True
    elif "sec-fetch-site" in headers:
        is_ours = not is_led_by_another_site(scope)
    else:
        is_ours = _is_own_origin(headers.get("origin"), scope)
    if not is_ours:
        raise CrossSite(
            "This was sent by a page of another origin. Only this application's own page may do that; a program "
            "sends neither Origin nor Sec-Fetch-Site."
        )


def is_led_by_another_site(scope: Scope) -> bool:
    """Whether a page of another origin led the browser here; programs and older browsers do not say so."""
    return not OWN_SITE.issuperset(Headers(scope=scope).getlist("sec-fetch-site"))


def reject_webhooks(scope: Scope) -> None:
    """Reject requests of webhooks, whose address may lead back here through a proxy.

    Raises:
        WebhookLoop: the request has the headers of Standard Webhooks 1.0.
    """
    if WEBHOOK_HEADERS.issubset(Headers(scope=scope)):
        raise WebhookLoop(
            "This is a webhook's message, which this application does not receive. Give the webhook another address."
        )


def _is_own_origin(origin: str | None, scope: Scope) -> bool:
    """Whether an `Origin` matches the host of the request; True if there is none.

    Schemes are not compared, since a proxy that is not trusted may end TLS. An attacker who controls the network
    in front of the port controls the page anyway.
    """
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = DEFAULT_PORTS.get(parts.scheme)
    if default is None or parts.path or parts.query or parts.fragment:
        return False
    name, port = split_host(parts.netloc)
    own_name, own_port = split_host(host_of(scope))
    return bool(name) and (name, port or default) == (own_name, own_port or default)
