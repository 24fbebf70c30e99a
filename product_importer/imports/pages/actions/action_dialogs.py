"""The dialogs that set a field of the selected products, and that ask before these are deleted."""

import reflex as rx

from product_importer.imports.pages.actions.action_state import ATTRIBUTE, ActionState
from product_importer.ui import styles
from product_importer.ui.modal import dialog_actions, form_modal, initial_focus, modal
from product_importer.ui.widgets import busy_button, choice, error_notice

SET = "action-set-dialog"
DELETE = "action-delete-dialog"
FIELDS = (
    ("active", "Active"),
    ("name", "Name"),
    ("description", "Description"),
    (ATTRIBUTE, "An attribute…"),
)


def action_dialogs() -> rx.Component:
    """Return both dialogs."""
    return rx.fragment(set_dialog(), delete_dialog())


def set_dialog() -> rx.Component:
    """Ask which field gets which value."""
    return form_modal(
        "Set a field",
        rx.cond(ActionState.dialog == "set", set_form()),
        name=SET,
        shown=ActionState.dialog == "set",
        on_close=ActionState.close,
    )


def set_form() -> rx.Component:
    """The field and its value."""
    return rx.el.form(
        # Another one may have been chosen that is not shown yet.
        rx.el.input(type="hidden", name="field", value=ActionState.field),
        rx.el.p("This changes ", counted(), "."),
        choice("Field", FIELDS, name="set-field", value=ActionState.field, on_change=ActionState.choose_field),
        rx.match(
            ActionState.field,
            ("active", active_value()),
            (ATTRIBUTE, rx.fragment(text_value("Name of the attribute", "name"), attribute_value())),
            text_value("New value", "value"),
        ),
        rx.el.p(ActionState.deadline, class_name=styles.HINT),
        error_notice(ActionState.error, title="Nothing was changed", testid="action-set-error"),
        dialog_actions(
            SET,
            busy_button(
                "Set",
                "Starting…",
                is_busy=ActionState.is_busy,
                kind="primary",
                type="submit",
                data_testid="confirm-action-set",
            ),
        ),
        on_submit=ActionState.set_field,
        class_name=styles.FORM,
    )


def active_value() -> rx.Component:
    """Yes or no."""
    return rx.el.label(
        rx.el.span("New value", class_name=styles.LABEL),
        rx.el.select(
            rx.el.option("Yes", value="yes"),
            rx.el.option("No", value="no"),
            name="value",
            class_name=styles.INPUT,
            data_testid="set-value",
        ),
        class_name=styles.FIELD,
    )


def text_value(label: str, name: str) -> rx.Component:
    """A text."""
    return rx.el.label(
        rx.el.span(label, class_name=styles.LABEL),
        rx.el.input(
            name=name,
            auto_complete="off",
            class_name=styles.INPUT,
            data_testid=f"set-{name}",
            key=f"set-{name}",
            **initial_focus(),
        ),
        class_name=styles.FIELD,
    )


def attribute_value() -> rx.Component:
    """The value of an attribute; without one, the attribute is removed."""
    return rx.fragment(
        text_value("New value", "value"),
        rx.el.p("Leave it empty to remove the attribute.", class_name=styles.HINT),
    )


def delete_dialog() -> rx.Component:
    """Ask before the selected products are deleted; say how many they are."""
    return modal(
        "Delete these products?",
        rx.el.p("This deletes ", counted(), "."),
        rx.el.p(ActionState.deadline, class_name="text-muted"),
        error_notice(ActionState.error, title="Nothing was deleted", testid="action-delete-error"),
        dialog_actions(
            DELETE,
            busy_button(
                rx.cond(ActionState.count, f"Delete {ActionState.count}", "Delete"),
                "Starting…",
                is_busy=ActionState.is_busy,
                # What is deleted must have been said.
                disabled=ActionState.count == "",
                kind="danger",
                on_click=ActionState.delete,
                data_testid="confirm-action-delete",
            ),
            is_focused=True,
        ),
        name=DELETE,
        shown=ActionState.dialog == "delete",
        on_close=ActionState.close,
        role="alertdialog",
    )


def counted() -> rx.Component:
    """How many products are meant."""
    return rx.el.strong(
        rx.cond(ActionState.count, ActionState.count, "…"), class_name="tabular-nums", data_testid="action-count"
    )
