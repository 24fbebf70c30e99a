"""The dialog that creates or changes a product."""

from typing import Any

import reflex as rx

from product_importer.catalog.pages.editor_state import DIALOG, AttributeView, EditorState
from product_importer.catalog.pages.form_data import Difference
from product_importer.ui import forms, styles
from product_importer.ui.connection.banner import WHOLE
from product_importer.ui.differences import comparison, differences
from product_importer.ui.formatting import EMPTY
from product_importer.ui.forms import form_field
from product_importer.ui.modal import dialog_actions, form_modal, initial_focus
from product_importer.ui.widgets import DEBOUNCE_MS, busy_button, button, error_notice, link, local_time, notice

ATTRIBUTE = "grid grid-cols-[1fr_auto] items-start gap-2 max-md:pb-2 md:grid-cols-[2fr_3fr_auto]"


def product_dialog() -> rx.Component:
    """Create or change a product."""
    return form_modal(
        rx.cond(EditorState.form.product_id, "Edit product", "New product"),
        rx.cond(EditorState.is_open, product_form()),
        name=DIALOG,
        shown=EditorState.is_open,
        on_close=EditorState.close_editor,
    )


def product_form() -> rx.Component:
    """Return the fields, the errors and the buttons."""
    return rx.el.form(
        # So that the form says all itself, also to a server that was started again meanwhile.
        rx.el.input(type="hidden", name="product-id", value=EditorState.form.product_id),
        rx.el.input(type="hidden", name="version", value=EditorState.form.version),
        sku_field(),
        name_field(),
        description_field(),
        active_field(),
        attribute_fields(),
        rx.cond(EditorState.last_change.at, last_change()),
        rx.cond(EditorState.is_conflict, conflict()),
        error_notice(EditorState.error, title="Not saved", testid="product-form-error"),
        dialog_actions(
            DIALOG, rx.cond(EditorState.is_conflict, conflict_buttons(), save_button("Save", "product-save"))
        ),
        key=f"form-{EditorState.form.number}",
        on_submit=EditorState.save_product,
        no_validate=True,
        class_name=styles.FORM,
        custom_attrs=WHOLE,
    )


def last_change() -> rx.Component:
    """Say who made the last change, where that is known, and when."""
    last = EditorState.last_change
    by_job = rx.fragment(
        rx.cond(last.is_action, " by the action “", " by the import of “"),
        link(last.filename, to=last.address, class_name=styles.STRONG),
        "”",
        rx.cond(last.by, ", started", ""),
    )
    return rx.el.p(
        "Last changed",
        rx.cond(last.filename, by_job),
        rx.cond(last.by, f" by {last.by}", ""),
        ", ",
        local_time(last.at),
        class_name=styles.HINT,
        data_testid="product-last-change",
    )


def input_props(name: str) -> dict[str, Any]:
    """Return the properties of a text input."""
    return forms.input_props(name, prefix="product", form=EditorState.form, errors=EditorState.errors)


def sku_field() -> rx.Component:
    """Return the field of the SKU; while it is typed, it shows whether the SKU is taken."""
    control = rx.el.input(
        **input_props("sku"),
        aria_required="true",
        spell_check=False,
        on_change=EditorState.check_sku.debounce(DEBOUNCE_MS),
        **initial_focus(),
    )
    return form_field("SKU", control, name="product-sku", error=EditorState.errors["sku"])


def name_field() -> rx.Component:
    """Return the field of the name."""
    control = rx.el.input(
        **input_props("name"), aria_required="true", on_change=EditorState.check_name.debounce(DEBOUNCE_MS)
    )
    return form_field("Name", control, name="product-name", error=EditorState.errors["name"])


def description_field() -> rx.Component:
    """Return the field of the description."""
    control = rx.el.textarea(
        **input_props("description") | {"class_name": f"{styles.TEXTAREA} min-h-[76px] resize-y"},
        rows="3",
        on_change=EditorState.check_description.debounce(DEBOUNCE_MS),
    )
    return form_field("Description", control, name="product-description", error=EditorState.errors["description"])


