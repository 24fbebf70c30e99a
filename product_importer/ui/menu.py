"""A button that opens a list of links: the browser's popover, which closes on Escape and restores the focus."""

from typing import Any

import reflex as rx

from product_importer.ui.widgets import button


def menu(label: Any, *entries: rx.Component, name: str, **props: Any) -> rx.Component:
    """Return a quiet button with a list of links below it.

    `name` is the button's test id, and `{name}-menu` that of the list. A click on a link, a click elsewhere and
    Escape close it.
    """
    listed = f"{name}-menu"
    return rx.fragment(
        button(label, kind="quiet has-menu", custom_attrs={"popoverTarget": listed}, data_testid=name, **props),
        rx.el.div(
            *entries,
            id=listed,
            class_name="menu",
            on_click=rx.call_script(f"document.getElementById('{listed}').hidePopover()"),
            custom_attrs={"popover": "auto"},
            data_testid=listed,
        ),
    )
