"""The page of one product: its fields, what changed it, and what further slices know of it."""

import reflex as rx

from product_importer.catalog.pages.delete_dialogs import delete_dialog
from product_importer.catalog.pages.delete_state import DeleteState
from product_importer.catalog.pages.editor_dialog import product_dialog
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.product.state import ProductHistoryState, ProductState
from product_importer.catalog.pages.product.timeline import history
from product_importer.catalog.pages.product.view_models import FactView
from product_importer.ui import routes, styles, widgets
from product_importer.ui.access_state import for_writers
from product_importer.ui.forms import switch
from product_importer.ui.layout import page, section
from product_importer.ui.live import marked
from product_importer.ui.modal import dialog_button
from product_importer.ui.widgets import badge, button, button_link, empty_state, local_time, notice

FACT = (
    "grid gap-x-4 gap-y-0.5 border-t border-line py-2 first:border-t-0 first:pt-0 last:pb-0 "
    "md:grid-cols-[130px_minmax(0,1fr)]"
)
COLUMNS = (
    "grid grid-cols-1 gap-x-6 gap-y-5 md:grid-cols-[minmax(0,5fr)_minmax(0,6fr)] md:grid-rows-[auto_minmax(0,1fr)]"
)
SKU = "mt-px block min-h-5 font-mono text-[13px] leading-5 font-normal tracking-normal text-muted"
NAME = "text-[13px] text-muted wrap-anywhere"
VALUE = "min-w-0 wrap-anywhere whitespace-pre-line"


def product_page(*sections: rx.Component) -> rx.Component:
    """Show one product; `sections` are those of other slices, which find its id in the address."""
    state = ProductState
    return page(
        heading(),
        rx.cond(state.load_error, load_error()),
        rx.cond(
            state.product.id,
            one_product(*sections),
            rx.cond(state.missing, missing(), rx.cond(state.load_error, rx.fragment(), widgets.loading())),
        ),
        product_dialog(),
        delete_dialog(),
        current=routes.PRODUCTS,
        actions=rx.cond(
            (state.product.id != "") & ~state.is_gone, actions(), button_link("All products", to=routes.PRODUCTS)
        ),
    )


def heading() -> rx.Component:
    """The name, and the SKU below it, whose line is there from the start."""
    shown = ProductState.product
    return rx.fragment(
        marked(rx.cond(shown.name, shown.name, "Product"), ProductState.is_gone),
        " ",
        rx.el.span(shown.sku, class_name=SKU, data_testid="product-page-sku"),
    )


def actions() -> rx.Component:
    """The switch and the buttons for the whole product."""
    shown = ProductState.product
    return rx.el.div(
        for_writers(active_switch(), instead=is_active()),
        button_link("All products", to=routes.PRODUCTS),
        for_writers(
            dialog_button(
                "Delete",
                kind="quiet bad",
                on_click=DeleteState.open_dialog(shown.id, shown.sku, shown.name),
                data_testid="product-delete",
            ),
            dialog_button("Edit", on_click=EditorState.edit_product(shown.id), data_testid="product-edit"),
        ),
        class_name=styles.ACTIONS,
    )


def one_product(*sections: rx.Component) -> rx.Component:
    """The fields, beside them the history, and the further sections below the fields; in narrow windows, last."""
    return rx.el.div(
        fields(),
        rx.el.div(history(), class_name="min-w-0 md:row-span-2"),
        # Not before the history, which would push them down.
        rx.cond(ProductHistoryState.loaded, rx.el.div(*sections, class_name="grid min-w-0 content-start gap-5")),
        class_name=COLUMNS,
        data_testid="product-page",
    )


def is_active() -> rx.Component:
    """Return whether the product is active, for people who cannot change it."""
    return rx.cond(ProductState.product.active, badge("active", tone="good"), badge("inactive", tone="neutral"))


def active_switch() -> rx.Component:
    """The switch that makes the product active, with the word beside it."""
    shown = ProductState.product
    control = switch(
        shown.active,
        label="Active",
        on_click=ProductState.switch_product,
        is_busy=ProductState.is_switching,
        data_testid="product-page-active",
    )
    words = rx.el.span(rx.cond(shown.active, "Active", "Inactive"), class_name="min-w-14")
    return rx.el.span(control, words, class_name="mr-1 flex items-center gap-2")


def fields() -> rx.Component:
    """The fields and attributes."""
    shown = ProductState.product
    return section(
        "Fields",
        rx.el.dl(
            fact("SKU", rx.el.span(shown.sku, class_name=styles.MONO)),
            fact("Name", shown.name),
            fact("Description", rx.cond(shown.description, shown.description, none())),
            rx.foreach(shown.attributes, attribute),
            fact("Created", local_time(shown.created_at)),
            fact("Updated", rx.fragment(local_time(shown.updated_at), f" · version {shown.version}")),
            class_name=styles.CARD,
            data_testid="product-fields",
        ),
    )


def attribute(one: FactView) -> rx.Component:
    """An attribute; a product may have any."""
    return fact(one.name, one.value, key=one.name, data_testid="product-page-attribute")


def fact(name: str | rx.Var[str], value: rx.Component | rx.Var[str], **props: object) -> rx.Component:
    """A name and its value."""
    return rx.el.div(rx.el.dt(name, class_name=NAME), rx.el.dd(value, class_name=VALUE), class_name=FACT, **props)


def none() -> rx.Component:
    """What stands in place of an empty value."""
    return rx.el.span("empty", class_name="text-muted italic")


def missing() -> rx.Component:
    """What stands in place of a product that is not there: its history, if it was."""
    return rx.cond(
        ProductHistoryState.entries.length() > 0,
        rx.fragment(
            empty_state("This product was deleted", "Its history is below, as far as it is known."), history()
        ),
        rx.cond(
            ProductHistoryState.loaded,
            rx.el.div(
                empty_state("There is no such product", "Check the address, or look for it in the list."),
                data_testid="product-missing",
            ),
            widgets.loading(),
        ),
    )


def load_error() -> rx.Component:
    """Why the product cannot be shown, and a button to try again."""
    return notice(
        rx.el.p(ProductState.load_error),
        rx.el.div(button("Try again", on_click=ProductState.reload), class_name=f"{styles.ACTIONS} mt-2.5"),
        title="The product cannot be shown",
        data_testid="product-problem",
    )
