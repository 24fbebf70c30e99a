"""The page of the products."""

import reflex as rx

from product_importer.catalog.pages.delete_dialogs import delete_all_dialog, delete_dialog
from product_importer.catalog.pages.delete_state import DeleteAllState
from product_importer.catalog.pages.editor_dialog import product_dialog
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.table import product_table
from product_importer.catalog.pages.view_models import PAGE_SIZES
from product_importer.ui import routes
from product_importer.ui.layout import page
from product_importer.ui.modal import opener
from product_importer.ui.widgets import (
    button,
    choice,
    download_link,
    empty_state,
    link,
    loading,
    notice,
    pager,
    search_field,
)

TEXT_FILTERS = (
    ("SKU", "sku", CatalogState.filter_sku),
    ("Name", "name", CatalogState.filter_name),
    ("Description", "description", CatalogState.filter_description),
)
STATES = (("", "All"), ("true", "Active"), ("false", "Inactive"))
ORDERS = (
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("-updated_at", "Last updated first"),
    ("updated_at", "Last updated last"),
    ("sku", "SKU, ascending"),
    ("-sku", "SKU, descending"),
    ("name", "Name, ascending"),
    ("-name", "Name, descending"),
)


def products_page() -> rx.Component:
    """Find products, and change them."""
    return page(
        "Products",
        filters(),
        toolbar(),
        rx.cond(
            CatalogState.error,
            problem(),
            rx.fragment(listed(), rx.cond(CatalogState.is_empty, rx.fragment(), footer())),
        ),
        product_dialog(),
        delete_dialog(),
        delete_all_dialog(),
        current=routes.PRODUCTS,
        actions=rx.el.div(
            link("Import a file", to=routes.IMPORTS, class_name="button"), new_button(), class_name="actions"
        ),
    )


def new_button() -> rx.Component:
    """Open the form of a new product."""
    return opener("New product", kind="primary", on_click=EditorState.start_product, data_testid="product-new")


def filters() -> rx.Component:
    """Narrow the list."""
    return rx.el.div(
        *(text_filter(label, name, on_change) for label, name, on_change in TEXT_FILTERS),
        choice(
            "Status",
            STATES,
            name="filter-active",
            value=CatalogState.listing.active,
            on_change=CatalogState.filter_active,
        ),
        # Where the table has become cards, there are no headings to click.
        rx.el.div(
            choice(
                "Sort by",
                ORDERS,
                name="sort-order",
                value=CatalogState.listing.sort,
                on_change=CatalogState.sort_products,
            ),
            class_name="for-cards",
        ),
        role="search",
        aria_label="Filter products",
        class_name="filters",
    )


def text_filter(label: str, name: str, on_change: rx.EventHandler) -> rx.Component:
    """Part of a text, in any case."""
    return search_field(
        label,
        name=f"filter-{name}",
        value=getattr(CatalogState.listing, name),
        filling=CatalogState.filling,
        on_change=on_change,
    )


def toolbar() -> rx.Component:
    """How many match, and what can be done with all of them."""
    return rx.el.div(
        count(),
        rx.cond(CatalogState.is_filtered, clear_button()),
        rx.cond(
            CatalogState.is_empty, rx.fragment(), rx.el.div(export_link(), delete_all_button(), class_name="actions")
        ),
        class_name="count",
    )


def export_link() -> rx.Component:
    """All pages of what is listed, as a file."""
    return download_link(
        "Export CSV",
        href=CatalogState.export_address,
        title="Download the listed products, all pages of them",
        class_name="button quiet",
        data_testid="products-export",
    )


def delete_all_button() -> rx.Component:
    """Open the dialog for the whole catalogue."""
    return opener(
        "Delete all…", kind="quiet bad", on_click=DeleteAllState.open_dialog, data_testid="products-delete-all"
    )


def count() -> rx.Component:
    """How many match."""
    return rx.el.p(
        rx.cond(CatalogState.total_is_exact, "", "about "),
        rx.el.span(CatalogState.total, class_name="strong numeric", data_testid="products-total"),
        rx.cond(CatalogState.total == "1", " product", " products"),
        class_name="muted",
        role="status",
    )


def clear_button() -> rx.Component:
    """Undo all filters."""
    return button("Clear filters", kind="quiet", on_click=CatalogState.clear_filters, data_testid="filter-clear")


def problem() -> rx.Component:
    """Why there is no list, and the way out."""
    return notice(
        rx.el.p(CatalogState.error),
        rx.el.div(
            rx.cond(CatalogState.is_outage, button("Try again", on_click=CatalogState.load_products)),
            rx.cond(CatalogState.listing.page > 1, first_page_button()),
            class_name="actions",
        ),
        title="The products cannot be shown",
        data_testid="products-problem",
    )


def first_page_button() -> rx.Component:
    """Back to where there surely are products."""
    return button("First page", on_click=CatalogState.turn_page(1))


def listed() -> rx.Component:
    """The products, or why there are none."""
    return rx.cond(
        CatalogState.products.length() > 0,
        product_table(),
        rx.cond(CatalogState.loaded, no_products(), loading()),
    )


def no_products() -> rx.Component:
    """Instead of an empty table."""
    return rx.cond(
        CatalogState.listing.page > 1,
        empty_state("This page is empty", "The list ends before it.", first_page_button()),
        rx.cond(
            CatalogState.is_filtered,
            empty_state("No product matches", "Try fewer or shorter filters."),
            empty_state(
                "No products yet",
                "Import a file to fill the catalogue, or add a product by hand.",
                link("Import a file", to=routes.IMPORTS, class_name="button primary"),
            ),
        ),
    )


def footer() -> rx.Component:
    """How many at a time, and where we are."""
    return rx.el.div(page_size(), product_pager(), class_name="footer")


def page_size() -> rx.Component:
    """How many at a time."""
    return choice(
        "Rows per page",
        [(str(size), str(size)) for size in PAGE_SIZES],
        name="page-size",
        value=CatalogState.listing.page_size.to_string(),
        on_change=CatalogState.set_page_size,
    )


def product_pager() -> rx.Component:
    """Through the pages; which one is the last is known only with an exact total."""
    current = CatalogState.listing.page
    return pager(
        current,
        CatalogState.pages,
        first=CatalogState.turn_page(1),
        previous=CatalogState.turn_page(current - 1),
        following=CatalogState.turn_page(current + 1),
        last=CatalogState.turn_page(CatalogState.pages),
        has_next=CatalogState.has_next,
        about=rx.cond(CatalogState.total_is_exact, "", "about "),
    )
