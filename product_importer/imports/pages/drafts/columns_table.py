"""What each column of a file becomes: one row per column, with its first values."""

from typing import Any

import reflex as rx

from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.imports.pages.drafts.view_models import NAMED
from product_importer.ui import styles
from product_importer.ui.widgets import DEBOUNCE_MS, list_pager

TARGETS = (
    ("sku", "SKU"),
    ("name", "Name"),
    ("description", "Description"),
    ("active", "Active"),
    ("attribute", "Attribute"),
    (NAMED, "Attribute named …"),
    ("ignore", "Skip"),
)
# How it was found what a column becomes: an icon, a word, and its colour.
FOUND = {
    "exact": ("check", "Exact", "text-good"),
    "guessed": ("sparkles", "Guessed", "text-warning"),
    "remembered": ("history", "Remembered", "text-accent"),
    "chosen": ("mouse-pointer-click", "Chosen", "text-accent"),
    "kept": ("tag", "Kept", "text-muted"),
    "open": ("circle-help", "Please choose", "text-warning font-semibold"),
}
# Below this width, each row is a block of its own; the roles keep it a table.
CELL = "block px-3 py-1 align-top max-md:first:pt-3 max-md:last:pb-3 md:table-cell md:py-2"


def columns_table() -> rx.Component:
    """The columns of the file, in pages where there are very many."""
    table = rx.el.table(
        rx.el.thead(
            rx.el.tr(*map(_head, ("Column of the file", "First values", "Becomes", "Found")), role="row"),
            role="rowgroup",
            class_name="hidden md:table-header-group",
        ),
        rx.el.tbody(
            rx.foreach(DraftState.shown_columns, _row), role="rowgroup", class_name="block md:table-row-group"
        ),
        role="table",
        aria_label="Columns of the file",
        class_name="block w-full md:table",
        data_testid="columns-table",
    )
    return rx.fragment(
        rx.el.div(table, class_name="overflow-hidden rounded-xl border border-line bg-raised"),
        rx.cond(DraftState.pages > 1, _pager()),
    )


def _pager() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            DraftState.columns.length(),
            " columns. Those that are not shown are found by their names, or kept as attributes.",
            class_name="text-muted",
            data_testid="columns-total",
        ),
        list_pager(DraftState, prefix="columns"),
        class_name="flex flex-wrap items-center justify-between gap-3",
    )


def _head(label: str) -> rx.Component:
    return rx.el.th(
        label, role="columnheader", scope="col", class_name="bg-sunken px-3 py-2 text-left font-medium text-muted"
    )


def _row(column: Any) -> rx.Component:
    return rx.el.tr(
        rx.el.td(_name(column), role="cell", class_name=f"{CELL} font-medium"),
        rx.el.td(_samples(column), role="cell", class_name=CELL),
        rx.el.td(_target(column), role="cell", class_name=CELL),
        rx.el.td(_found(column.found), role="cell", class_name=CELL),
        role="row",
        key=column.position,
        class_name="block border-t border-line first:border-t-0 md:table-row md:first:border-t",
        custom_attrs={"data-open": column.found == "open"},
        data_testid="column-row",
    )


def _name(column: Any) -> rx.Component:
    unnamed = rx.el.span("Column ", column.position, " (no name)", class_name="text-muted italic")
    return rx.cond(column.name, rx.el.span(column.name, class_name="break-words", dir="auto"), unnamed)


def _samples(column: Any) -> rx.Component:
    """The first values, each in a line of its own."""
    return rx.el.ul(
        rx.foreach(
            column.samples.to(list[str]),
            lambda sample: rx.el.li(
                rx.cond(sample, sample, rx.el.span("blank", class_name="italic")),
                class_name="max-w-80 truncate",
                dir="auto",
            ),
        ),
        class_name="grid text-muted",
    )


def _target(column: Any) -> rx.Component:
    """What the column becomes; a column without a name cannot be chosen for anything."""
    select = rx.el.select(
        *(rx.el.option(label, value=value) for value, label in TARGETS),
        value=column.target,
        on_change=DraftState.choose_target(column.position),
        disabled=column.name == "",
        aria_label="“" + column.name + "” becomes",
        class_name=f"{styles.INPUT} md:w-48",
        data_testid="column-target",
    )
    return rx.el.div(select, rx.cond(column.target == NAMED, _attribute(column)), class_name="grid gap-1")


def _attribute(column: Any) -> rx.Component:
    """The name of the attribute; the browser alone holds what is typed."""
    return rx.el.input(
        key=f"attribute-{DraftState.filling}",
        type="text",
        default_value=column.attribute,
        max_length=200,
        auto_complete="off",
        aria_label="Name of the attribute from “" + column.name + "”",
        on_change=lambda name: DraftState.name_attribute(column.position, name).debounce(DEBOUNCE_MS),
        # A click on “Import” may come before the typing is over.
        on_blur=lambda name: DraftState.name_attribute(column.position, name),
        class_name=f"{styles.INPUT} md:w-48",
        data_testid="column-attribute",
    )


def _found(found: Any) -> rx.Component:
    """How it was found: an icon and a word."""
    return rx.el.span(
        rx.match(
            found,
            *((name, _found_as(*shown)) for name, shown in FOUND.items()),
            rx.fragment(),
        ),
        data_testid="column-found",
    )


def _found_as(icon: str, word: str, colour: str) -> rx.Component:
    return rx.el.span(
        rx.icon(icon, size=16, aria_hidden="true"), word, class_name=f"inline-flex items-center gap-1.5 {colour}"
    )
