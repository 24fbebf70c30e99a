"""Which of the file's columns are the product's fields, where the header does not say it."""

import reflex as rx

from product_importer.imports.pages.upload_state import UploadState

FIELDS = (
    ("sku", "SKU", "Tells products apart"),
    ("name", "Name", "What the product is called"),
    ("description", "Description", "Its text"),
    ("active", "Active", "Optional; without it every product is active"),
)


def columns_form() -> rx.Component:
    """A list of the file's columns for each field; the buttons that send the file stand below it."""
    return rx.el.div(
        rx.el.div(
            rx.el.h2("Which columns are these?", id="mapping-title"),
            rx.el.p(
                "Pick the column for each field. All others are kept with the product as attributes. "
                "Files with the same header are then taken without asking.",
                class_name="muted",
            ),
        ),
        rx.el.div(*(column_choice(*field) for field in FIELDS), class_name="mapping-fields"),
        rx.el.p(UploadState.pairing_problem, role="status", class_name="field-error", data_testid="mapping-problem"),
        role="group",
        aria_labelledby="mapping-title",
        class_name="card stack",
        data_testid="mapping",
    )


def column_choice(field: str, label: str, hint: str) -> rx.Component:
    """The file's columns, of which one fills the field."""
    name = f"mapping-{field}"
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="label"),
        rx.el.select(
            rx.el.option("No column" if field == "active" else "Choose a column …", value=""),
            rx.foreach(UploadState.pairing.columns, lambda column: rx.el.option(column, value=column)),
            id=name,
            value=getattr(UploadState.pairing, field),
            on_change=UploadState.pair_field(field),
            aria_describedby=f"{name}-hint",
            class_name="input",
            data_testid=name,
        ),
        rx.el.p(hint, id=f"{name}-hint", class_name="hint"),
        class_name="field",
    )
