"""Set security headers on every answer, and forbid caching of data."""

import base64
import hashlib
from collections.abc import Iterable
from html.parser import HTMLParser

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

DATA_PATHS = ("/api/", "/metrics", "/_upload", "/_event")
# Swagger UI's own files.
CACHED_PATHS = ("/api/docs/assets/",)
# Removed from answers, whatever the frameworks set: pages of other origins may read nothing here.
CROSS_ORIGIN = "access-control-"
PERMISSIONS = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
)

# The policy of answers that are not pages: they may load nothing.
DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

# The policy of the forms of strangers, which load nothing but the icon and run no script.
FORM_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FORM_PATHS = ("/sign-in", "/sign-out", "/setup")
# A form's address may hold a secret, which no answer may get. With `no-referrer`, browsers would send the form with
# `Origin: null`, which is another site's.
FORM_REFERRER = "strict-origin"

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in PERMISSIONS),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# For a year, browsers that came by TLS come by TLS only (RFC 6797), also to names below ours.
STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"


def page_policy(script_hashes: Iterable[str]) -> str:
    """Return the Content-Security-Policy of the pages: everything comes from this origin.

    The hashes are those of inline scripts. `unsafe-eval` is needed because Reflex evaluates scripts that its server
    sends, for toasts among others; `unsafe-inline` is for styles only, which React and Swagger UI set.
    """
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self' 'unsafe-eval'", *sorted(script_hashes)]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def script_hashes(pages: Iterable[str]) -> set[str]:
    """Return the CSP sources of the inline scripts in these HTML texts."""
    return {_source(script) for page in pages for script in _inline_scripts(page)}


def add_headers(message: Message, scope: Scope, policy: str, *, secure: bool) -> Message:
    """Return the first message of an answer with all headers.

    `policy` is the Content-Security-Policy of pages, `secure` whether the browser reached us through TLS.
    """
    headers = MutableHeaders(raw=[pair for pair in message.get("headers", []) if not _is_cross_origin(pair[0])])
    headers.update(FIXED)
    if secure:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    # An answer without a type is a 304, which may be for a page.
    is_page = headers.get("content-type", "text/html").startswith("text/html")
    headers["Content-Security-Policy"] = policy if is_page else DATA_POLICY
    path = scope["path"]
    if is_page and path.startswith(FORM_PATHS):
        headers["Content-Security-Policy"] = FORM_POLICY
        headers["Referrer-Policy"] = FORM_REFERRER
    # A page goes to the sign-in when somebody comes back to it after signing out; the scripts it loads may be kept.
    is_given_page = "content-type" in headers and is_page
    if is_given_page or (path.startswith(DATA_PATHS) and not path.startswith(CACHED_PATHS)):
        headers["Cache-Control"] = "no-store"
    return {**message, "headers": headers.raw}


def _is_cross_origin(name: bytes) -> bool:
    return name.decode("latin-1").lower().startswith(CROSS_ORIGIN)


def _inline_scripts(page: str) -> list[str]:
    parser = _InlineScripts()
    parser.feed(page)
    parser.close()
    return parser.found


def _source(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


class _InlineScripts(HTMLParser):
    """Collects the texts of inline scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._parts: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script" and "src" not in dict(attrs):
            self._parts = []

    def handle_data(self, data: str) -> None:
        if self._parts is not None:
            self._parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script" and self._parts is not None:
            self.found.append("".join(self._parts))
            self._parts = None
