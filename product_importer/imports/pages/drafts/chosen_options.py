"""How a draft's file is read and what its columns become: each choice is stored, and changes the preview."""

import asyncio
from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError, NotFound
from product_importer.core.outages import unavailable
from product_importer.imports.columns.named_mappings import apply_mapping
from product_importer.imports.drafts import service
from product_importer.imports.drafts.preview import preview
from product_importer.imports.drafts.schemas import DraftError, DraftPreview, Found
from product_importer.imports.options import ImportOptions, parse
from product_importer.imports.pages import labels
from product_importer.imports.pages.drafts.remembered import REMEMBERED, RememberedState, default, remember
from product_importer.imports.pages.drafts.view_models import (
    NAMED,
    NAMED_PREFIX,
    ColumnView,
    EncodingView,
    Problem,
    ReadingView,
    problem_of,
    targets,
    with_targets,
)
from product_importer.ui import toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

# A page of the table has so many columns: more would be slow.
COLUMNS_PER_PAGE = 100
# A message names so many columns.
MAX_NAMES = 8


class ChosenOptions(rx.State, mixin=True):
    """A mixin: the options of the draft with the id `_shown`, and the preview of its file with them."""

    columns: list[ColumnView] = []  # noqa: RUF012 - Reflex copies it for each tab
    list_page: int = 1
    reading: ReadingView = ReadingView()
    encodings: list[EncodingView] = []  # noqa: RUF012
    options: dict[str, str] = {}  # noqa: RUF012
    # Why the file cannot be imported as it is, and why the last choice was not possible.
    problem: Problem = Problem()
    fault: str = ""
    is_read: bool = False
    # Changes when the first open question is to be focused.
    asked: int = 0
    # Changes when text fields must show other values than those that were typed.
    filling: int = 0
    _shown: str = ""
    _options: ImportOptions = ImportOptions()
    _preview: DraftPreview = DraftPreview()
    _error: DraftError | None = None
    _is_saving: bool = False
    # Whether the preview and its problem are of older options.
    _is_outdated: bool = False

    @rx.var
    def shown_columns(self) -> list[ColumnView]:
        """The columns that are shown: usually all."""
        first = (self.list_page - 1) * COLUMNS_PER_PAGE
        return self.columns[first : first + COLUMNS_PER_PAGE]

    @rx.var
    def pages(self) -> int:
        """The number of pages of columns."""
        return max(1, -(-len(self.columns) // COLUMNS_PER_PAGE))

    @rx.var
    def changed_options(self) -> list[str]:
        """Labels of the folded options that differ from the default."""
        return labels.changed_options({name: self.options.get(name) for name in REMEMBERED if name != "continuation"})

    @rx.event
    def turn_list(self, by: int) -> None:
        """Show further columns, or those before."""
        self._turn_to(self.list_page + by)

    @rx.event
    def choose_target(self, position: int, target: str) -> EventType[()] | None:
        """Choose what a column becomes."""
        column = next((one for one in self._preview.columns if one.position == position), None)
        if column is None:
            return None
        return self._choose(position, NAMED_PREFIX + column.name if target == NAMED else target)

    @rx.event
    def name_attribute(self, position: int, name: str) -> EventType[()] | None:
        """Choose the name of the attribute that a column becomes."""
        return self._choose(position, NAMED_PREFIX + name.strip() if name.strip() else "attribute")

    @rx.event
    def choose_encoding(self, encoding: str) -> EventType[()] | None:
        """Choose the encoding; an empty one is detected."""
        return self._change(encoding=encoding or None)

    @rx.event
    def choose_delimiter(self, delimiter: str) -> EventType[()] | None:
        """Choose the delimiter by its name; an empty one is detected."""
        return self._change(delimiter=labels.CHARACTERS.get(delimiter))

    @rx.event
    def choose_sheet(self, sheet: str) -> EventType[()] | None:
        """Choose the sheet of a workbook; an empty one is the first visible sheet."""
        return self._change(sheet=sheet or None)

    @rx.event
    def choose_header_line(self, line: str) -> EventType[()] | None:
        """Choose the line with the column names; an empty one is found."""
        return self._change(header_line=line.strip() or None)

    @rx.event
    async def choose_option(self, name: str, value: str) -> EventType[()] | None:
        """Choose one of the options that the browser remembers."""
        if name not in REMEMBERED:
            return None
        remember(await self.get_state(RememberedState), name, value)
        return self._change(**{name: value})

    @rx.event
    async def reset_options(self) -> EventType[()] | None:
        """Set the folded options to their defaults."""
        folded = {name: default(name) for name in REMEMBERED if name != "continuation"}
        remembered = await self.get_state(RememberedState)
        for name, value in folded.items():
            remember(remembered, name, value)
        return self._change(**folded)

    @rx.event
    def use_mapping(self, columns: dict[str, str]) -> EventType[()] | None:
        """Give the columns of the file what a named mapping says."""
        applied = apply_mapping(columns, [column.name for column in self._preview.columns])
        self.filling += 1
        shown = ", ".join(f"“{name}”" for name in applied.missing[:MAX_NAMES])
        chosen = self._change(columns=applied.columns)
        return (
            [toasts.warning("The file has not all columns of the mapping.", f"Missing: {shown}."), chosen]
            if shown
            else chosen
        )

    @rx.event
    def forget_columns(self) -> EventType[()] | None:
        """Find again what the columns become; an empty mapping, unlike None, ignores the remembered one."""
        self.filling += 1
        return self._change(columns={})

    @rx.event(background=True)
    async def save_options(self) -> None:
        """Store the options and read the file with them, until no newer ones were chosen meanwhile."""
        async with self:
            if self._is_saving:
                return
            self._is_saving = True
        try:
            while await self._save():
                pass
        finally:
            async with self:
                self._is_saving = False

    def _choose(self, position: int, target: str) -> EventType[()] | None:
        """Choose what a column becomes; the next choice builds on this one, though the file is not read yet."""
        chosen = targets(self._preview.columns, position, target)
        if saving := self._change(columns=chosen):
            self._preview = self._preview.model_copy(update={"columns": with_targets(self._preview.columns, chosen)})
            self.columns = [ColumnView.of(column) for column in self._preview.columns]
        return saving

    def _change(self, **options: Any) -> EventType[()] | None:
        try:
            self._options = parse(self._options.model_dump() | options)
        except DomainError as error:
            self.fault = " ".join(one["message"] for one in error.extra.get("errors", ())) or error.detail
            return None
        self.fault = ""
        self._is_outdated = True
        self._show_options()
        return type(self).save_options  # type: ignore[return-value]

    async def _save(self) -> bool:
        """Store the options and show the preview; return whether that must be done again with newer ones."""
        async with self:
            shown, options = self._shown, self._options
        try:
            draft_id = parse_id(shown, "draft")
            await ask(service.change_options, draft_id, options)
            found = await asyncio.to_thread(preview, draft_id)
        except NotFound:
            # The import has started meanwhile.
            async with self:
                return shown != self._shown and self._is_outdated
        except (DomainError, *OUTAGE) as error:
            async with self:
                if (shown, options) != (self._shown, self._options):
                    return self._is_outdated
                self.fault = error.detail if isinstance(error, DomainError) else unavailable(error).detail
            return False
        async with self:
            if (shown, options) != (self._shown, self._options):
                # If another draft is shown, its options are not known yet, unless some were chosen.
                return self._is_outdated
            self._error, self._is_outdated = None, False
            self._show_preview(found)
            return False

    async def _answer(self, found: DraftPreview) -> None:
        """Let variants become products where nobody has chosen in this browser what becomes of them."""
        if found.variants and not (await self.get_state(RememberedState)).continuation:
            self._options = self._options.model_copy(update={"continuation": "fill"})
            self._show_options()

    def _show_options(self) -> None:
        given = self._options
        delimiters = {character: name for name, character in labels.CHARACTERS.items()}
        self.options = {
            **{name: getattr(given, name) for name in REMEMBERED},
            "encoding": given.encoding or "",
            "delimiter": delimiters.get(given.delimiter or "", ""),
            "sheet": given.sheet or "",
            "header_line": "" if given.header_line is None else str(given.header_line),
        }

    def _show_preview(self, found: DraftPreview) -> None:
        self._preview = found
        self.columns = [ColumnView.of(column) for column in found.columns]
        self._turn_to(self.list_page)
        self.reading = ReadingView.of(found, self._options.continuation)
        self.encodings = EncodingView.all_of(found.error) or (self.encodings if self._options.encoding else [])
        self._show_problem()

    def _ask(self) -> None:
        """Show the page of the first column that is open, and let the browser focus it."""
        is_open = (place for place, column in enumerate(self.columns) if column.found == Found.OPEN)
        if (place := next(is_open, None)) is not None:
            self._turn_to(place // COLUMNS_PER_PAGE + 1)
        self.asked += 1

    def _turn_to(self, page: int) -> None:
        self.list_page = min(max(1, page), self.pages)

    def _show_problem(self) -> None:
        self.problem = problem_of(self._error, self._preview)
