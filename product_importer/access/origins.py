"""Refuse what a page of another site sends: without sign-in, reaching the port is all it would need.

The rule is OWASP's “Cross-Site Request Forgery Prevention”, fetch metadata with `Origin` for browsers that do not
send it. Clients that are no browsers send neither header, and pass.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from product_importer.access.hosts import host_of, split_host
from product_importer.core.errors import CrossSite, WebhookLoop

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
OWN_SITE = frozenset({"same-origin", "none"})
WEBHOOK_HEADERS = frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"})
DEFAULT_PORTS = {"http": "80", "https": "443"}


def refuse_cross_site(scope: Scope) -> None:
    """Return when a request changes nothing, or does not come from another site's page.

    A preflight asks whether another origin may send a request: it may not.

    Raises:
        CrossSite: it comes from another origin.
    """
    headers = Headers(scope=scope)
    if scope["type"] == "websocket":
        is_ours = _is_own_origin(headers.get("origin"), scope)
    elif scope["method"] in SAFE_METHODS and "access-control-request-method" not in headers:
        is_ours = True
    elif sites := headers.getlist("sec-fetch-site"):
        is_ours = OWN_SITE.issuperset(sites)
    else:
        is_ours = _is_own_origin(headers.get("origin"), scope)
    if not is_ours:
        raise CrossSite(
            "This was sent by a page of another origin. Only this application's own page may do that; a program "
            "sends neither Origin nor Sec-Fetch-Site."
        )


def refuse_webhooks(scope: Scope) -> None:
    """Return when this is no webhook's request: one whose address leads here through a proxy would call our own API.

    Raises:
        WebhookLoop: it has the headers of one (Standard Webhooks 1.0).
    """
    if WEBHOOK_HEADERS.issubset(Headers(scope=scope)):
        raise WebhookLoop(
            "This is a webhook's message, and nothing here receives any. Give the webhook another address."
        )


def _is_own_origin(origin: str | None, scope: Scope) -> bool:
    """Whether an `Origin` is that of the host that the request names; true where there is none.

    Whether TLS ends before us is not known without a trusted proxy, so the schemes are not compared: who controls
    the network before the port controls the page, too.
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
