"""The table of products, with headings that sort and actions for each product."""

import reflex as rx

from product_importer.catalog.pages.delete_state import DeleteState
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.view_models import ProductView
from product_importer.ui import styles, tables
from product_importer.ui.access_state import for_writers
from product_importer.ui.forms import switch
from product_importer.ui.widgets import DATE, badge, button, local_time


def product_table() -> rx.Component:
    """Return the table of the products on this page."""
    heads = (
        sortable_heading("SKU", "sku"),
        sortable_heading("Name", "name"),
        *tables.headings("Description", "Active"),
        sortable_heading("Created", "created_at"),
        sortable_heading("Updated", "updated_at"),
        *tables.headings(has_actions=True),
    )
    rows = tables.body(rx.foreach(CatalogState.products, product_row))
    return tables.table(heads, rows, is_busy=CatalogState.loading, data_testid="products-table")


def sortable_heading(title: str, column: str) -> rx.Component:
    """Return a heading that sorts by its column."""
    order = rx.match(CatalogState.listing.sort, (column, "ascending"), (f"-{column}", "descending"), "none")
    return tables.sortable_heading(title, order=order, on_click=CatalogState.sort_by_column(column))


def product_row(product: ProductView) -> rx.Component:
    """Return the row of one product."""
    return tables.row(
        tables.lead(product.sku, class_name=f"{styles.MONO} md:min-w-[110px]", data_testid="product-row-sku"),
        tables.cell(
            rx.el.div(product.name, title=product.name, class_name="line-clamp-2 wrap-anywhere"),
            label="Name",
            class_name=f"{styles.STRONG} md:min-w-[270px]",
        ),
        tables.cell(
            rx.el.div(product.description, title=product.description, class_name=styles.CLAMP),
            label="Description",
            class_name="text-muted md:w-[26%]",
        ),
        tables.cell(for_writers(active_switch(product), instead=is_active(product)), label="Active"),
        tables.cell(local_time(product.created_at, DATE), label="Created", class_name=tables.TIME),
        tables.cell(local_time(product.updated_at, DATE), label="Updated", class_name=tables.TIME),
        tables.actions(for_writers(*row_actions(product))),
        data_testid="product-row",
        key=product.id,
    )


def active_switch(product: ProductView) -> rx.Component:
    """Return the switch that makes the product active or inactive."""
    return switch(
        product.active,
        label=f"{product.sku} is active",
        on_click=CatalogState.switch_product(product.id, ~product.active),
        is_busy=product.is_switching,
    )


def is_active(product: ProductView) -> rx.Component:
    """Return whether the product is active, for people who cannot change it."""
    return rx.cond(product.active, badge("active", tone="good"), badge("inactive", tone="neutral"))


def row_actions(product: ProductView) -> tuple[rx.Component, rx.Component]:
    """Return the buttons that edit and delete the product."""
    return (
        button(
            "Edit",
            kind="quiet",
            on_click=EditorState.edit_product(product.id),
            aria_label=f"Edit {product.sku}",
            data_testid="product-edit",
        ),
        button(
            "Delete",
            kind="quiet bad",
            on_click=DeleteState.open_dialog(product.id, product.sku, product.name),
            aria_label=f"Delete {product.sku}",
            data_testid="product-delete",
        ),
    )
