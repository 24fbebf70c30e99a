"""The dialogs in which a product, or all of them, are deleted."""

from typing import Any

import reflex as rx

from product_importer.catalog.removal import PHRASE, RemovalState
from product_importer.ui.modal import closing, modal
from product_importer.ui.widgets import button, notice

DELETE = "delete-dialog"
DELETE_ALL = "delete-all-dialog"


def delete_dialog() -> rx.Component:
    """Delete one product, after a question."""
    return modal(
        "Delete this product?",
        rx.el.p(
            rx.el.span(RemovalState.doomed.sku, class_name="mono strong"),
            " ",
            RemovalState.doomed.name,
            class_name="doomed",
        ),
        rx.el.p("This cannot be undone.", class_name="muted"),
        refusal("delete-error"),
        rx.el.div(
            button("Cancel", on_click=closing(DELETE), custom_attrs={"data-focus": ""}),
            delete_button("Delete", "confirm-delete", disabled=False, on_click=RemovalState.delete_product),
            class_name="dialog-actions",
        ),
        name=DELETE,
        shown=RemovalState.is_open,
        on_close=RemovalState.keep_product,
        role="alertdialog",
    )


def delete_all_dialog() -> rx.Component:
    """Delete all products, after a phrase."""
    return modal(
        "Delete all products?",
        rx.cond(RemovalState.is_all_open, delete_all_form()),
        name=DELETE_ALL,
        shown=RemovalState.is_all_open,
        on_close=RemovalState.keep_products,
        role="alertdialog",
    )


def delete_all_form() -> rx.Component:
    """How many there are, and the phrase that shows that it is meant."""
    return rx.el.form(
        rx.el.p(
            "The whole catalogue, ",
            rx.el.strong(RemovalState.everything, data_testid="delete-all-count"),
            ", is deleted, whatever the list is filtered by. This cannot be undone.",
        ),
        rx.el.label(
            rx.el.span("Type ", rx.el.span(PHRASE, class_name="mono strong"), " to confirm", class_name="label"),
            rx.el.input(
                name="phrase",
                placeholder=PHRASE,
                auto_complete="off",
                spell_check=False,
                on_change=RemovalState.type_phrase,
                class_name="input",
                data_testid="delete-all-phrase",
                custom_attrs={"data-focus": ""},
            ),
            class_name="field",
        ),
        refusal("delete-all-error"),
        rx.el.div(
            button("Cancel", on_click=closing(DELETE_ALL)),
            delete_button(
                "Delete all products", "confirm-delete-all", disabled=~RemovalState.is_confirmed, type="submit"
            ),
            class_name="dialog-actions",
        ),
        on_submit=lambda _: RemovalState.delete_all_products(),
        class_name="dialog-form",
    )


def delete_button(label: str, testid: str, *, disabled: Any, **props: Any) -> rx.Component:
    """What deletes."""
    return button(
        rx.cond(RemovalState.is_deleting, "Deleting…", label),
        kind="danger",
        disabled=RemovalState.is_deleting | disabled,
        aria_busy=rx.cond(RemovalState.is_deleting, "true", "false"),
        data_testid=testid,
        **props,
    )


def refusal(testid: str) -> rx.Component:
    """Why nothing was deleted."""
    words = notice(rx.el.p(RemovalState.refusal), title="Nothing was deleted", data_testid=testid)
    return rx.cond(RemovalState.refusal, words)