def active_field() -> rx.Component:
    """Return the switch that makes the product active."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            role="switch",
            name="active",
            default_checked=EditorState.form.active,
            class_name=styles.SWITCH,
            data_testid="product-active",
        ),
        "Active",
        class_name="flex w-fit cursor-pointer items-center gap-2.5 font-medium",
    )


def attribute_fields() -> rx.Component:
    """Return the fields of the attributes, which an import fills from its other columns."""
    return rx.el.fieldset(
        rx.el.legend("Attributes", class_name=f"{styles.LABEL} mb-1"),
        rx.foreach(EditorState.attributes, attribute_row),
        rx.el.p(EditorState.errors["attributes"], aria_live="polite", class_name=styles.FAULT),
        rx.el.div(
            button("Add an attribute", kind="quiet", on_click=EditorState.add_attribute, data_testid="attribute-add"),
            class_name="-ml-2",
        ),
        class_name="grid min-w-0 gap-2",
        data_testid="product-attributes",
    )


def attribute_row(attribute: AttributeView) -> rx.Component:
    """Return the fields of one attribute: its name and its value, which may have several lines."""
    return rx.el.div(
        rx.el.input(
            name="attribute-name",
            default_value=attribute.name,
            auto_focus=attribute.is_new,
            placeholder="Name",
            auto_complete="off",
            aria_label="Attribute name",
            class_name=styles.INPUT,
        ),
        rx.el.textarea(
            name="attribute-value",
            default_value=attribute.value,
            rows="1",
            placeholder="Value",
            aria_label=f"Value of {attribute.name}",
            class_name=f"{styles.TEXTAREA} resize-none max-md:col-span-full max-md:row-start-2",
        ),
        rx.el.div(remove_button(attribute), class_name="py-[3px]"),
        class_name=ATTRIBUTE,
        data_testid="product-attribute",
        key=attribute.key,
    )


def remove_button(attribute: AttributeView) -> rx.Component:
    """Return the button that removes an attribute."""
    return button(
        "Remove",
        kind="quiet bad",
        on_click=EditorState.remove_attribute(attribute.key),
        aria_label=f"Remove the attribute {attribute.name}",
        data_testid="attribute-remove",
    )


def save_button(label: str, testid: str) -> rx.Component:
    """Return the button that saves the product."""
    return busy_button(
        label, "Saving…", is_busy=EditorState.is_saving, kind="primary", type="submit", data_testid=testid
    )


def conflict() -> rx.Component:
    """Show what another user has changed meanwhile."""
    return notice(
        rx.el.p(
            "Somebody else saved this product while you were editing it. “Keep mine” saves your changes over theirs; "
            "their changes to other fields stay. “Take theirs” replaces the form with their values; yours are lost."
        ),
        differences(("Field", "Yours", "Theirs"), rx.foreach(EditorState.differences, difference_row)),
        title="Changed meanwhile",
        tone="warning",
        data_testid="product-conflict",
    )


def difference_row(difference: Difference) -> rx.Component:
    """Show one field that another user has changed."""
    mine = rx.cond(difference.is_mine, value(difference.mine), rx.el.span("not changed", class_name="text-muted"))
    return comparison(
        difference.label, ("Yours", mine), ("Theirs", value(difference.theirs)), data_testid="product-difference"
    )


def value(text: rx.Var[str]) -> rx.Component:
    """Show a value, or that it is empty."""
    return rx.cond(text, rx.el.span(text), rx.el.span(EMPTY, class_name="text-muted"))


def conflict_buttons() -> rx.Component:
    """Return the buttons that choose whose values are kept."""
    return rx.fragment(
        button("Take theirs", on_click=EditorState.take_theirs, data_testid="product-take-theirs"),
        save_button("Keep mine", "product-keep-mine"),
    )
