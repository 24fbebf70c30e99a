"""What the page says of a lost connection, and of what was done meanwhile (assets/connection.js)."""

from typing import Any

import reflex as rx
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData
from reflex_base.vars.function import FunctionStringVar

from product_importer.ui.connection.limits import MAX_EVENT
from product_importer.ui.widgets import button

LIBRARY = "$/public/connection.js"
# Marks what is done even where the server has forgotten the dialog: its event says all that it needs.
WHOLE = {"data-whole": ""}
# A popover is seen above an open dialog, and moves nothing.
BANNER = (
    "fixed inset-x-4 top-[60px] bottom-auto m-auto w-fit max-w-[640px] gap-2 rounded-xl border border-line-strong "
    "bg-raised px-4 py-3 wrap-anywhere text-ink shadow-lg open:grid max-md:top-[96px]"
)
TITLE = "flex items-center gap-2 font-semibold"


def connection_banner() -> rx.Component:
    """Return the banner; it is hidden while there is nothing to say."""
    return rx.el.div(
        rx.match(_view("phase"), ("lost", _lost()), ("back", _back()), rx.fragment()),
        rx.cond(
            _view("undone") + _view("doubtful") + _view("closed"),
            rx.el.div(_kept(), button("Got it", on_click=_dismiss(), data_testid="connection-dismiss")),
        ),
        rx.cond(_view("tooLong"), _too_long()),
        id="connection",
        role="alert",
        custom_attrs={"popover": "manual"},
        class_name=BANNER,
        data_testid="connection",
    )


def _lost() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.icon("wifi-off", size=16, aria_hidden="true", class_name="flex-none text-warning"),
            "Connection lost. Trying again…",
            class_name=TITLE,
        ),
        rx.el.p("What you change now is done when the connection is back.", class_name="text-muted"),
        rx.cond(_view("waiting"), rx.el.p("Waiting: ", _view("waiting"), data_testid="connection-waiting")),
        rx.cond(_view("blocked"), rx.el.p("“", _view("blocked"), "” can be opened when the connection is back.")),
    )


def _back() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.icon("wifi", size=16, aria_hidden="true", class_name="flex-none text-good"),
            "Connected again",
            class_name=TITLE,
        ),
        rx.cond(_view("waiting"), rx.el.p("Done now: ", _view("waiting"), class_name="text-muted")),
    )


def _kept() -> rx.Component:
    return rx.el.div(
        rx.cond(
            _view("undone"),
            rx.el.p(
                rx.el.strong("Not done: ", class_name="font-semibold text-bad"),
                _view("undone"),
                ". The server was started again meanwhile, and no longer knows what was open. Please do it again.",
                data_testid="connection-undone",
            ),
        ),
        rx.cond(
            _view("doubtful"),
            rx.el.p(
                rx.el.strong("Perhaps not done: ", class_name="font-semibold text-warning"),
                _view("doubtful"),
                ". The connection broke meanwhile. The page shows what is stored now.",
                data_testid="connection-doubtful",
            ),
        ),
        rx.cond(
            _view("closed"),
            rx.el.p(
                _view("closed"),
                " was closed, because the server was started again. What was typed there is not saved.",
                data_testid="connection-closed",
            ),
        ),
        class_name="mb-2",
    )


def _too_long() -> rx.Component:
    return rx.el.p(
        rx.el.strong("Not sent: ", class_name="font-semibold text-bad"),
        _view("tooLong"),
        f". At most {MAX_EVENT:,} characters can be sent at once. Shorten what was typed or pasted.",
        data_testid="connection-too-long",
    )


def _view(name: str) -> rx.Var[str]:
    data = VarData(
        imports={LIBRARY: [ImportVar("useConnection")]}, hooks={"const connectionView = useConnection();": None}
    )
    return rx.Var(f"connectionView.{name}", _var_type=str, _var_data=data).guess_type()


def _dismiss() -> FunctionStringVar[Any]:
    return FunctionStringVar.create("(() => dismiss())", _var_data=VarData(imports={LIBRARY: [ImportVar("dismiss")]}))
