"""The page of the products."""

import reflex as rx

from product_importer.catalog.state import CatalogState, ProductView
from product_importer.ui import routes
from product_importer.ui.layout import page
from product_importer.ui.widgets import (
    badge,
    button,
    empty_state,
    field,
    link,
    local_time,
    pager,
    search_field,
)

TEXT_FILTERS = (("SKU", "sku"), ("Name", "name"), ("Description", "description"))
STATES = (("", "All"), ("true", "Active"), ("false", "Inactive"))


def products_page() -> rx.Component:
    """Find products."""
    return page(
        "Products",
        filters(),
        count(),
        rx.cond(CatalogState.products.length() > 0, product_table(), no_products()),
        product_pager(),
        current=routes.PRODUCTS,
        actions=link("Import a file", to=routes.IMPORTS, class_name="button primary"),
    )


def filters() -> rx.Component:
    """Narrow the list."""
    return rx.el.div(
        *(text_filter(label, name) for label, name in TEXT_FILTERS),
        active_filter(),
        role="search",
        aria_label="Filter products",
        class_name="filters",
    )


def text_filter(label: str, name: str) -> rx.Component:
    """Part of a text, in any case."""
    return search_field(
        label,
        name=f"filter-{name}",
        value=getattr(CatalogState.listing, name),
        on_change=lambda value: CatalogState.filter_products(name, value),
        testid=f"filter-{name}",
    )


def active_filter() -> rx.Component:
    """All, active or inactive ones."""
    control = rx.el.select(
        *(rx.el.option(label, value=value) for value, label in STATES),
        id="filter-active",
        value=CatalogState.listing.active,
        on_change=lambda value: CatalogState.filter_products("active", value),
        class_name="input",
        data_testid="filter-active",
    )
    return field("Status", control, name="filter-active")


def count() -> rx.Component:
    """How many match."""
    return rx.el.p(
        rx.cond(CatalogState.total_is_exact, "", "about "),
        rx.el.span(CatalogState.total, class_name="strong numeric", data_testid="products-total"),
        rx.cond(CatalogState.total == "1", " product", " products"),
        rx.cond(CatalogState.is_filtered, clear_button()),
        class_name="count muted",
        role="status",
    )


def clear_button() -> rx.Component:
    """Undo all filters."""
    return button("Clear filters", kind="quiet", on_click=CatalogState.clear_filters, data_testid="filter-clear")


def product_table() -> rx.Component:
    """The products of this page."""
    return rx.el.div(
        rx.el.table(
            rx.el.thead(
                rx.el.tr(
                    sortable("SKU", "sku"),
                    sortable("Name", "name"),
                    rx.el.th("Description", scope="col"),
                    rx.el.th("Status", scope="col"),
                    sortable("Updated", "updated_at"),
                )
            ),
            rx.el.tbody(rx.foreach(CatalogState.products, product_row)),
            class_name="table cards products",
            data_testid="products-table",
        ),
        class_name="table-box",
    )


def sortable(title: str, column: str) -> rx.Component:
    """A heading that sorts."""
    order = rx.match(CatalogState.listing.sort, (column, "ascending"), (f"-{column}", "descending"), "none")
    return rx.el.th(
        rx.el.button(title, type="button", on_click=CatalogState.sort_products(column), class_name="sort"),
        scope="col",
        aria_sort=order,
    )


def product_row(product: ProductView) -> rx.Component:
    """One product."""
    return rx.el.tr(
        rx.el.td(product.sku, class_name="lead mono"),
        rx.el.td(product.name, class_name="strong", data_label="Name"),
        rx.el.td(
            rx.el.div(product.description, title=product.description, class_name="clamp muted"),
            class_name="wide",
            data_label="Description",
        ),
        rx.el.td(
            badge(rx.cond(product.active, "active", "inactive"), tone=rx.cond(product.active, "good", "neutral")),
            data_label="Status",
        ),
        rx.el.td(local_time(product.updated_at), class_name="muted", data_label="Updated"),
        data_testid="product-row",
        key=product.id,
    )


def no_products() -> rx.Component:
    """Instead of an empty table."""
    nothing = rx.cond(
        CatalogState.is_filtered,
        empty_state("No product matches", "Try fewer or shorter filters."),
        empty_state(
            "No products yet",
            "Import a CSV file to fill the catalogue.",
            link("Import a file", to=routes.IMPORTS, class_name="button primary"),
        ),
    )
    return rx.cond(CatalogState.loaded, nothing, rx.el.div(class_name="card loading", aria_busy="true"))


def product_pager() -> rx.Component:
    """Through the pages."""
    return pager(
        CatalogState.listing.page,
        CatalogState.pages,
        previous=CatalogState.turn_page(-1),
        following=CatalogState.turn_page(1),
    )
