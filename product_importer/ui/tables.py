"""Tables whose rows become cards in narrow windows: what a row is about on top, then a line for each named value."""

from collections.abc import Iterable
from typing import Any

import reflex as rx

BOX = "overflow-x-auto rounded-xl md:border md:border-line md:bg-raised md:shadow-xs max-md:overflow-visible"
TABLE = (
    "w-full border-collapse transition-opacity in-aria-busy:opacity-55 in-aria-busy:delay-200 max-md:grid "
    "max-md:grid-cols-1 max-md:gap-2.5"
)
BODY = "max-md:grid max-md:grid-cols-1 max-md:gap-2.5"
HEAD = "h-9 bg-sunken px-3.5 text-left text-xs font-medium whitespace-nowrap text-muted"
ROW = (
    "hover:bg-sunken max-md:grid max-md:gap-1 max-md:rounded-xl max-md:border max-md:border-line max-md:bg-raised "
    "max-md:px-3.5 max-md:py-3"
)
CELL = (
    "md:border-t md:border-line md:px-3.5 md:py-[9px] max-md:flex max-md:min-w-0 max-md:justify-between max-md:gap-4 "
    "max-md:text-right max-md:before:flex-none max-md:before:font-sans max-md:before:text-sm "
    "max-md:before:font-normal max-md:before:text-muted max-md:before:content-[attr(data-label)]"
)
NUMBER = f"{CELL} tabular-nums md:text-right"
LEAD = (
    "wrap-anywhere md:border-t md:border-line md:px-3.5 md:py-[9px] max-md:pb-1 max-md:text-left max-md:font-semibold"
)
ACTIONS = (
    "md:border-t md:border-line md:py-[9px] md:pr-1.5 md:text-right md:whitespace-nowrap max-md:-mx-2 max-md:mt-0.5 "
    "max-md:-mb-1.5 max-md:flex max-md:justify-end max-md:gap-1"
)
TIME = "whitespace-nowrap text-muted"
DETAILS = "bg-sunken px-3.5 pt-3 pb-4 wrap-anywhere max-md:block max-md:pb-3"
DETAILS_ROW = "max-md:block max-md:overflow-hidden max-md:rounded-xl max-md:border max-md:border-line"


def table(heads: Iterable[Any], *bodies: Any, is_busy: Any = False, **props: Any) -> rx.Component:
    """Return a table in its frame. `heads` are its headings; `bodies` come from `body`, or are many of them."""
    return rx.el.div(
        rx.el.table(rx.el.thead(rx.el.tr(*heads), class_name="max-md:hidden"), *bodies, class_name=TABLE, **props),
        aria_busy=rx.cond(is_busy, "true", "false"),
        class_name=BOX,
    )


def headings(*names: str, numbers: Iterable[str] = (), has_actions: bool = False) -> tuple[rx.Component, ...]:
    """Return headings; those of `numbers` stand on the right. One more is for the column of actions."""
    shown = (heading(name, class_name="text-right" if name in numbers else "") for name in names)
    actions = heading(rx.el.span("Actions", class_name="sr-only"))
    return (*shown, actions) if has_actions else tuple(shown)


def heading(*content: Any, class_name: str = "", **props: Any) -> rx.Component:
    """Return the heading of a column."""
    return rx.el.th(*content, scope="col", class_name=f"{HEAD} {class_name}", **props)


def body(*rows: Any, **props: Any) -> rx.Component:
    """Return the rows of a table, or the row of one entry with that of its details."""
    return rx.el.tbody(*rows, class_name=BODY, **props)


def row(*cells: rx.Component, class_name: Any = "", **props: Any) -> rx.Component:
    """Return a row."""
    return rx.el.tr(*cells, class_name=f"{ROW} {class_name}", **props)


def lead(*content: Any, class_name: str = "", **props: Any) -> rx.Component:
    """Return the cell that says what a row is about: the title of its card."""
    return rx.el.td(*content, class_name=f"{LEAD} {class_name}", **props)


def cell(*content: Any, label: str, class_name: str = "", **props: Any) -> rx.Component:
    """Return a cell; in a card `label` stands before it."""
    return rx.el.td(*content, class_name=f"{CELL} {class_name}", data_label=label, **props)


def number(*content: Any, label: str, **props: Any) -> rx.Component:
    """Return a cell with a number."""
    return rx.el.td(*content, class_name=NUMBER, data_label=label, **props)


def actions(*buttons: Any) -> rx.Component:
    """Return the cell with a row's buttons."""
    return rx.el.td(*buttons, class_name=ACTIONS)


def details(*content: Any, columns: int, **props: Any) -> rx.Component:
    """Return the row below another one that has its details; `columns` are those of the table."""
    return rx.el.tr(rx.el.td(*content, col_span=columns, class_name=DETAILS), class_name=DETAILS_ROW, **props)
