"""The five steps of an import, above each of its pages."""

from collections.abc import Mapping
from typing import Any

import reflex as rx

from product_importer.ui import routes
from product_importer.ui.widgets import link

STEPS = {"file": "File", "columns": "Columns", "check": "Check", "import": "Import", "result": "Result"}


def steps(current: Any, links: Mapping[str, Any] | None = None) -> rx.Component:
    """Return the steps with `current` marked, a key of `STEPS`. `links` are the addresses of steps one can go to.

    The first step is always the page where files are chosen.
    """
    addresses = {"file": routes.IMPORTS, **(links or {})}
    position = rx.match(current, *((name, index) for index, name in enumerate(STEPS)), -1).to(int)
    shown = [_step(index, label, position, addresses.get(name)) for index, (name, label) in enumerate(STEPS.items())]
    return rx.el.nav(
        rx.el.ol(*shown, class_name="flex flex-wrap items-center gap-x-1 gap-y-2"),
        aria_label="Steps of the import",
        data_testid="import-steps",
    )


def _step(index: int, label: str, position: Any, address: Any) -> rx.Component:
    is_current = position == index
    number = rx.cond(position > index, rx.icon("check", size=14, aria_hidden="true"), rx.el.span(index + 1))
    content = (
        rx.el.span(
            number,
            class_name="grid size-6 shrink-0 place-items-center rounded-full border border-current text-xs "
            "font-semibold",
        ),
        # In a narrow window only the current step has its name beside its number.
        rx.el.span(label, class_name=rx.cond(is_current, "", "max-md:sr-only")),
    )
    look = "flex min-h-6 items-center gap-2 rounded-md px-1.5 py-1 " + rx.cond(
        is_current, "font-semibold text-accent", "text-muted"
    )
    marked = rx.cond(is_current, "step", "false")
    step = (
        link(*content, to=address, aria_current=marked, class_name=look + " hover:text-ink")
        if address is not None
        else rx.el.span(*content, aria_current=marked, class_name=look)
    )
    arrow = rx.icon("chevron-right", size=16, aria_hidden="true", class_name="text-line-strong")
    return rx.el.li(step, arrow if index < len(STEPS) - 1 else "", class_name="flex items-center gap-1")
