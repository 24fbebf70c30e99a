"""The upload form: the drop zone, the options, the column mapping, and errors."""

from typing import Any

import reflex as rx
from reflex.event import no_args_event_spec
from reflex_components_core.el.elements.typography import Div  # type: ignore[import-untyped]

from product_importer.imports.pages import labels
from product_importer.imports.pages.encoding_choice import encoding_choice
from product_importer.imports.pages.mapping_form import mapping_form
from product_importer.imports.pages.upload_state import UPLOAD, UploadState
from product_importer.ui.before_unload import confirm_leaving
from product_importer.ui.widgets import button, choice, field, link, notice, progress_bar

FILE_TYPES = (
    "CSV, TSV, JSON or JSON Lines, also packed (.gz, .zip, .xz …), a workbook (.xlsx, .xls, .xlsb, .ods), "
    "or Parquet. The first line or the keys name the columns: sku, name, description."
)


class FileArea(Div):
    """A container of a drop zone that notices when another file is chosen or dropped."""

    on_change: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]
    on_drop: rx.EventHandler[no_args_event_spec]  # type: ignore[type-arg,valid-type]


def upload_form() -> rx.Component:
    """Choose a file and its options, and upload it."""
    selected = rx.selected_files(UPLOAD)
    return rx.el.section(
        FileArea.create(drop_zone(selected), on_change=UploadState.clear_error, on_drop=UploadState.clear_error),
        options(),
        rx.cond(UploadState.error.title, upload_error()),
        rx.cond(UploadState.encodings.length() > 0, encoding_choice()),
        rx.cond(UploadState.needs_mapping, mapping_form()),
        rx.el.div(
            rx.cond(UploadState.uploading, upload_progress()),
            rx.el.div(*start_buttons(selected), class_name="actions"),
            class_name="upload-row",
        ),
        on_mount=[UploadState.open_form, confirm_leaving(UPLOAD)],
        aria_label="Upload",
        class_name="stack",
    )


def drop_zone(selected: rx.Var[list[str]]) -> rx.Component:
    """Where a file is dropped or chosen."""
    area = rx.upload.root(
        rx.el.p(
            rx.cond(selected.length() > 0, selected.join(", "), "Drop a file here"),
            class_name="drop-title",
            aria_live="polite",
        ),
        rx.el.p(FILE_TYPES, class_name="muted"),
        # Clicks bubble to the drop zone, which opens the file dialog; the button serves keyboards and screen readers.
        button(rx.cond(selected.length() > 0, "Choose another file", "Choose a file")),
        id=UPLOAD,
        multiple=False,
        no_keyboard=True,
        class_name="drop-zone",
        drag_active_style={"border_color": "var(--accent)", "background": "var(--accent-soft)"},
        data_testid="import-file",
    )
    # Reflex gives the file input within no name.
    area.children[0].children[0].custom_attrs = {"aria-label": "File"}
    return area


def options() -> rx.Component:
    """The options, folded away: the defaults fit most files."""
    changed = UploadState.changed_options
    return rx.el.details(
        rx.el.summary(
            rx.el.span("Options", class_name="strong"),
            rx.cond(
                changed.length() > 0,
                rx.el.span(
                    rx.foreach(changed, lambda label: rx.el.span(label, class_name="chip")), class_name="chips"
                ),
                rx.el.span(
                    "Create and update products · use the last row of a repeated SKU · blank cells clear values",
                    class_name="muted",
                ),
            ),
            class_name="options-summary",
        ),
        rx.el.div(*selects(), sheet_field(), class_name="options-fields"),
        rx.cond(
            changed.length() > 0,
            button("Reset to defaults", kind="quiet", on_click=UploadState.reset_options, data_testid="import-usual"),
        ),
        class_name="options",
        data_testid="choices",
    )


