"""Serve page, REST and events from one origin, whatever host and port the page was built for."""

from typing import Any

import reflex as rx
from reflex.config import get_config
from reflex.plugins import Plugin

from product_importer.ui.generated import STATE_JS, insert_after

BUILT_FOR = "  const endpoint = new URL(url_str);\n"
SERVED_FROM = """\
  if (typeof window !== "undefined") {
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
VITE_PLUGINS = "  plugins: [\n"
# Reflex starts Vite with `--host`, which listens on every address. Only a plugin can change that afterwards.
LISTEN_ON_HOST = """\
    { name: "listen-on-host", config: () => ({ server: { host: process.env.VITE_LISTEN_ON } }) },
"""
FORWARDED = ("/api", "/metrics", "/_upload", "/_event", "/_health", "/ping", "/sign-in", "/sign-out", "/setup")


class SameOrigin(Plugin):
    """Make the page talk to the address it came from.

    Reflex builds the backend's host and port into the page. That would need a new build for every `PORT`, and could
    not work behind a proxy on another port. In development Vite serves the page and forwards everything else to the
    backend, websocket and uploads included.
    """

    def pre_compile(self, **context: Any) -> None:
        """Register the edits of Reflex's generated frontend."""
        context["add_modify_task"](STATE_JS, _follow_the_page)
        context["add_modify_task"](VITE_CONFIG, _forward_to_backend)
        context["add_modify_task"](VITE_CONFIG, _listen_on_host)

    def post_compile(self, **context: Any) -> None:
        """Let only the access layer check origins: the websocket server cannot know the scheme behind a proxy."""
        sio = context["app"].sio
        if sio is not None:
            sio.eio.cors_allowed_origins = []


def _follow_the_page(state_js: str) -> str:
    return insert_after(BUILT_FOR, SERVED_FROM, state_js)


def _forward_to_backend(vite_config: str) -> str:
    port = get_config().backend_port or rx.constants.DefaultPorts.BACKEND_PORT
    backend = f"http://{_reachable(get_config().backend_host)}:{port}"
    rules = "".join(f'"{path}": {{ target: "{backend}", ws: true }}, ' for path in FORWARDED)
    return insert_after(VITE_SERVER, f"    proxy: {{ {rules}}},\n", vite_config)


def _reachable(host: str) -> str:
    """Return the host for URLs of a server that listens on this address."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    return f"[{host}]" if ":" in host else host


def _listen_on_host(vite_config: str) -> str:
    return insert_after(VITE_PLUGINS, LISTEN_ON_HOST, vite_config)
