"""The headers of every answer: what a browser may do with it, and that data is not stored."""

import base64
import hashlib
from collections.abc import Iterable
from html.parser import HTMLParser

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

DATA_PATHS = ("/api/", "/metrics", "/_upload", "/_event")
# Swagger UI's own files.
CACHED_PATHS = ("/api/docs/assets/",)
# Nothing here is for pages of other origins, whatever the frameworks would answer.
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


# What is no page loads nothing, whatever a browser takes it for.
NO_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in PERMISSIONS),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def page_policy(script_hashes: Iterable[str]) -> str:
    """Return the Content-Security-Policy under which the pages work: everything from ourselves.

    The hashes are of the scripts inside the pages. `unsafe-eval`: Reflex evaluates what its server sends as
    `call_script` and `run_script`, toasts among it. `unsafe-inline` for styles alone: React and Swagger UI set them.
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
    """Return the sources of a policy that allow the scripts inside these HTML texts."""
    return {_source(script) for page in pages for script in _inline_scripts(page)}


def add_headers(message: Message, scope: Scope, policy: str) -> Message:
    """Return the message that begins an answer with the headers of every answer; `policy` is that of pages."""
    headers = MutableHeaders(raw=[pair for pair in message.get("headers", []) if not _is_cross_origin(pair[0])])
    headers.update(FIXED)
    # An answer without a type confirms what the browser has (304), which can be a page.
    is_page = headers.get("content-type", "text/html").startswith("text/html")
    headers["Content-Security-Policy"] = policy if is_page else NO_PAGE
    path = scope["path"]
    if path.startswith(DATA_PATHS) and not path.startswith(CACHED_PATHS):
        headers["Cache-Control"] = "no-store"
    return {**message, "headers": headers.raw}


def _is_cross_origin(name: bytes) -> bool:
    return name.decode("latin-1").lower().startswith(CROSS_ORIGIN)


def _inline_scripts(page: str) -> list[str]:
    parser = _Scripts()
    parser.feed(page)
    parser.close()
    return parser.found


def _source(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


class _Scripts(HTMLParser):
    """Collects the text of the scripts that have no `src`."""

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
