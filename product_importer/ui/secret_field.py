"""A field that shows a new secret once, with a button that copies it."""

from typing import Any

import reflex as rx

from product_importer.ui import styles
from product_importer.ui.modal import initial_focus
from product_importer.ui.widgets import button

# Without HTTPS the browser has no clipboard API, but `execCommand` still copies.
COPY = """(async () => {
    const field = document.getElementById('%s');
    field.select();
    try { await navigator.clipboard.writeText(field.value); return true; }
    catch { return document.execCommand('copy'); }
})()"""


def secret_field(label: str, secret: Any, *, name: str, is_copied: Any, on_copied: Any) -> rx.Component:
    """Return the field and its button; `name` is its id and test id, `on_copied` learns whether copying succeeded."""
    return rx.el.div(
        rx.el.input(
            id=name,
            value=secret,
            read_only=True,
            spell_check=False,
            aria_label=label,
            class_name=f"{styles.INPUT} {styles.MONO}",
            data_testid=name,
        ),
        button(
            rx.el.span(rx.cond(is_copied, "Copied", "Copy"), aria_live="polite"),
            kind="primary",
            on_click=rx.call_script(COPY % name, callback=on_copied),
            data_testid=f"{name}-copy",
            **initial_focus(),
        ),
        class_name="grid gap-2 md:grid-cols-[minmax(0,1fr)_auto]",
    )
