"""The search field of the products page, and the filters below it."""

import reflex as rx

from product_importer.catalog.pages.filters_state import FiltersState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.ui import styles
from product_importer.ui.menu import PLACE
from product_importer.ui.palette.keyboard import shortcut
from product_importer.ui.widgets import DEBOUNCE_MS, button, search_input

TEXT_FILTERS = (
    ("SKU", "sku", CatalogState.filter_sku),
    ("Name", "name", CatalogState.filter_name),
    ("Description", "description", CatalogState.filter_description),
)
ACTIVE = (("", "All"), ("true", "Active"), ("false", "Inactive"))
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

# A label and its control in one line, as one field.
PART = (
    "flex h-[34px] min-w-0 items-center rounded-lg border border-line-strong bg-raised shadow-xs "
    "has-focus-visible:outline-2 has-focus-visible:-outline-offset-1 has-focus-visible:outline-accent"
)
PART_LABEL = "flex-none pl-2.5 text-xs font-medium text-muted"
PART_CONTROL = "h-full w-full min-w-0 rounded-lg bg-transparent px-2 outline-none"
UNFOLDED = "grid grid-cols-1 gap-2"
FIELDS = "grid grid-cols-1 gap-2 md:grid-cols-[1fr_1fr_1fr_150px_auto]"
ATTRIBUTE_FIELDS = "grid grid-cols-1 gap-2 empty:hidden md:grid-cols-4"
SEARCH = (
    "h-[38px] w-full rounded-lg border border-line-strong bg-raised pr-2.5 pl-9 shadow-xs placeholder:text-muted "
    "focus-visible:border-accent focus-visible:-outline-offset-1"
)
REMOVE = (
    "mr-1 grid size-6 flex-none cursor-pointer place-items-center rounded-md text-muted hover:bg-sunken "
    "hover:text-bad"
)
FORM = "w-[280px] rounded-lg border border-line-strong bg-raised p-3 text-ink shadow-lg open:grid open:gap-2"


def filters() -> rx.Component:
    """Return the search field and the filters; narrow windows fold the filters."""
    return rx.el.div(
        search(),
        narrow_row(),
        rx.el.div(
            rx.el.div(
                *(text_filter(label, name, on_change) for label, name, on_change in TEXT_FILTERS),
                select("Active", ACTIVE, "filter-active", CatalogState.listing.active, CatalogState.filter_active),
                rx.el.div(add_button(), class_name="flex items-center max-md:-ml-2"),
                class_name=FIELDS,
            ),
            rx.el.div(rx.foreach(CatalogState.listing.attributes, attribute_filter), class_name=ATTRIBUTE_FIELDS),
            id="product-filters",
            data_testid="product-filters",
            class_name=rx.cond(FiltersState.are_unfolded, UNFOLDED, f"{UNFOLDED} max-md:hidden"),
        ),
        role="search",
        aria_label="Find products",
        class_name="grid grid-cols-1 gap-2",
    )


def search() -> rx.Component:
    """Return the field that searches in several fields."""
    return rx.el.div(
        rx.icon("search", size=16, class_name="pointer-events-none absolute top-[11px] left-3 text-muted"),
        search_input(
            name="search",
            value=CatalogState.listing.q,
            filling=CatalogState.filling,
            on_change=CatalogState.search_products,
            placeholder="Search SKU, name, description",
            aria_label="Search SKU, name, description",
            class_name=SEARCH,
            custom_attrs=shortcut("search"),
        ),
        class_name="relative",
    )


def narrow_row() -> rx.Component:
    """Return what narrow windows have instead of the filters and of headings to sort by."""
    return rx.el.div(
        button(
            "Filters",
            rx.cond(CatalogState.filter_number > 0, f" ({CatalogState.filter_number})", ""),
            rx.icon("chevron-down", size=14, class_name=rx.cond(FiltersState.are_unfolded, "rotate-180", "")),
            on_click=FiltersState.fold,
            aria_expanded=rx.cond(FiltersState.are_unfolded, "true", "false"),
            aria_controls="product-filters",
            data_testid="filters-fold",
        ),
        select("Sort by", ORDERS, "sort-order", CatalogState.listing.sort, CatalogState.sort_products),
        class_name="grid grid-cols-[auto_minmax(0,1fr)] gap-2 md:hidden",
    )


