"""The menu of saved views, and its dialogs."""

import reflex as rx

from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.views_state import DELETE, RENAME, SAVE, ViewState
from product_importer.ui import styles
from product_importer.ui.access_state import for_writers
from product_importer.ui.menu import ENTRY, PLACE_RIGHT, menu
from product_importer.ui.modal import confirmation, dialog_actions, form_modal, initial_focus
from product_importer.ui.widgets import busy_button, error_notice, field, notice

NAME_DIALOG, DELETE_DIALOG = "view-name-dialog", "view-delete-dialog"
ACTIONS = "grid border-t border-line mt-1 pt-1 empty:hidden"


def views_menu() -> rx.Component:
    """Return the button with the name of the chosen view, and the menu of all."""
    view = CatalogState.listing.view
    label = rx.el.span(rx.cond(view, view, "All products"), class_name="max-w-56 truncate")
    own = (
        entry(rx.fragment("Update “", view, "”"), ViewState.update_view, "view-update"),
        entry("Rename …", ViewState.ask_name(RENAME), "view-rename"),
        entry("Delete …", ViewState.ask_before_deleting, "view-delete"),
    )
    save = entry("Save as …", ViewState.ask_name(SAVE), "view-save-as")
    return menu(
        label,
        rx.el.div(
            entry("All products", CatalogState.clear_filters, "view-none", is_current=view == ""),
            rx.foreach(ViewState.names, named),
            class_name="grid max-h-80 max-w-72 overflow-y-auto",
        ),
        for_writers(rx.el.div(save, rx.cond(view, rx.fragment(*own)), class_name=ACTIONS)),
        name="views",
        place=PLACE_RIGHT,
        title="Views: filters, order and columns that were saved under a name",
    )


def named(name: rx.Var[str]) -> rx.Component:
    """Return the entry of one view."""
    return entry(name, ViewState.choose_view(name), "view-choose", is_current=CatalogState.listing.view == name)


def entry(label: object, on_click: object, testid: str, *, is_current: object = None) -> rx.Component:
    """Return an entry of the menu; the current one is marked."""
    current = {} if is_current is None else {"aria_current": rx.cond(is_current, "true", "false")}
    return rx.el.button(
        label,
        type="button",
        on_click=on_click,
        class_name=f"{ENTRY} truncate aria-[current=true]:font-semibold aria-[current=true]:text-accent",
        data_testid=testid,
        **current,
    )


def missing_view() -> rx.Component:
    """Return that no view has the name in the address."""
    name = rx.el.q(CatalogState.missing_view, class_name=f"{styles.STRONG} wrap-anywhere")
    everything = rx.cond(CatalogState.is_filtered, "", " All products are shown.")
    text = rx.el.p("No view has the name ", name, ". Somebody may have renamed or deleted it.", everything)
    return rx.cond(
        CatalogState.missing_view,
        notice(text, tone="warning", title="This view is not there", data_testid="view-missing"),
    )


def view_dialogs() -> rx.Component:
    """Return the dialogs that ask for a name, and before a view is deleted."""
    return rx.fragment(name_dialog(), delete_dialog())


def name_dialog() -> rx.Component:
    """Ask for the name of a new view, or for another name of the chosen one."""
    is_new = ViewState.dialog == SAVE
    shown = ViewState.is_open & (ViewState.dialog != DELETE)
    return form_modal(
        rx.cond(is_new, "Save as a view", "Rename the view"),
        rx.cond(shown, name_form(is_new)),
        name=NAME_DIALOG,
        shown=shown,
        on_close=ViewState.close,
    )


def name_form(is_new: rx.Var[bool]) -> rx.Component:
    """Return the form for a name."""
    given = rx.el.input(
        id="view-name",
        name="view-name",
        type="text",
        default_value=rx.cond(is_new, "", CatalogState.listing.view),
        max_length=100,
        auto_complete="off",
        class_name=styles.INPUT,
        data_testid="view-name",
        **initial_focus(),
    )
    save = busy_button(
        "Save", "Saving …", is_busy=ViewState.is_busy, kind="primary", type="submit", data_testid="view-save"
    )
    return rx.el.form(
        rx.el.p(
            "Everybody finds the view under its name: its filters, order, page size and columns.",
            class_name="text-muted",
        ),
        field("Name", given, name="view-name"),
        error_notice(ViewState.error, title="The view was not saved", testid="view-error"),
        dialog_actions(NAME_DIALOG, save),
        on_submit=ViewState.save_name,
        class_name=styles.FORM,
    )


def delete_dialog() -> rx.Component:
    """Ask before the chosen view is deleted."""
    return confirmation(
        "Delete this view?",
        rx.el.p(CatalogState.listing.view, class_name=f"{styles.STRONG} wrap-anywhere"),
        "Nobody will find it any more. Products stay as they are.",
        error_notice(ViewState.error, title="The view was not deleted", testid="view-delete-error"),
        busy_button(
            "Delete",
            "Deleting…",
            is_busy=ViewState.is_busy,
            kind="danger",
            on_click=ViewState.delete_view,
            data_testid="view-confirm-delete",
        ),
        name=DELETE_DIALOG,
        shown=ViewState.is_open & (ViewState.dialog == DELETE),
        on_close=ViewState.close,
    )
