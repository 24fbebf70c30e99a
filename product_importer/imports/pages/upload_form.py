"""The form that sends a file: where it is dropped, what can be chosen, and what was wrong with it."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec
from reflex_components_core.el.elements.typography import Div  # type: ignore[import-untyped]

from product_importer.imports.pages import labels
from product_importer.imports.pages.mapping_form import columns_form
from product_importer.imports.pages.upload_state import UPLOAD, UploadState
from product_importer.ui.before_unload import confirm_leaving
from product_importer.ui.widgets import button, choice, link, notice, progress_bar

KINDS = "CSV, TSV, .gz, .zip or Excel (.xlsx), of any size. Its first line names the columns: sku, name, description."


class FileArea(Div):
    """What holds a drop zone, and is told when another file is chosen or dropped."""

    on_change: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_drop: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]


def upload_form() -> rx.Component:
    """Choose a file, and how it is imported; send it."""
    chosen = rx.selected_files(UPLOAD)
    return rx.el.section(
        FileArea.create(drop_zone(chosen), on_change=UploadState.forget_refusal, on_drop=UploadState.forget_refusal),
        choices(),
        rx.cond(UploadState.refusal.title, refusal()),
        rx.cond(UploadState.is_pairing, columns_form()),
        rx.el.div(
            rx.cond(UploadState.uploading, upload_progress()),
            rx.el.div(*start_buttons(chosen), class_name="actions"),
            class_name="upload-row",
        ),
        on_mount=[UploadState.open_form, confirm_leaving(UPLOAD)],
        aria_label="Upload",
        class_name="stack",
    )


def drop_zone(chosen: rx.Var[list[str]]) -> rx.Component:
    """Where a file is dropped or chosen."""
    return rx.upload.root(
        rx.el.p(
            rx.cond(chosen.length() > 0, chosen.join(", "), "Drop a file here"),
            class_name="drop-title",
            aria_live="polite",
        ),
        rx.el.p(KINDS, class_name="muted"),
        # The click goes on to the drop zone, which opens the dialog; the button is for keyboards and screen readers.
        button(rx.cond(chosen.length() > 0, "Choose another file", "Choose a file")),
        id=UPLOAD,
        multiple=False,
        no_keyboard=True,
        class_name="drop-zone",
        drag_active_style={"border_color": "var(--accent)", "background": "var(--accent-soft)"},
        data_testid="import-file",
    )


def choices() -> rx.Component:
    """How the file is imported, folded away: the usual is right for most."""
    told = UploadState.choices_told
    return rx.el.details(
        rx.el.summary(
            rx.el.span("Choices", class_name="strong"),
            rx.cond(
                told.length() > 0,
                rx.el.span(rx.foreach(told, lambda one: rx.el.span(one, class_name="chip")), class_name="chips"),
                rx.el.span(
                    "Create and update products · last row of an SKU counts · blank cells clear",
                    class_name="muted",
                ),
            ),
            class_name="choices-summary",
        ),
        rx.el.div(*selects(), class_name="choices-fields"),
        rx.cond(
            told.length() > 0,
            button(
                "Reset to defaults", kind="quiet", on_click=UploadState.forget_choices, data_testid="import-usual"
            ),
        ),
        class_name="choices",
        data_testid="choices",
    )


def selects() -> tuple[rx.Component, ...]:
    """One list for each choice."""
    state = UploadState
    return (
        select("Products", labels.MODES, "mode", state.mode, state.choose_mode),
        select(
            "The same SKU twice in the file",
            labels.DUPLICATES,
            "duplicates",
            state.duplicates,
            state.choose_duplicates,
        ),
        select("A blank cell, for a known product", labels.BLANKS, "blank", state.blank, state.choose_blank),
        select("Text encoding", labels.ENCODINGS, "encoding", state.encoding, state.choose_encoding),
        select("Separator", labels.DELIMITERS, "delimiter", state.delimiter, state.choose_delimiter),
        select("Columns with other names", labels.COLUMNS, "columns", state.columns, state.choose_columns),
    )


def select(label: str, options: dict[str, str], name: str, value: Any, on_change: Any) -> rx.Component:
    """One choice."""
    return choice(label, options.items(), name=f"import-{name}", value=value, on_change=on_change)


def start_buttons(chosen: rx.Var[list[str]]) -> tuple[rx.Component, rx.Component]:
    """Send the chosen file, or only see what that would do; with the columns, where they were asked for."""
    is_idle = UploadState.uploading | (chosen.length() == 0) | (UploadState.pairing_problem != "")
    return (
        button(
            rx.cond(UploadState.is_pairing, "Try with these columns", "Try it first"),
            on_click=UploadState.try_import(sending()),
            disabled=is_idle,
            title="See what the file would change, before anything is changed",
            data_testid="import-try",
        ),
        button(
            rx.cond(UploadState.is_pairing, "Import with these columns", "Import"),
            kind="primary",
            on_click=UploadState.start_import(sending()),
            disabled=is_idle,
            data_testid="import-start",
        ),
    )


def sending() -> Any:
    """The chosen file, in pieces."""
    return rx.upload_files_chunk(UPLOAD, on_upload_progress=UploadState.show_upload.throttle(200))


def upload_progress() -> rx.Component:
    """How much has left the browser."""
    return rx.el.div(
        progress_bar(UploadState.uploaded, label="Upload", data_testid="upload-progress"),
        rx.el.span("Uploading, ", UploadState.uploaded, " %", class_name="muted numeric", role="status"),
        button("Cancel", kind="quiet", on_click=rx.cancel_upload(UPLOAD), data_testid="upload-cancel"),
        class_name="upload-progress",
    )


def refusal() -> rx.Component:
    """Why the file was not accepted, and what to do."""
    why = UploadState.refusal
    running = link("Show the running import", to=why.running, class_name="button", data_testid="import-running")
    return notice(
        rx.el.p(why.detail),
        rx.cond(why.hint, rx.el.p(why.hint, class_name="strong")),
        rx.cond(why.running, rx.el.div(running, class_name="actions")),
        title=why.title,
        tone=why.tone,
        data_testid="import-error",
    )
