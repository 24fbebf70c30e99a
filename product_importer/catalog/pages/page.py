"""The products page."""

import reflex as rx

from product_importer.catalog.pages.delete_dialogs import delete_all_dialog, delete_dialog
from product_importer.catalog.pages.delete_state import DeleteAllState
from product_importer.catalog.pages.editor_dialog import product_dialog
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.export_menu import export_menu
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.table import product_table
from product_importer.catalog.pages.view_models import PAGE_SIZES
from product_importer.ui import routes, styles
from product_importer.ui.access_state import for_importers, for_writers
from product_importer.ui.layout import page
from product_importer.ui.modal import dialog_button
from product_importer.ui.widgets import (
    button,
    button_link,
    choice,
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
STATUSES = (("", "All"), ("true", "Active"), ("false", "Inactive"))
ORDERS = (
    ("-created_at", "Created, newest first"),
    ("created_at", "Created, oldest first"),
    ("-updated_at", "Updated, newest first"),
    ("updated_at", "Updated, oldest first"),
    ("sku", "SKU, ascending"),
    ("-sku", "SKU, descending"),
    ("name", "Name, ascending"),
    ("-name", "Name, descending"),
)


def products_page() -> rx.Component:
    """Return the page on which people find and change products."""
    return page(
        "Products",
        filters(),
        toolbar(),
        rx.cond(
            CatalogState.error,
            list_error(),
            rx.fragment(listed(), rx.cond(CatalogState.loaded & ~CatalogState.is_empty, footer())),
        ),
        product_dialog(),
        delete_dialog(),
        delete_all_dialog(),
        current=routes.PRODUCTS,
        actions=rx.el.div(
            for_importers(button_link("Import a file", to=routes.IMPORTS, data_testid="products-import")),
            for_writers(new_button()),
            class_name=styles.ACTIONS,
        ),
    )


def new_button() -> rx.Component:
    """Return the button that opens the form of a new product."""
    return dialog_button("New product", kind="primary", on_click=EditorState.start_product, data_testid="product-new")


def filters() -> rx.Component:
    """Return the fields that filter the list."""
    return rx.el.div(
        *(text_filter(label, name, on_change) for label, name, on_change in TEXT_FILTERS),
        choice(
            "Status",
            STATUSES,
            name="filter-active",
            value=CatalogState.listing.active,
            on_change=CatalogState.filter_active,
        ),
        # Narrow windows show cards instead of a table: there are no headings to sort by.
        rx.el.div(
            choice(
                "Sort by",
                ORDERS,
                name="sort-order",
                value=CatalogState.listing.sort,
                on_change=CatalogState.sort_products,
            ),
            class_name="col-span-full md:hidden",
        ),
        role="search",
        aria_label="Filter products",
        class_name="grid grid-cols-2 gap-3 md:grid-cols-[1fr_1fr_1fr_140px]",
    )


def text_filter(label: str, name: str, on_change: rx.EventHandler) -> rx.Component:
    """Return the field that filters by a part of a text, in any case."""
    return search_field(
        label,
        name=f"filter-{name}",
        value=getattr(CatalogState.listing, name),
        filling=CatalogState.filling,
        on_change=on_change,
    )


def toolbar() -> rx.Component:
    """Return the number of products and the actions on all of them."""
    return rx.el.div(
        count(),
        rx.cond(CatalogState.is_filtered, clear_button()),
        rx.cond(
            CatalogState.is_empty,
            rx.fragment(),
            rx.el.div(export_menu(), for_writers(delete_all_button()), class_name="ml-auto flex flex-wrap gap-1"),
        ),
        class_name=styles.COUNT,
    )


def delete_all_button() -> rx.Component:
    """Return the button that opens the dialog for deleting all products."""
    return dialog_button(
        "Delete all…", kind="quiet bad", on_click=DeleteAllState.open_dialog, data_testid="products-delete-all"
    )


def count() -> rx.Component:
    """Return the number of listed products."""
    return rx.el.p(
        rx.cond(CatalogState.total_is_exact, "", "about "),
        rx.el.span(CatalogState.total, class_name=f"{styles.STRONG} tabular-nums", data_testid="products-total"),
        rx.cond(CatalogState.total == "1", " product", " products"),
        rx.cond(CatalogState.listing.import_id, of_import()),
        class_name="text-muted",
        role="status",
    )


def of_import() -> rx.Component:
    """Return what the list is narrowed to: the products that one import created."""
    address = f"{routes.IMPORTS}/{CatalogState.listing.import_id}"
    return rx.fragment(" created by ", link("one import", to=address, class_name=styles.TEXT_LINK))


def clear_button() -> rx.Component:
    """Return the button that removes all filters."""
    return button("Clear filters", kind="quiet", on_click=CatalogState.clear_filters, data_testid="filter-clear")


def list_error() -> rx.Component:
    """Return why the products cannot be shown, and what to do about it."""
    return notice(
        rx.el.p(CatalogState.error),
        rx.el.div(
            rx.cond(CatalogState.is_outage, button("Try again", on_click=CatalogState.load_products)),
            rx.cond(CatalogState.listing.page > 1, first_page_button()),
            class_name=f"{styles.ACTIONS} mt-2.5",
        ),
        title="The products cannot be shown",
        data_testid="products-problem",
    )


def first_page_button() -> rx.Component:
    """Return the button that goes to the first page."""
    return button("First page", on_click=CatalogState.turn_page(1))


def listed() -> rx.Component:
    """Return the products, or why there are none."""
    return rx.cond(
        CatalogState.products.length() > 0,
        product_table(),
        rx.cond(CatalogState.loaded, no_products(), loading()),
    )


def no_products() -> rx.Component:
    """Return what an empty list shows."""
    return rx.cond(
        CatalogState.listing.page > 1,
        empty_state("This page is empty", "The list has fewer pages.", first_page_button()),
        rx.cond(
            CatalogState.is_filtered,
            empty_state("No product matches", "Clear a filter or shorten its text."),
            for_importers(
                empty_state(
                    "No products yet",
                    "Import a file to fill the catalogue, or try it with sample data; or add a product by hand.",
                    button_link("Import a file", to=routes.IMPORTS, kind="primary"),
                ),
                instead=empty_state("No products yet", "They appear here when somebody has imported or added them."),
            ),
        ),
    )


def footer() -> rx.Component:
    """Return the page size and the pager."""
    return rx.el.div(
        page_size(),
        product_pager(),
        class_name="flex flex-wrap items-center justify-between gap-4 max-md:justify-center",
    )


def page_size() -> rx.Component:
    """Return the field that sets the page size."""
    return choice(
        "Rows per page",
        [(str(size), str(size)) for size in PAGE_SIZES],
        name="page-size",
        value=CatalogState.listing.page_size.to_string(),
        on_change=CatalogState.set_page_size,
        class_name="flex items-center gap-2.5 whitespace-nowrap",
    )


def product_pager() -> rx.Component:
    """Return the buttons that turn pages; the number of pages is an estimate unless the total is exact."""
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
