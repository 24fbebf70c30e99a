"""Short messages over the page: what was done, or why not."""

import json
from typing import Any

import reflex as rx
from reflex.event import EventSpec
from reflex_components_sonner.toast import ToastAction  # type: ignore[import-untyped]

# An error says what to do, which takes longer to read than what was done.
ERROR_MS = 15_000
# Long enough to think twice.
UNDO_MS = 10_000


def success(text: str, description: str = "", undo: EventSpec | None = None) -> EventSpec:
    """Show that something was done."""
    return _toast("success", text, description, **_undo(undo))


def undoable(text: str, undo: EventSpec) -> EventSpec:
    """Show that something was done, with a button that undoes it. Alt+T leads to it by keyboard.

    The arguments of `undo` must be of our own making, such as ids: they become JavaScript.
    """
    return success(text, undo=undo)


def info(text: str, description: str = "", undo: EventSpec | None = None) -> EventSpec:
    """Show that nothing had to be done."""
    return _toast("info", text, description, **_undo(undo))


def warning(text: str, description: str = "", undo: EventSpec | None = None) -> EventSpec:
    """Show that something was done, but not all of it."""
    return _toast("warning", text, description, **_undo(undo))


def error(
    text: str, description: str = "", again: EventSpec | None = None, undo: EventSpec | None = None
) -> EventSpec:
    """Show that something failed, and a button that tries it `again`, or undoes the rest: see `undoable`."""
    options = {"action": ToastAction(label="Try again", on_click=again)} if again else _undo(undo)
    return _toast("error", text, description, **options)


def error_of_page(text: rx.Var[str], description: rx.Var[str]) -> EventSpec:
    """Show an error that the page itself has found."""
    return rx.toast.error(text, description=description, duration=ERROR_MS)


def _undo(undo: EventSpec | None) -> dict[str, Any]:
    return {"action": ToastAction(label="Undo", on_click=undo), "duration": UNDO_MS} if undo else {}


def _toast(kind: str, text: str, description: str, **options: Any) -> EventSpec:
    if description:
        options["description"] = _literal(description)
    if kind == "error":
        options["duration"] = ERROR_MS
    spec: EventSpec = getattr(rx.toast, kind)(_literal(text), **options)
    return spec


def _literal(text: str) -> rx.Var[Any]:
    """Return a text from outside as a JavaScript literal.

    `<` is escaped, because Reflex evaluates `<reflex.Var>…</reflex.Var>` in any text.
    """
    return rx.Var(json.dumps(text).replace("<", r"\u003c"), _var_type=str)