def text_filter(label: str, name: str, on_change: rx.EventHandler) -> rx.Component:
    """Return the field that filters by a part of a text, in any case."""
    control = search_input(
        name=f"filter-{name}",
        value=getattr(CatalogState.listing, name),
        filling=CatalogState.filling,
        on_change=on_change,
        class_name=PART_CONTROL,
    )
    return rx.el.label(rx.el.span(label, class_name=PART_LABEL), control, class_name=PART)


def select(
    label: str, options: tuple[tuple[str, str], ...], name: str, value: rx.Var[str], on_change: rx.EventHandler
) -> rx.Component:
    """Return a choice with its label in one line."""
    control = rx.el.select(
        *(rx.el.option(text, value=option) for option, text in options),
        id=name,
        value=value,
        on_change=on_change,
        class_name=f"{PART_CONTROL} cursor-pointer",
        data_testid=name,
    )
    return rx.el.label(rx.el.span(label, class_name=PART_LABEL), control, class_name=PART)


def attribute_filter(given: rx.Var[tuple[str, str]]) -> rx.Component:
    """Return the field that filters by an attribute, and the button that removes it."""
    name = given[0]
    control = rx.el.input(
        type="search",
        default_value=given[1],
        placeholder="any",
        auto_complete="off",
        spell_check=False,
        auto_focus=name == FiltersState.added,
        class_name=f"{PART_CONTROL} placeholder:text-muted",
        on_change=lambda value: CatalogState.filter_attribute(name, value).debounce(DEBOUNCE_MS),
        # The pause is one for all attributes: what is typed in the next field would cancel this one.
        on_blur=lambda value: CatalogState.filter_attribute(name, value),
        data_testid="filter-attribute",
    )
    return rx.el.div(
        rx.el.label(
            rx.el.span(name, title=name, class_name=f"{PART_LABEL} max-w-[45%] truncate"),
            control,
            class_name="flex h-full min-w-0 flex-1 items-center",
        ),
        rx.el.button(
            rx.icon("x", size=14),
            type="button",
            on_click=CatalogState.remove_attribute_filter(name),
            aria_label=f"Remove the filter {name}",
            class_name=REMOVE,
            data_testid="filter-attribute-remove",
        ),
        class_name=PART,
        key=f"{name} {CatalogState.filling}",
    )


def add_button() -> rx.Component:
    """Return the button that opens the form below it, which adds the filter of an attribute."""
    return rx.fragment(
        button(
            rx.icon("plus", size=14),
            "Add attribute filter",
            kind="quiet",
            custom_attrs={"popoverTarget": "attribute-filter"},
            on_click=FiltersState.ask_name,
            data_testid="attribute-filter-add",
        ),
        rx.el.form(
            rx.el.label(
                rx.el.span("Attribute", class_name=styles.LABEL),
                rx.el.input(
                    id="attribute-filter-name",
                    # It begins empty after each filter that was added.
                    key=f"attribute-{FiltersState.number}",
                    name="attribute",
                    list="attribute-names",
                    auto_complete="off",
                    placeholder="Such as colour",
                    # The browser focuses it when the form opens; React's property would do so at once.
                    custom_attrs={"autofocus": ""},
                    aria_describedby="attribute-filter-fault",
                    aria_invalid=rx.cond(FiltersState.error, "true", "false"),
                    class_name=styles.INPUT,
                    data_testid="attribute-filter-name",
                ),
                class_name=styles.FIELD,
            ),
            rx.el.datalist(
                rx.foreach(FiltersState.names, lambda name: rx.el.option(value=name)), id="attribute-names"
            ),
            rx.el.p(
                FiltersState.error,
                id="attribute-filter-fault",
                aria_live="polite",
                class_name=f"{styles.FAULT} empty:hidden",
                data_testid="attribute-filter-fault",
            ),
            button("Add filter", type="submit", data_testid="attribute-filter-save"),
            id="attribute-filter",
            on_submit=FiltersState.add,
            reset_on_submit=False,
            class_name=f"{FORM} {PLACE}",
            custom_attrs={"popover": "auto"},
            data_testid="attribute-filter",
        ),
    )
