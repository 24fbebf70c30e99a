"""A button that opens a list of links: the browser's popover, which closes on Escape and restores the focus."""

from typing import Any

import reflex as rx

from product_importer.ui.widgets import button

# Browsers that cannot place it below its button show it in the middle of the window.
PLACE = (
    "m-auto supports-[position-area:bottom_span-left]:inset-auto supports-[position-area:bottom_span-left]:m-0 "
    "supports-[position-area:bottom_span-left]:my-1 "
    "[position-area:bottom_span-left] [position-try-fallbacks:flip-inline]"
)
# The same, from the left edge of its button on.
PLACE_RIGHT = (
    "m-auto supports-[position-area:bottom_span-right]:inset-auto supports-[position-area:bottom_span-right]:m-0 "
    "supports-[position-area:bottom_span-right]:my-1 "
    "[position-area:bottom_span-right] [position-try-fallbacks:flip-inline]"
)
LIST = "min-w-[150px] rounded-lg border border-line-strong bg-raised p-1 text-ink shadow-lg open:grid"
ENTRY = (
    "cursor-pointer rounded-md px-2.5 py-1.5 text-left hover:bg-sunken focus-visible:bg-sunken "
    "focus-visible:-outline-offset-2"
)


def menu(
    label: Any, *entries: rx.Component, name: str, chevron: str = "", place: str = PLACE, **props: Any
) -> rx.Component:
    """Return a quiet button with a list of links below it.

    `name` is the button's test id, and `{name}-menu` that of the list. A click on a link, a click elsewhere and
    Escape close it. `chevron` has classes of the sign beside the label, `place` those that place the list.
    """
    listed = f"{name}-menu"
    return rx.fragment(
        button(
            label,
            rx.icon("chevron-down", size=14, class_name=chevron),
            kind="quiet",
            custom_attrs={"popoverTarget": listed},
            data_testid=name,
            **props,
        ),
        rx.el.div(
            *entries,
            id=listed,
            class_name=f"{LIST} {place}",
            on_click=rx.call_script(f"document.getElementById('{listed}').hidePopover()"),
            custom_attrs={"popover": "auto"},
            data_testid=listed,
        ),
    )
