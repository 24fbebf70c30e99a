"""Short messages over the page: what was done, or why not."""

import json
from typing import Any

import reflex as rx
from reflex.event import EventSpec

# An error says what to do, which takes longer to read than what was done.
ERROR_MS = 15_000


def success(text: str, description: str = "") -> EventSpec:
    """Show that something was done."""
    return _toast("success", text, description)


def info(text: str, description: str = "") -> EventSpec:
    """Show that nothing had to be done."""
    return _toast("info", text, description)


def warning(text: str, description: str = "") -> EventSpec:
    """Show that something was done, but not all of it."""
    return _toast("warning", text, description)


def error(text: str, description: str = "") -> EventSpec:
    """Show that something failed."""
    return _toast("error", text, description)


def _toast(kind: str, text: str, description: str) -> EventSpec:
    options: dict[str, Any] = {"description": _literal(description)} if description else {}
    if kind == "error":
        options["duration"] = ERROR_MS
    spec: EventSpec = getattr(rx.toast, kind)(_literal(text), **options)
    return spec


def _literal(text: str) -> rx.Var[Any]:
    """Return a text from outside as a JavaScript literal.

    `<` is escaped, because Reflex evaluates `<reflex.Var>…</reflex.Var>` in any text.
    """
    return rx.Var(json.dumps(text).replace("<", r"\u003c"), _var_type=str)
