"""A small table that compares values of fields; in narrow windows the values stand below each other."""

from collections.abc import Iterable
from typing import Any

import reflex as rx

TABLE = "mt-2.5 w-full table-fixed border-collapse text-[13px] max-md:block"
HEAD = "py-[5px] pr-2 text-left align-top font-medium wrap-anywhere text-muted"
ROW = "border-t border-line max-md:block max-md:py-1.5 max-md:first:border-t-0"
NAME = "py-[5px] pr-2 text-left align-top font-medium wrap-anywhere text-muted max-md:block max-md:py-px"
CELL = (
    "py-[5px] pr-2 align-top wrap-anywhere max-md:flex max-md:gap-2 max-md:py-px max-md:before:w-14 "
    "max-md:before:flex-none max-md:before:text-xs max-md:before:leading-[1.6] max-md:before:text-muted "
    "max-md:before:content-[attr(data-label)]"
)
# A long value is scrolled.
VALUE = "max-h-[120px] overflow-auto whitespace-pre-line"


def differences(names: Iterable[str], rows: Any) -> rx.Component:
    """Return the table; `names` are those of its columns, `rows` come from `comparison`."""
    heads = (rx.el.th(name, scope="col", class_name=HEAD) for name in names)
    return rx.el.table(
        rx.el.thead(rx.el.tr(*heads), class_name="max-md:hidden"),
        rx.el.tbody(rows, class_name="max-md:block"),
        class_name=TABLE,
    )


def comparison(name: Any, *values: tuple[str, Any], **props: Any) -> rx.Component:
    """Return the row of one field; `values` are pairs of a column's name and its value."""
    cells = (
        rx.el.td(rx.el.div(value, class_name=VALUE), class_name=CELL, data_label=label) for label, value in values
    )
    return rx.el.tr(rx.el.th(name, scope="row", class_name=NAME), *cells, class_name=ROW, **props)
