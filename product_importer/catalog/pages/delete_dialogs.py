"""The dialogs in which a product, or all of them, are deleted."""

import reflex as rx

from product_importer.catalog.pages.delete_state import PHRASE, DeleteAllState, DeleteState
from product_importer.ui.modal import dialog_actions, focused, modal, question
from product_importer.ui.widgets import busy_button, refusal

DELETE = "delete-dialog"
DELETE_ALL = "delete-all-dialog"
REFUSED = "Nothing was deleted"


def delete_dialog() -> rx.Component:
    """Delete one product, after a question."""
    return question(
        "Delete this product?",
        rx.el.p(
            rx.el.span(DeleteState.product.sku, class_name="mono strong"),
            " ",
            DeleteState.product.name,
            class_name="doomed",
        ),
        "This cannot be undone.",
        refusal(DeleteState.error, title=REFUSED, testid="delete-error"),
        busy_button(
            "Delete",
            "Deleting…",
            is_busy=DeleteState.is_busy,
            kind="danger",
            on_click=DeleteState.delete_product,
            data_testid="confirm-delete",
        ),
        name=DELETE,
        shown=DeleteState.is_open,
        on_close=DeleteState.close,
    )


def delete_all_dialog() -> rx.Component:
    """Delete all products, after a phrase."""
    return modal(
        "Delete all products?",
        rx.cond(DeleteAllState.is_open, delete_all_form()),
        name=DELETE_ALL,
        shown=DeleteAllState.is_open,
        on_close=DeleteAllState.close,
        role="alertdialog",
    )


def delete_all_form() -> rx.Component:
    """How many there are, and the phrase that shows that it is meant."""
    return rx.el.form(
        rx.el.p(
            "The whole catalogue, ",
            rx.el.strong(DeleteAllState.count, data_testid="delete-all-count"),
            ", is deleted, whatever the list is filtered by. This cannot be undone.",
        ),
        rx.el.label(
            rx.el.span("Type ", rx.el.span(PHRASE, class_name="mono strong"), " to confirm", class_name="label"),
            rx.el.input(
                name="phrase",
                placeholder=PHRASE,
                auto_complete="off",
                spell_check=False,
                on_change=DeleteAllState.type_phrase,
                class_name="input",
                data_testid="delete-all-phrase",
                **focused(),
            ),
            class_name="field",
        ),
        refusal(DeleteAllState.error, title=REFUSED, testid="delete-all-error"),
        dialog_actions(
            DELETE_ALL,
            busy_button(
                "Delete all products",
                "Deleting…",
                is_busy=DeleteAllState.is_busy,
                disabled=~DeleteAllState.is_phrase_typed,
                kind="danger",
                type="submit",
                data_testid="confirm-delete-all",
            ),
        ),
        on_submit=lambda _: DeleteAllState.delete_all_products(),
        class_name="dialog-form",
    )
