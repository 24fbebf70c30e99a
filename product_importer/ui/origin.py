"""One origin for page, REST and events, whatever host and port the page was built for."""

from typing import Any

import reflex as rx
from reflex.config import get_config
from reflex.plugins import Plugin
from reflex.utils.exec import is_prod_mode

STATE_JS = "utils/state.js"
BUILT_FOR = "  const endpoint = new URL(url_str);\n"
SERVED_FROM = """\
  if (import.meta.env.PROD && typeof window !== "undefined") {
    const secure = window.location.protocol === "https:";
    const scheme = endpoint.protocol.startsWith("ws") ? "ws" : "http";
    endpoint.protocol = secure ? `${scheme}s:` : `${scheme}:`;
    endpoint.hostname = window.location.hostname;
    endpoint.port = window.location.port;
    return endpoint;
  }
"""

VITE_CONFIG = "vite.config.js"
VITE_SERVER = "  server: {\n"
FORWARDED = ("/api", "/metrics")


class SameOrigin(Plugin):
    """Make the page talk to the address it came from.

    Reflex bakes the backend's host and port into the page. That would mean a new build for every `PORT`, and
    a page that cannot work behind a proxy on another port. In development, where Vite serves the page, it
    forwards REST to the backend, so that the one address holds there too.
    """

    def pre_compile(self, **context: Any) -> None:
        """Register the two edits of Reflex's generated frontend."""
        context["add_modify_task"](STATE_JS, _follow_the_page)
        context["add_modify_task"](VITE_CONFIG, _forward_rest)

    def post_compile(self, **context: Any) -> None:
        """Refuse websockets from other sites' pages, which Reflex's list of origins cannot express."""
        sio = context["app"].sio
        if sio is not None and is_prod_mode():
            sio.eio.cors_allowed_origins = None


def _follow_the_page(state_js: str) -> str:
    return _insert_after(BUILT_FOR, SERVED_FROM, state_js)


def _forward_rest(vite_config: str) -> str:
    backend = f"http://127.0.0.1:{get_config().backend_port or rx.constants.DefaultPorts.BACKEND_PORT}"
    rules = "".join(f'"{path}": "{backend}", ' for path in FORWARDED)
    return _insert_after(VITE_SERVER, f"    proxy: {{ {rules}}},\n", vite_config)


def _insert_after(anchor: str, addition: str, source: str) -> str:
    """Insert once; Reflex may hand over a file that an earlier build already changed."""
    if addition in source:
        return source
    if source.count(anchor) != 1:
        raise RuntimeError(f"This version of Reflex is not supported: {anchor.strip()!r} has moved.")
    return source.replace(anchor, anchor + addition)
