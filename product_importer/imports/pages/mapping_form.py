"""The form that maps a file's columns to product fields, shown when the header does not match."""

import reflex as rx

from product_importer.imports.pages.upload_state import UploadState

FIELDS = (
    ("sku", "SKU", "Identifies the product"),
    ("name", "Name", "The product's name"),
    ("description", "Description", "The product's description"),
    ("active", "Active", "Optional. Default: active"),
)


def mapping_form() -> rx.Component:
    """A list of the file's columns for each field; the upload buttons are below it."""
    return rx.el.div(
        rx.el.div(
            rx.el.h2("Map the columns", id="mapping-title"),
            rx.el.p(
                "Choose the column for each field. All other columns are kept as attributes of the product. "
                "The mapping is saved for the next file with the same header.",
                class_name="muted",
            ),
        ),
        rx.el.div(*(column_select(*field) for field in FIELDS), class_name="mapping-fields"),
        rx.cond(
            UploadState.continuation_note,
            rx.el.p(UploadState.continuation_note, role="status", data_testid="mapping-continuations"),
        ),
        rx.el.p(UploadState.mapping_error, role="status", class_name="field-error", data_testid="mapping-problem"),
        role="group",
        aria_labelledby="mapping-title",
        class_name="card stack",
        data_testid="mapping",
    )


def column_select(field: str, label: str, hint: str) -> rx.Component:
    """A list of the file's columns for one field."""
    name = f"mapping-{field}"
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="label"),
        rx.el.select(
            rx.el.option("No column" if field == "active" else "Choose a column …", value=""),
            rx.foreach(UploadState.mapping.columns, lambda column: rx.el.option(column, value=column)),
            id=name,
            value=getattr(UploadState.mapping, field),
            on_change=UploadState.map_field(field),
            aria_describedby=f"{name}-hint",
            class_name="input",
            data_testid=name,
        ),
        rx.el.p(hint, id=f"{name}-hint", class_name="hint"),
        class_name="field",
    )
