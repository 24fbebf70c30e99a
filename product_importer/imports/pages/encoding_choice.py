"""The choice of an encoding, shown when it cannot be told from the file."""

from typing import Any

import reflex as rx

from product_importer.imports.pages.upload_state import UploadState


def encoding_choice() -> rx.Component:
    """The first lines of the file in each likely encoding; the upload buttons are below it."""
    return rx.el.fieldset(
        rx.el.legend("In which encoding are these lines right?", class_name="strong"),
        rx.foreach(UploadState.encodings, preview),
        rx.el.p("Choose one, then import the file again. Others are under Options.", class_name="muted"),
        class_name="card stack encodings",
        data_testid="encodings",
    )


def preview(encoding: Any) -> rx.Component:
    """One encoding to choose."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="likely-encoding",
            value=encoding.name,
            checked=UploadState.encoding == encoding.name,
            on_change=UploadState.choose_likely_encoding(encoding.name),
        ),
        rx.el.span(
            rx.el.span(encoding.label, class_name="strong"),
            rx.foreach(encoding.lines, lambda line: rx.el.span(line, class_name="encoding-line", dir="auto")),
            class_name="encoding-lines",
        ),
        class_name="encoding",
        data_testid="likely-encoding",
    )
