"""The products page."""

import reflex as rx

from product_importer.catalog.pages.delete_dialogs import delete_all_dialog, delete_dialog
from product_importer.catalog.pages.delete_state import DeleteAllState
from product_importer.catalog.pages.editor_dialog import product_dialog
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.export_menu import export_menu
from product_importer.catalog.pages.filters import filters
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.listing import PAGE_SIZES
from product_importer.catalog.pages.selection import in_place_of, room
from product_importer.catalog.pages.table import TOOLS, edit_conflicts, product_table
from product_importer.catalog.pages.views_menu import missing_view, view_dialogs, views_menu
from product_importer.catalog.pages.views_state import ViewState
from product_importer.ui import routes, styles
from product_importer.ui.access_state import for_importers, for_writers
from product_importer.ui.layout import page
from product_importer.ui.live import with_news
from product_importer.ui.modal import dialog_button
from product_importer.ui.palette.keyboard import shortcut
from product_importer.ui.widgets import (
    button,
    button_link,
    choice,
    empty_state,
    link,
    notice,
    pager,
)


def products_page(*selection_actions: rx.Component, more: rx.Component | None = None) -> rx.Component:
    """Return the page on which people find and change products.

    `selection_actions` are what can be done with the selected ones, and `more` is what these need on the page. Both
    come from slices above the catalogue.
    """
    return page(
        "Products",
        filters(),
        in_place_of(toolbar(), *selection_actions),
        rx.cond(
            CatalogState.error,
            list_error(),
            rx.fragment(
                missing_view(),
                edit_conflicts(),
                top_pager(),
                listed(),
                rx.cond(CatalogState.loaded & ~CatalogState.is_empty, footer()),
                room(),
            ),
        ),
        more or rx.fragment(),
        product_dialog(),
        delete_dialog(),
        delete_all_dialog(),
        view_dialogs(),
        current=routes.PRODUCTS,
        actions=rx.el.div(
            for_importers(button_link("Import a file", to=routes.IMPORTS, data_testid="products-import")),
            for_writers(new_button()),
            class_name=styles.ACTIONS,
        ),
    )


def new_button() -> rx.Component:
    """Return the button that opens the form of a new product."""
    return dialog_button(
        "New product",
        kind="primary",
        on_click=EditorState.start_product,
        custom_attrs=shortcut("new"),
        data_testid="product-new",
    )


def toolbar() -> rx.Component:
    """Return the number of products and the actions on all of them."""
    return rx.el.div(
        rx.el.div(views_menu(), class_name="-ml-2 flex-none max-md:basis-full"),
        count(),
        rx.cond(CatalogState.is_filtered, clear_button()),
        rx.el.div(
            # The grid puts the menu of its columns here.
            rx.el.div(id=TOOLS, class_name="max-md:hidden"),
            rx.cond(CatalogState.is_empty, rx.fragment(), export_menu()),
            rx.cond(CatalogState.is_empty, rx.fragment(), for_writers(delete_all_button())),
            class_name="ml-auto flex flex-none gap-1",
        ),
        # In a wide window it is one line, whatever the filters are.
        class_name="flex min-h-7 flex-wrap items-center gap-1 md:flex-nowrap",
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
        rx.cond(CatalogState.filter_words, f" {CatalogState.filter_words}", ""),
        class_name="min-w-0 text-muted md:truncate max-md:wrap-anywhere",
        title=CatalogState.filter_words,
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
    # While the view that the address names has not been found, only the second one shows products.
    again = button("Try again", on_click=[CatalogState.load_products, ViewState.open_views])
    return notice(
        rx.el.p(CatalogState.error),
        rx.el.div(
            rx.cond(CatalogState.is_outage, again),
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
    is_nothing = CatalogState.loaded & (CatalogState.rows.length() == 0)
    return rx.cond(is_nothing, no_products(), with_news(CatalogState, CatalogState.show_news, product_table()))


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


def top_pager() -> rx.Component:
    """Return the pager above a list that is longer than the window; its room is kept while the list is loaded."""
    pager = product_pager("top-page", "Pages, above the list")
    return rx.cond(
        CatalogState.is_empty,
        rx.fragment(),
        rx.el.div(pager, class_name=rx.cond(CatalogState.loaded, "md:hidden", "invisible md:hidden")),
    )


def product_pager(prefix: str = "page", label: str = "Pages") -> rx.Component:
    """Return the buttons that turn pages; the number of pages is an estimate unless the total is exact."""
    current = CatalogState.listing.page
    return pager(
        current,
        CatalogState.pages,
        first=CatalogState.turn_page(1),
        previous=CatalogState.turn_pages(-1),
        following=CatalogState.turn_pages(1),
        last=CatalogState.turn_page(CatalogState.pages),
        has_next=CatalogState.has_next,
        about=rx.cond(CatalogState.total_is_exact, "", "about "),
        prefix=prefix,
        label=label,
    )
