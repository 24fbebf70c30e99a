"""How a draft's file is read, and the folded options: each change is seen in the preview at once."""

from typing import Any

import reflex as rx

from product_importer.imports.pages import labels
from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.ui import styles
from product_importer.ui.widgets import DEBOUNCE_MS, button, field

CARD = "grid content-start gap-3 rounded-xl border border-line bg-raised p-4"


def reading_form() -> rx.Component:
    """Encoding, delimiter, sheet, header line and variants; only what the file has and what is asked nowhere else."""
    reading = DraftState.reading
    return rx.el.section(
        rx.el.h2("How the file is read", class_name="text-sm font-semibold"),
        rx.cond(reading.is_text, rx.fragment(_encoding(), _delimiter())),
        rx.cond(reading.sheets.length() > 0, _sheet()),
        rx.cond(reading.has_header_line, _header_line()),
        rx.cond(reading.continuations, rx.fragment(), _continuation("Variants and images in rows without a name")),
        aria_label="How the file is read",
        class_name=CARD,
        data_testid="reading",
    )


def variants_question() -> rx.Component:
    """What becomes of the rows that continue the product above, where the beginning of the file has such rows."""
    return rx.el.section(
        _continuation("What are the rows without a name?"),
        _note(DraftState.reading.continuations, "columns-continuations"),
        aria_label="Rows without a name",
        class_name=CARD,
    )


def options_form() -> rx.Component:
    """The other options, folded: the defaults fit most files."""
    changed = DraftState.changed_options
    chips = rx.el.span(
        rx.foreach(changed, lambda label: rx.el.span(label, class_name=styles.CHIP)), class_name=styles.CHIPS
    )
    usual = rx.el.span("create and update · last row of a repeated SKU · blank clears", class_name="text-muted")
    return rx.el.details(
        rx.el.summary(
            rx.el.span("Options ", class_name="font-semibold"),
            rx.cond(changed.length() > 0, chips, usual),
            class_name="min-h-6 cursor-pointer",
        ),
        rx.el.div(
            _option("Products", labels.MODES, "mode"),
            _option("Repeated SKU", labels.DUPLICATES, "duplicates"),
            _option("Blank cell of an existing product", labels.BLANKS, "blank"),
            _option("SKU in scientific notation", labels.SCIENTIFIC, "scientific"),
            _reset(),
            class_name="mt-3 grid gap-3",
        ),
        class_name="rounded-xl border border-line bg-raised p-4",
        data_testid="choices",
    )


def _reset() -> rx.Component:
    reset = button("Reset to defaults", kind="quiet", on_click=DraftState.reset_options, data_testid="import-usual")
    return rx.cond(DraftState.changed_options.length() > 0, reset)


def _encoding() -> rx.Component:
    detected = rx.el.option(DraftState.reading.encoding, value="")
    others = [rx.el.option(label, value=value) for value, label in labels.ENCODINGS.items() if value]
    return _select("Text encoding", [detected, *others], "encoding", DraftState.choose_encoding)


def _delimiter() -> rx.Component:
    detected = rx.el.option(DraftState.reading.delimiter, value="")
    others = [rx.el.option(label, value=value) for value, label in labels.DELIMITERS.items() if value]
    return _select("Delimiter", [detected, *others], "delimiter", DraftState.choose_delimiter)


def _sheet() -> rx.Component:
    found = rx.el.option(DraftState.reading.sheet, value="")
    others = rx.foreach(DraftState.reading.sheets, lambda sheet: rx.el.option(sheet, value=sheet))
    return _select("Sheet of the workbook", [found, others], "sheet", DraftState.choose_sheet)


def _option(label: str, values: dict[str, str], name: str) -> rx.Component:
    options = [rx.el.option(text, value=value) for value, text in values.items()]
    return _select(label, options, name, DraftState.choose_option(name))


def _continuation(label: str) -> rx.Component:
    return _option(label, labels.CONTINUATIONS, "continuation")


def _select(label: str, options: list[rx.Component], name: str, on_change: Any) -> rx.Component:
    control = rx.el.select(
        *options,
        id=f"import-{name}",
        value=DraftState.options[name],
        on_change=on_change,
        class_name=styles.INPUT,
        data_testid=f"import-{name}",
    )
    return field(label, control, name=f"import-{name}")


def _header_line() -> rx.Component:
    """The line with the column names; the browser alone holds what is typed."""
    name = "import-header-line"
    found = DraftState.reading.header_line
    control = rx.el.input(
        id=name,
        key=f"{name}-{DraftState.filling}",
        type="text",
        input_mode="numeric",
        default_value=DraftState.options["header_line"],
        placeholder=rx.cond(found, "Found: line " + found, "Found automatically; 0 for none"),
        auto_complete="off",
        on_change=DraftState.choose_header_line.debounce(DEBOUNCE_MS),
        # A click on “Import” may come before the typing is over.
        on_blur=DraftState.choose_header_line,
        class_name=styles.INPUT,
        data_testid=name,
    )
    note = rx.cond(DraftState.reading.header_note, _note(DraftState.reading.header_note, "header-note"))
    return rx.fragment(field("Header line", control, name=name), note)


def _note(text: Any, testid: str) -> rx.Component:
    return rx.el.p(text, role="status", class_name="rounded-lg bg-sunken px-3 py-2", data_testid=testid)


def encoding_choice() -> rx.Component:
    """The first lines of the file in each likely encoding, where it cannot be told which is right."""
    return rx.el.fieldset(
        rx.el.legend("In which encoding are these lines right?", class_name="float-left font-semibold"),
        rx.foreach(DraftState.encodings, _likely),
        class_name=f"{CARD} min-w-0",
        data_testid="encodings",
    )


def _likely(encoding: Any) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="likely-encoding",
            value=encoding.name,
            checked=DraftState.options["encoding"] == encoding.name,
            on_change=DraftState.choose_encoding(encoding.name),
            class_name="mt-1 size-4",
        ),
        rx.el.span(
            rx.el.span(encoding.label, class_name="font-semibold"),
            rx.foreach(
                encoding.lines.to(list[str]),
                lambda line: rx.el.span(line, class_name="break-words whitespace-pre-wrap", dir="auto"),
            ),
            class_name="grid min-w-0 gap-0.5",
        ),
        class_name="flex min-h-6 cursor-pointer items-start gap-2.5",
        data_testid="likely-encoding",
    )
