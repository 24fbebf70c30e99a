"""Load again what a tab shows of products, after a change by one of its dialogs or messages."""

from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.ui import routes

# What loads a page again, by its route: further slices add theirs.
HANDLERS: dict[str, list[Any]] = {}


def what_is_shown(state: rx.State) -> list[EventType[()]]:
    """Return the events that load the page of a tab again; none if it shows something else."""
    path = state.router.url.path.rstrip("/") or "/"
    is_product = path.rpartition("/")[0] == routes.PRODUCT.rpartition("/")[0]
    return list(HANDLERS.get(routes.PRODUCT if is_product else path, ()))
