"""The grid of products, and what is said about its edits."""

import reflex as rx

from product_importer.catalog.pages.cell_conflicts import ConflictView
from product_importer.catalog.pages.cell_edits import MAX_EDITS
from product_importer.catalog.pages.delete_state import DeleteState
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.ui import styles
from product_importer.ui.access_state import AccessState
from product_importer.ui.formatting import EMPTY
from product_importer.ui.grid.component import data_grid
from product_importer.ui.widgets import button, loading, notice

GRID = "products-grid"
# The element for the menu of the grid's columns.
TOOLS = "products-tools"
STORAGE_KEY = "product-columns"
# Test ids of what the grid draws.
IDS = {
    "table": "products-table",
    "row": "product-row",
    "select": "product-select",
    "sku": "product-row-sku",
    "open": "product-open",
    "edit": "product-edit",
    "delete": "product-delete",
    "gone": "news-deleted",
    "columns": "products-columns",
    "column": "products-column",
    "density": "products-density",
}
# The room that the rows will take, so that nothing moves when they come; narrow windows show a list.
BOX = (
    "min-h-[min(max(24rem,100dvh-23rem),calc(var(--rows)*40px+54px))] max-md:min-h-[calc(var(--rows)*64px+41px)] "
    "grid grid-cols-[minmax(0,1fr)] content-start transition-opacity aria-busy:opacity-55 aria-busy:delay-200"
)
LOADING_ROWS = 50


def product_table() -> rx.Component:
    """Return the products on this page."""
    rows = rx.cond(CatalogState.loaded, CatalogState.rows.length(), LOADING_ROWS)
    return rx.el.div(
        rx.cond(CatalogState.loaded, rx.fragment(), loading()),
        grid(),
        rx.el.p(CatalogState.said, role="status", class_name="sr-only", data_testid="products-said"),
        aria_busy=rx.cond(CatalogState.loading & CatalogState.loaded, "true", "false"),
        style={"--rows": rows},
        class_name=BOX,
    )


def grid() -> rx.Component:
    """Return the grid; it draws nothing without rows, but is loaded meanwhile."""
    return data_grid(
        name=GRID,
        label="Products",
        columns=CatalogState.columns,
        rows=CatalogState.rows,
        changed=CatalogState.changed,
        full=CatalogState.full,
        sort=CatalogState.listing.sort,
        selected=CatalogState.selected,
        all_selected=CatalogState.all_selected,
        refusals=CatalogState.selection_refusals,
        read_only=~AccessState.can_write,
        # Each view has columns of its own.
        storage_key=rx.cond(CatalogState.listing.view, f"{STORAGE_KEY}:{CatalogState.listing.view}", STORAGE_KEY),
        layout=CatalogState.layout,
        tools=TOOLS,
        narrow=["sku", "name", "active"],
        ids=IDS,
        max_edits=MAX_EDITS,
        on_edit=CatalogState.edit_cells,
        on_switch=CatalogState.switch_product,
        on_load=CatalogState.load_cells,
        on_sort=CatalogState.sort_by_column,
        on_select=CatalogState.select_rows,
        on_layout=CatalogState.set_layout,
        on_undo=CatalogState.undo_edits(0),
        on_action=lambda row, action, cells: rx.cond(
            action == "edit",
            EditorState.edit_product(row),
            DeleteState.open_dialog(row, cells["sku"], cells["name"]),
        ),
    )


def edit_conflicts() -> rx.Component:
    """Return the cells that somebody else has changed meanwhile, with what was typed here."""
    shown = notice(
        rx.el.p("Somebody else has changed these products meanwhile. The list shows what they have written."),
        rx.el.ul(rx.foreach(CatalogState.conflicts, conflict), class_name="mt-2 grid gap-1"),
        rx.el.div(
            button("Keep mine", on_click=CatalogState.save_mine, data_testid="conflict-keep-mine"),
            button("Take theirs", on_click=CatalogState.drop_mine, data_testid="conflict-take-theirs"),
            class_name=f"{styles.ACTIONS} mt-2.5",
        ),
        title="Not saved",
        tone="warning",
        data_testid="products-conflicts",
    )
    return rx.cond(CatalogState.conflicts.length() > 0, shown)


def conflict(shown: ConflictView) -> rx.Component:
    """Return one cell: whose and which, what is stored, and what was typed."""
    return rx.el.li(
        rx.el.span(shown.sku, class_name=styles.MONO),
        ", ",
        shown.column,
        ": theirs ",
        quoted(shown.theirs),
        ", yours ",
        quoted(shown.mine),
        class_name="wrap-anywhere",
        data_testid="products-conflict",
    )


def quoted(text: rx.Var[str]) -> rx.Component:
    """Return a value of a cell, which may be empty."""
    return rx.cond(text, rx.el.q(text, class_name=styles.STRONG), rx.el.em(EMPTY))
