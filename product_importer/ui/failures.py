"""What the page says when the application itself fails: at an event, or while it is drawn."""

import logging
import secrets
from collections.abc import Callable

import reflex as rx
from reflex.event import EventSpec
from reflex_base.vars.function import ArgsFunctionOperation
from reflex_components_core.base.error_boundary import ErrorBoundary  # type: ignore[import-untyped]

from product_importer.ui import styles, toasts
from product_importer.ui.own_words import AGAIN, BOX, TEXT, TITLE
from product_importer.ui.widgets import button

log = logging.getLogger(__name__)

Wraps = dict[tuple[int, str], Callable[[bool], rx.Component | None]]


def report_backend(exception: Exception) -> EventSpec:
    """Log what an event's handler has raised, and tell its tab under which number."""
    number = secrets.token_hex(4)
    log.error("error %s in an event of the page", number, exc_info=exception)
    return toasts.error(
        "This did not work, because of an error in the application.",
        f"Whether something was changed is not known: look before you try again. The log has error {number}.",
    )


def report_frontend(exception: Exception) -> None:
    """Log an error of a page's scripts, as the browser has reported it."""
    log.error("error in a page: %s", exception)


def boundary(_stateful: bool) -> rx.Component:
    """Return what surrounds every page, and is shown in its place if it cannot be drawn."""
    return ErrorBoundary.create(fallback_render=ArgsFunctionOperation.create(("error",), rx.Var.create(_fallback())))


def _fallback() -> rx.Component:
    return rx.el.main(
        rx.el.h1(TITLE, class_name=styles.TITLE),
        rx.el.p(TEXT),
        button(AGAIN, kind="primary", on_click=rx.call_script("location.reload()")),
        role="alert",
        class_name=BOX,
    )


# In place of Reflex's own, whose words are its own, too. It has no overlay: the page says what it says of Reflex's.
WRAPS: Wraps = {(55, "ErrorBoundary"): boundary}
