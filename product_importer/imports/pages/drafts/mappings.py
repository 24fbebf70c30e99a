"""The named mappings above the columns: choose one, save the chosen columns as one, delete one."""

import reflex as rx

from product_importer.imports.pages.drafts.mappings_state import MappingDeleteState, MappingState
from product_importer.ui import styles
from product_importer.ui.modal import confirmation, dialog_actions, dialog_button, form_modal, initial_focus
from product_importer.ui.widgets import busy_button, error_notice, field


def mappings() -> rx.Component:
    """The names to choose from, and the buttons that save and delete."""
    control = rx.el.select(
        rx.el.option("Found by the names of the columns", value=""),
        rx.foreach(MappingState.names, lambda name: rx.el.option(name, value=name)),
        id="mapping-choose",
        value=MappingState.chosen,
        on_change=MappingState.choose_mapping,
        class_name=styles.INPUT,
        data_testid="mapping-choose",
    )
    delete = dialog_button(
        "Delete…", kind="quiet bad", on_click=MappingDeleteState.open_dialog, data_testid="mapping-delete"
    )
    return rx.el.div(
        rx.el.div(field("Column mapping", control, name="mapping-choose"), class_name="min-w-56 grow"),
        dialog_button("Save as…", on_click=MappingState.ask_name, data_testid="mapping-save-as"),
        rx.cond(MappingState.chosen, delete),
        _name_dialog(),
        _delete_dialog(),
        on_mount=MappingState.open_mappings,
        class_name="flex flex-wrap items-end gap-3",
    )


def _delete_dialog() -> rx.Component:
    return confirmation(
        "Delete this mapping?",
        rx.el.p(MappingDeleteState.name, class_name=f"{styles.STRONG} wrap-anywhere"),
        "Nobody can choose it any more. The columns that are shown stay as they are.",
        error_notice(MappingDeleteState.error, title="The mapping was not deleted", testid="mapping-delete-error"),
        busy_button(
            "Delete",
            "Deleting…",
            is_busy=MappingDeleteState.is_busy,
            kind="danger",
            on_click=MappingDeleteState.delete_mapping,
            data_testid="confirm-delete-mapping",
        ),
        name="mapping-delete-dialog",
        shown=MappingDeleteState.is_open,
        on_close=MappingDeleteState.close,
    )


def _name_dialog() -> rx.Component:
    name = rx.el.input(
        id="mapping-name",
        name="mapping-name",
        type="text",
        default_value=MappingState.chosen,
        max_length=100,
        auto_complete="off",
        class_name=styles.INPUT,
        data_testid="mapping-name",
        **initial_focus(),
    )
    save = busy_button(
        "Save", "Saving…", is_busy=MappingState.is_busy, kind="primary", type="submit", data_testid="mapping-save"
    )
    form = rx.el.form(
        rx.el.p(
            "What each column becomes is kept under this name. A mapping of the same name is replaced.",
            class_name="text-muted",
        ),
        field("Name", name, name="mapping-name"),
        error_notice(MappingState.error, title="The mapping was not saved", testid="mapping-error"),
        dialog_actions("mapping-dialog", save),
        on_submit=MappingState.save_mapping,
        class_name="grid gap-4",
    )
    return form_modal(
        "Save the mapping",
        rx.cond(MappingState.is_open, form),
        name="mapping-dialog",
        shown=MappingState.is_open,
        on_close=MappingState.close,
    )
