"""State of the upload form: the options, the column mapping, the upload and its error."""

from dataclasses import replace
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError
from product_importer.imports.options import parse
from product_importer.imports.pages import labels
from product_importer.imports.pages.encoding_choice_data import EncodingPreview
from product_importer.imports.pages.error_view import ErrorView
from product_importer.imports.pages.mapping_form_data import ColumnMapping
from product_importer.imports.pages.receiving import received
from product_importer.imports.schemas import ImportRead
from product_importer.ui import routes, toasts

UPLOAD = "catalogue"
ASK_ENCODING = "It is not UTF-8, and nothing in it says how its text is encoded. Choose below how it reads right."
CONFIRM_LINE = "If so, start again: the line is filled in under Options now. If not, correct it there."
NO_ANSWER = ErrorView("The database does not answer", "The upload was discarded. Try again in a moment.")


class UploadState(rx.State):
    """The upload form of one browser tab."""

    # The browser stores these: they are usually the same for a shop's next file.
    mode: str = rx.LocalStorage("upsert", name="import-mode")
    duplicates: str = rx.LocalStorage("last", name="import-duplicates")
    blank: str = rx.LocalStorage("clear", name="import-blank")
    continuation: str = rx.LocalStorage("reject", name="import-continuation")
    scientific: str = rx.LocalStorage("reject", name="import-scientific")
    # These are not stored: they differ from file to file.
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    # Counts how often the options were reset: the browser alone holds what is typed.
    resets: int = 0
    # "remembered" uses the mapping saved for the header; "ask" ignores it, and asks where the names do not match.
    columns: str = "remembered"
    # The line with the column names, as it was typed or found; an empty one is found.
    header_line: str = ""
    # Changes when the field must show another line than the one that was typed in it.
    header_line_filling: int = 0
    mapping: ColumnMapping = ColumnMapping()
    # What a refused file may be encoded in.
    encodings: list[EncodingPreview] = []  # noqa: RUF012 - Reflex copies it for each tab
    is_dry_run: bool = False
    uploading: bool = False
    uploaded: int = 0
    error: ErrorView = ErrorView()
    # Changes with the file and with the way it is read: an error of an earlier version asks for no mapping.
    _version: int = 0
    # Whether the line was found: it is that of one file alone.
    _is_line_found: bool = False
    # Whether the encoding was chosen by the lines of this file: it is not meant for another one.
    _is_encoding_of_file: bool = False

    @rx.var
    def changed_options(self) -> list[str]:
        """Labels of the options that differ from the default."""
        changed = labels.changed_options(self._choices())
        if self.encoding in labels.ENCODINGS and self.encoding:
            changed.append(labels.encoding(self.encoding))
        if self.delimiter in labels.CHARACTERS:
            changed.append(f"delimiter: {labels.DELIMITERS[self.delimiter].lower()}")
        if self.sheet.strip():
            changed.append(f"sheet: {self.sheet.strip()}")
        if self.columns == "ask":
            changed.append("ask for columns")
        if self.header_line.strip():
            changed.append(labels.header_line(self.header_line.strip()))
        return changed

    @rx.var
    def needs_mapping(self) -> bool:
        """Whether the mapping form is shown."""
        return bool(self.mapping.columns)

    @rx.var
    def mapping_error(self) -> str:
        """Why the file cannot be imported with this mapping."""
        return self.mapping.error() if self.needs_mapping else ""

    @rx.var
    def continuation_note(self) -> str:
        """How many rows of the sample continue the product above, and what becomes of them."""
        return self.mapping.continuation_note(self.continuation)

    @rx.event
    def open_form(self) -> None:
        """Clear the error of an earlier visit."""
        if not self.uploading:
            self._clear()

    @rx.event
    def clear_error(self) -> None:
        """Clear what was found for another file: the error, the mapping, the likely encoding, the header line."""
        self._forget_encoding()
        self._clear()
        self._forget_found_line()

    @rx.event
    def choose_mode(self, mode: str) -> None:
        """Choose which products may be created or updated."""
        self.mode = mode

    @rx.event
    def choose_duplicates(self, duplicates: str) -> None:
        """Choose which row of a repeated SKU is used."""
        self.duplicates = duplicates

    @rx.event
    def choose_blank(self, blank: str) -> None:
        """Choose what a blank cell does."""
        self.blank = blank

    @rx.event
    def choose_continuation(self, continuation: str) -> None:
        """Choose what becomes of rows that continue the product above."""
        self.continuation = continuation

    @rx.event
    def choose_scientific(self, scientific: str) -> None:
        """Choose what becomes of a SKU in scientific notation."""
        self.scientific = scientific

    @rx.event
    def choose_encoding(self, encoding: str) -> None:
        """Choose the encoding; an empty one is detected. The file may then have other columns."""
        self.encoding, self._is_encoding_of_file = encoding, False
        self._clear()

    @rx.event
    def choose_likely_encoding(self, encoding: str) -> None:
        """Choose the encoding in which the shown lines are right; they stay for another choice."""
        self.encoding, self._is_encoding_of_file = encoding, True

    @rx.event
    def choose_delimiter(self, delimiter: str) -> None:
        """Choose the delimiter; an empty one is detected. The file may then have other columns."""
        self.delimiter = delimiter
        self._clear()

    @rx.event
    def choose_sheet(self, sheet: str) -> None:
        """Choose the sheet of a workbook by its name; an empty one is the first visible sheet."""
        self.sheet = sheet
        self._clear()

    @rx.event
    def choose_columns(self, columns: str) -> None:
        """Choose whether the saved column mapping is used."""
        self.columns = columns

    @rx.event
    def choose_header_line(self, line: str) -> None:
        """Choose the line with the column names; an empty one is found. The file may then have other columns."""
        self.header_line, self._is_line_found = line, False
        self._clear()

    @rx.event
    def reset_options(self) -> None:
        """Set all options to their defaults."""
        self.mode, self.duplicates, self.blank = "upsert", "last", "clear"
        self.continuation = self.scientific = "reject"
        self.encoding, self.delimiter, self.columns, self.sheet = "", "", "remembered", ""
        self._is_encoding_of_file = False
        self._fill_header_line("")
        self.resets += 1
        self._clear()

    @rx.event
    def map_field(self, field: str, column: str) -> None:
        """Choose a column of the file for a field; none where `column` is empty."""
        self.mapping = self.mapping.choose(field, column)

    @rx.event(background=True)
    async def start_import(self, chunks: rx.UploadChunkIterator) -> list[EventSpec]:
        """Upload the file, then show its import."""
        async with self:
            self.is_dry_run = False
        return await self._upload(chunks)

    @rx.event(background=True)
    async def start_dry_run(self, chunks: rx.UploadChunkIterator) -> list[EventSpec]:
        """Upload the file, then show its dry run."""
        async with self:
            self.is_dry_run = True
        return await self._upload(chunks)

    @rx.event
    def show_upload(self, progress: dict[str, float]) -> None:
        """Show how much of the file was uploaded."""
        self.uploaded = round(progress["progress"] * 100)

    async def _upload(self, chunks: rx.UploadChunkIterator) -> list[EventSpec]:
        async with self:
            self.error, self.uploading, self.uploaded = ErrorView(), True, 0
            chosen, version = self._options(), self._version
        try:
            job = await received(chunks, parse(chosen))
        except DomainError as error:
            async with self:
                self._show_error(error, version)
            return [rx.cancel_upload(UPLOAD)]
        except OUTAGE:
            async with self:
                self.error = NO_ANSWER
            return [rx.cancel_upload(UPLOAD)]
        finally:
            async with self:
                self.uploading = False
        async with self:
            self._forget_encoding()
            self._clear()
            self._forget_found_line()
            is_still_here = self.router.url.path.rstrip("/") == routes.IMPORTS
        return [rx.clear_selected_files(UPLOAD), *_show_import(job, is_still_here)]

    def _show_error(self, error: DomainError, version: int) -> None:
        """Show an error; ask for a mapping where one can fix the header."""
        self.error, mapping = ErrorView.of(error), ColumnMapping.of(error)
        self.encodings = EncodingPreview.all_of(error) if version == self._version else []
        if self.encodings:
            self.error = replace(self.error, detail=ASK_ENCODING, tone="warning")
        if mapping.columns and version == self._version:
            self.mapping = mapping
            self.error = replace(self.error, detail=mapping.question(error), tone="warning")
        if (line := error.extra.get("header_line")) and version == self._version:
            self._fill_header_line(str(line), is_found=True)
            self.error = replace(self.error, tone="warning", hint=CONFIRM_LINE)

    def _choices(self) -> dict[str, str]:
        """Return the stored options; values from the browser's storage may be invalid."""
        stored = {
            "mode": (self.mode, labels.MODES),
            "duplicates": (self.duplicates, labels.DUPLICATES),
            "blank": (self.blank, labels.BLANKS),
            "continuation": (self.continuation, labels.CONTINUATIONS),
            "scientific": (self.scientific, labels.SCIENTIFIC),
        }
        return {name: value if value in known else next(iter(known)) for name, (value, known) in stored.items()}

    def _options(self) -> dict[str, Any]:
        """Return the options as form fields; values from the browser's storage may be invalid and are checked."""
        chosen: dict[str, Any] = {
            **self._choices(),
            "encoding": self.encoding,
            "delimiter": labels.CHARACTERS.get(self.delimiter, self.delimiter),
            "header_line": self.header_line.strip(),
            "sheet": self.sheet.strip(),
        }
        # An empty mapping, unlike None, ignores and deletes the saved one.
        columns = self.mapping.targets() or ({} if self.columns == "ask" else None)
        given = {name: value for name, value in chosen.items() if value}
        return given | {"dry_run": self.is_dry_run, "columns": columns}

    def _fill_header_line(self, line: str, is_found: bool = False) -> None:
        """Show a line in the field; the browser alone holds what is typed there."""
        self.header_line, self._is_line_found = line, is_found
        self.header_line_filling += 1

    def _forget_found_line(self) -> None:
        if self._is_line_found:
            self._fill_header_line("")

    def _forget_encoding(self) -> None:
        if self._is_encoding_of_file:
            self.encoding, self._is_encoding_of_file = "", False

    def _clear(self) -> None:
        self.error, self.mapping, self.encodings = ErrorView(), ColumnMapping(), []
        self._version += 1


def _show_import(job: ImportRead, is_still_here: bool) -> list[EventSpec]:
    """Go to the import's page, or show a toast if the person has left the upload page."""
    if is_still_here:
        return [rx.redirect(f"/imports/{job.id}")]
    return [toasts.success(f"“{job.filename}” was uploaded.", description="The import continues; see Imports.")]
