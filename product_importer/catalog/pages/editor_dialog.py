"""The dialog in which a product is created or changed."""

from typing import Any

import reflex as rx

from product_importer.catalog.pages.editor_state import DIALOG, AttributeView, EditorState
from product_importer.catalog.pages.form_data import Difference
from product_importer.ui import widgets
from product_importer.ui.modal import dialog_actions, focused, modal
from product_importer.ui.widgets import PAUSE, busy_button, button, form_field, notice, refusal


def product_dialog() -> rx.Component:
    """Create or change a product."""
    return modal(
        rx.cond(EditorState.form.product_id, "Edit product", "New product"),
        rx.cond(EditorState.is_open, product_form()),
        name=DIALOG,
        shown=EditorState.is_open,
        on_close=EditorState.close_editor,
    )


def product_form() -> rx.Component:
    """Fields, what is wrong, and how it ends."""
    return rx.el.form(
        sku_field(),
        name_field(),
        description_field(),
        active_field(),
        attribute_fields(),
        rx.cond(EditorState.is_conflict, conflict()),
        refusal(EditorState.refusal, title="Not saved", testid="product-form-error"),
        dialog_actions(
            DIALOG, rx.cond(EditorState.is_conflict, conflict_buttons(), save_button("Save", "product-save"))
        ),
        key=f"form-{EditorState.form.number}",
        on_submit=EditorState.save_product,
        no_validate=True,
        class_name="dialog-form",
    )


def described(name: str) -> dict[str, Any]:
    """What every field of the form says of itself."""
    return widgets.described(name, prefix="product", form=EditorState.form, faults=EditorState.faults)


def sku_field() -> rx.Component:
    """What identifies the product; whether it is taken shows while it is typed."""
    control = rx.el.input(
        **described("sku"),
        aria_required="true",
        spell_check=False,
        on_change=EditorState.check_sku.debounce(PAUSE),
        **focused(),
    )
    return form_field("SKU", control, name="product-sku", fault=EditorState.faults["sku"])


def name_field() -> rx.Component:
    """What the product is called."""
    control = rx.el.input(**described("name"), aria_required="true", on_change=EditorState.check_name.debounce(PAUSE))
    return form_field("Name", control, name="product-name", fault=EditorState.faults["name"])


def description_field() -> rx.Component:
    """What there is to say about the product."""
    control = rx.el.textarea(
        **described("description"), rows="3", on_change=EditorState.check_description.debounce(PAUSE)
    )
    return form_field("Description", control, name="product-description", fault=EditorState.faults["description"])


def active_field() -> rx.Component:
    """Whether the product is on sale."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            role="switch",
            name="active",
            default_checked=EditorState.form.active,
            class_name="switch",
            data_testid="product-active",
        ),
        "Active",
        class_name="switch-field",
    )


def attribute_fields() -> rx.Component:
    """Further columns of an import, by name."""
    return rx.el.fieldset(
        rx.el.legend("Attributes", class_name="label"),
        rx.foreach(EditorState.attributes, attribute_line),
        rx.el.p(EditorState.faults["attributes"], aria_live="polite", class_name="fault"),
        button("Add an attribute", kind="quiet", on_click=EditorState.add_attribute, data_testid="attribute-add"),
        class_name="attributes",
        data_testid="product-attributes",
    )


def attribute_line(line: AttributeView) -> rx.Component:
    """A name and its value; a value may have several lines."""
    return rx.el.div(
        rx.el.input(
            name="attribute-name",
            default_value=line.name,
            auto_focus=line.is_new,
            placeholder="Name",
            auto_complete="off",
            aria_label="Attribute name",
            class_name="input",
        ),
        rx.el.textarea(
            name="attribute-value",
            default_value=line.value,
            rows="1",
            placeholder="Value",
            aria_label=f"Value of {line.name}",
            class_name="input",
        ),
        button(
            "Remove",
            kind="quiet bad",
            on_click=EditorState.remove_attribute(line.key),
            aria_label=f"Remove the attribute {line.name}",
            data_testid="attribute-remove",
        ),
        class_name="attribute",
        data_testid="product-attribute",
        key=line.key,
    )


def save_button(label: str, testid: str) -> rx.Component:
    """Send the form."""
    return busy_button(
        label, "Saving…", is_busy=EditorState.is_saving, kind="primary", type="submit", data_testid=testid
    )


def conflict() -> rx.Component:
    """What somebody else has changed meanwhile."""
    return notice(
        rx.el.p(
            "Somebody else has saved this product while you were editing it. Keep mine saves what you changed, and "
            "leaves their other changes. Take theirs puts their values into the form instead of yours."
        ),
        rx.el.table(
            rx.el.thead(rx.el.tr(*(rx.el.th(title, scope="col") for title in ("Field", "Yours", "Theirs")))),
            rx.el.tbody(rx.foreach(EditorState.differences, difference_row)),
            class_name="differences",
        ),
        title="Changed in the meantime",
        tone="warning",
        data_testid="product-conflict",
    )


def difference_row(difference: Difference) -> rx.Component:
    """One field that somebody else has changed."""
    mine = rx.cond(difference.is_mine, value(difference.mine), rx.el.span("not changed", class_name="muted"))
    return rx.el.tr(
        rx.el.th(difference.label, scope="row"),
        rx.el.td(mine, data_label="Yours"),
        rx.el.td(value(difference.theirs), data_label="Theirs"),
        data_testid="product-difference",
    )


def value(text: rx.Var[str]) -> rx.Component:
    """A value, or that there is none."""
    return rx.cond(text, rx.el.span(text), rx.el.span("empty", class_name="muted"))


def conflict_buttons() -> rx.Component:
    """Whose values hold."""
    return rx.fragment(
        button("Take theirs", on_click=EditorState.take_theirs, data_testid="product-take-theirs"),
        save_button("Keep mine", "product-keep-mine"),
    )
