"""The dialogs that delete one product, or all of them."""

import reflex as rx

from product_importer.catalog.pages.delete_state import PHRASE, DeleteAllState, DeleteState
from product_importer.ui import styles
from product_importer.ui.connection.banner import WHOLE
from product_importer.ui.modal import confirmation, dialog_actions, initial_focus, modal
from product_importer.ui.widgets import busy_button, error_notice

DELETE = "delete-dialog"
DELETE_ALL = "delete-all-dialog"
ERROR_TITLE = "Nothing was deleted"


def delete_dialog() -> rx.Component:
    """Ask before one product is deleted."""
    return confirmation(
        "Delete this product?",
        rx.el.p(
            rx.el.span(DeleteState.product.sku, class_name=f"{styles.MONO} {styles.STRONG}"),
            " ",
            DeleteState.product.name,
            class_name="wrap-anywhere",
        ),
        "You can undo this right afterwards.",
        error_notice(DeleteState.error, title=ERROR_TITLE, testid="delete-error"),
        busy_button(
            "Delete",
            "Deleting…",
            is_busy=DeleteState.is_busy,
            kind="danger",
            on_click=DeleteState.delete_product(DeleteState.product.id, DeleteState.product.sku),
            custom_attrs=WHOLE,
            data_testid="confirm-delete",
        ),
        name=DELETE,
        shown=DeleteState.is_open,
        on_close=DeleteState.close,
    )


def delete_all_dialog() -> rx.Component:
    """Ask before all products are deleted."""
    return modal(
        "Delete all products?",
        rx.cond(DeleteAllState.is_open, delete_all_form()),
        name=DELETE_ALL,
        shown=DeleteAllState.is_open,
        on_close=DeleteAllState.close,
        role="alertdialog",
    )


def delete_all_form() -> rx.Component:
    """Show the number of products, and ask for the phrase that confirms."""
    return rx.el.form(
        rx.el.p(
            "This deletes the whole catalogue, ",
            rx.el.strong(DeleteAllState.count, data_testid="delete-all-count"),
            ", not only the filtered products. It cannot be undone.",
        ),
        rx.el.label(
            rx.el.span(
                "Type ",
                rx.el.span(PHRASE, class_name=f"{styles.MONO} {styles.STRONG}"),
                " to confirm",
                class_name=styles.LABEL,
            ),
            rx.el.input(
                name="phrase",
                placeholder=PHRASE,
                auto_complete="off",
                spell_check=False,
                on_change=DeleteAllState.type_phrase,
                class_name=styles.INPUT,
                data_testid="delete-all-phrase",
                **initial_focus(),
            ),
            class_name=styles.FIELD,
        ),
        error_notice(DeleteAllState.error, title=ERROR_TITLE, testid="delete-all-error"),
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
        class_name=styles.FORM,
    )