def selects() -> tuple[rx.Component, ...]:
    """One list for each option."""
    state = UploadState
    return (
        select("Products", labels.MODES, "mode", state.mode, state.choose_mode),
        select("Repeated SKU", labels.DUPLICATES, "duplicates", state.duplicates, state.choose_duplicates),
        select("Blank cell of an existing product", labels.BLANKS, "blank", state.blank, state.choose_blank),
        select(
            "Variants and images in rows without a name",
            labels.CONTINUATIONS,
            "continuation",
            state.continuation,
            state.choose_continuation,
        ),
        select(
            "SKU in scientific notation", labels.SCIENTIFIC, "scientific", state.scientific, state.choose_scientific
        ),
        select("Text encoding", labels.ENCODINGS, "encoding", state.encoding, state.choose_encoding),
        select("Delimiter", labels.DELIMITERS, "delimiter", state.delimiter, state.choose_delimiter),
        select("Column mapping", labels.COLUMNS, "columns", state.columns, state.choose_columns),
        header_line_field(),
    )


def header_line_field() -> rx.Component:
    """The number of the line with the column names; the browser holds what is typed until it is filled in anew."""
    name = "import-header-line"
    control = rx.el.input(
        id=name,
        key=f"{name}-{UploadState.header_line_filling}",
        type="text",
        input_mode="numeric",
        default_value=UploadState.header_line,
        placeholder="Found automatically; 0 for none",
        auto_complete="off",
        class_name="input",
        on_change=UploadState.choose_header_line,
        data_testid=name,
    )
    return field("Header line", control, name=name)


def sheet_field() -> rx.Component:
    """The name of the sheet to read; empty for the first visible one."""
    control = rx.el.input(
        id="import-sheet",
        # Empties the field where the option is reset.
        key=f"import-sheet-{UploadState.resets}",
        default_value="",
        placeholder="The first visible one",
        max_length=100,
        auto_complete="off",
        spell_check=False,
        class_name="input",
        on_change=UploadState.choose_sheet,
        data_testid="import-sheet",
    )
    return field("Sheet of a workbook", control, name="import-sheet")


def select(label: str, values: dict[str, str], name: str, value: Any, on_change: Any) -> rx.Component:
    """One option; `values` are its possible values and their labels."""
    return choice(label, values.items(), name=f"import-{name}", value=value, on_change=on_change)


def start_buttons(selected: rx.Var[list[str]]) -> tuple[rx.Component, rx.Component]:
    """Upload the file for a dry run or an import, with the column mapping if it was asked for."""
    is_disabled = UploadState.uploading | (selected.length() == 0) | (UploadState.mapping_error != "")
    return (
        button(
            rx.cond(UploadState.needs_mapping, "Dry run with these columns", "Dry run"),
            on_click=UploadState.start_dry_run(chunks()),
            disabled=is_disabled,
            title="Show what the import would change, without changing anything",
            data_testid="import-try",
        ),
        button(
            rx.cond(UploadState.needs_mapping, "Import with these columns", "Import"),
            kind="primary",
            on_click=UploadState.start_import(chunks()),
            disabled=is_disabled,
            data_testid="import-start",
        ),
    )


def chunks() -> Any:
    """The selected file, uploaded in chunks."""
    return rx.upload_files_chunk(UPLOAD, on_upload_progress=UploadState.show_upload.throttle(200))


def upload_progress() -> rx.Component:
    """How much of the file was uploaded."""
    return rx.el.div(
        progress_bar(UploadState.uploaded, label="Upload", data_testid="upload-progress"),
        rx.el.span("Uploading, ", UploadState.uploaded, " %", class_name="muted numeric", role="status"),
        button("Cancel", kind="quiet", on_click=rx.cancel_upload(UPLOAD), data_testid="upload-cancel"),
        class_name="upload-progress",
    )


def upload_error() -> rx.Component:
    """Why the file was not accepted, and what to do."""
    error = UploadState.error
    running = link(
        "Show the running import", to=error.import_address, class_name="button", data_testid="import-running"
    )
    return notice(
        rx.el.p(error.detail),
        rx.cond(error.hint, rx.el.p(error.hint, class_name="strong")),
        rx.cond(error.import_address, rx.el.div(running, class_name="actions")),
        title=error.title,
        tone=error.tone,
        data_testid="import-error",
    )
