"""The table of products, with headings that sort and actions for each product."""

import reflex as rx

from product_importer.catalog.pages.delete_state import DeleteState
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.view_models import ProductView
from product_importer.ui.access_state import for_writers
from product_importer.ui.widgets import DATE, badge, button, local_time, switch


def product_table() -> rx.Component:
    """Return the table of the products on this page."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    sortable_heading("SKU", "sku"),
                    sortable_heading("Name", "name"),
                    rx.el.th("Description", scope="col"),
                    rx.el.th("Active", scope="col"),
                    sortable_heading("Created", "created_at"),
                    sortable_heading("Updated", "updated_at"),
                    rx.el.th(rx.el.span("Actions", class_name="unseen"), scope="col"),
                )
            ),
            rx.el.tbody(rx.foreach(CatalogState.products, product_row)),
            class_name="table cards products",
            data_testid="products-table",
        ),
        aria_busy=rx.cond(CatalogState.loading, "true", "false"),
        class_name="table-box",
    )


def sortable_heading(title: str, column: str) -> rx.Component:
    """Return a heading that sorts by its column."""
    order = rx.match(CatalogState.listing.sort, (column, "ascending"), (f"-{column}", "descending"), "none")
    return rx.el.th(
        rx.el.button(title, type="button", on_click=CatalogState.sort_by_column(column), class_name="sort"),
        scope="col",
        aria_sort=order,
    )


def product_row(product: ProductView) -> rx.Component:
    """Return the row of one product."""
    return rx.el.tr(
        rx.el.td(product.sku, class_name="lead mono"),
        rx.el.td(
            rx.el.div(product.name, title=product.name, class_name="clamp"), class_name="strong", data_label="Name"
        ),
        rx.el.td(
            rx.el.div(product.description, title=product.description, class_name="clamp muted"),
            class_name="wide",
            data_label="Description",
        ),
        rx.el.td(for_writers(active_switch(product), instead=is_active(product)), data_label="Active"),
        rx.el.td(local_time(product.created_at, DATE), class_name="muted", data_label="Created"),
        rx.el.td(local_time(product.updated_at, DATE), class_name="muted", data_label="Updated"),
        rx.el.td(for_writers(*row_actions(product)), class_name="row-actions"),
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
