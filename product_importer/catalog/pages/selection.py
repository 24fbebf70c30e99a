"""What is selected in the list of products, and what can be done with it."""

import reflex as rx

from product_importer.catalog.pages.export_menu import selection_export_menu
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.ui import styles
from product_importer.ui.access_state import AccessState
from product_importer.ui.widgets import button

# In a narrow window it stays in sight, and covers nothing at the end of the page: see `ROOM`.
BAR = (
    "flex flex-wrap items-center gap-1 md:min-h-7 max-md:fixed max-md:inset-x-4 max-md:z-5 max-md:rounded-xl "
    "max-md:border max-md:border-line-strong max-md:bg-raised max-md:px-2 max-md:py-1.5 max-md:shadow-lg"
)
ROOM = "h-16 md:hidden"
# Both are in one place.
PLACE = "-mb-2.5 grid grid-cols-1 md:*:col-start-1 md:*:row-start-1"


def in_place_of(toolbar: rx.Component, *actions: rx.Component) -> rx.Component:
    """Return a toolbar, and in its place the bar of what can be done with selected products, while there are any.

    The toolbar stays, not to be seen: the grid puts its menu there. Narrow windows show both.
    """
    hidden = rx.el.div(toolbar, class_name=rx.cond(is_shown(), "md:invisible", ""))
    return rx.el.div(hidden, rx.cond(is_shown(), selection_bar(*actions)), class_name=PLACE)


def room() -> rx.Component:
    """Return the room below the list that the bar takes in a narrow window."""
    return rx.cond(is_shown(), rx.el.div(class_name=ROOM))


def is_shown() -> rx.Var[bool]:
    """Return whether products are selected, and can be seen."""
    return CatalogState.has_selection & CatalogState.loaded & (CatalogState.error == "")


def selection_bar(*actions: rx.Component) -> rx.Component:
    """Return how many products are selected, the link to all that match, and the actions."""
    return rx.el.div(
        rx.el.p(
            rx.cond(
                CatalogState.all_selected,
                rx.fragment("All ", matching(), " selected"),
                rx.fragment(CatalogState.selection_count, " selected"),
            ),
            role="status",
            class_name=f"{styles.STRONG} pr-1 tabular-nums max-md:pl-2",
            data_testid="selection-count",
        ),
        rx.cond(~CatalogState.all_selected & CatalogState.is_page_selected & (CatalogState.pages > 1), all_button()),
        button("Clear", kind="quiet", on_click=CatalogState.clear_selection, data_testid="selection-clear"),
        selection_export_menu(),
        *actions,
        role="group",
        aria_label="Selected products",
        # Above the warning of an application that is open to all.
        class_name=rx.cond(AccessState.is_open_to_all, f"{BAR} max-md:bottom-24", f"{BAR} max-md:bottom-3"),
        data_testid="selection-bar",
    )


def all_button() -> rx.Component:
    """Return the button that selects all pages."""
    return button(
        "Select all ",
        matching(),
        " that match",
        kind="quiet",
        on_click=CatalogState.select_all,
        data_testid="selection-all",
    )


def matching() -> rx.Component:
    """Return how many products match."""
    return rx.fragment(rx.cond(CatalogState.total_is_exact, "", "about "), CatalogState.total)
