"""Choose the sheet of a workbook that is read, and name it in errors."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType

# Excel allows 31.
MAX_TITLE_CHARACTERS = 100
# An error or a warning names at most so many sheets.
MAX_NAMED = 20


class Choosable(Protocol):
    """A sheet as its workbook lists it."""

    @property
    def title(self) -> str:
        """Its name, of at most `MAX_TITLE_CHARACTERS`."""

    @property
    def is_visible(self) -> bool:
        """Whether a spreadsheet program shows it."""


AnySheet = TypeVar("AnySheet", bound=Choosable)


def choose_sheet(sheets: Sequence[AnySheet], wanted: str | None) -> AnySheet:
    """Return the sheet of a name, in any case; without a name the first visible one, or the first if all are hidden.

    Raises:
        Invalid: there is no sheet of that name; `unknown-sheet`.
    """
    by_visibility = sorted(sheets, key=lambda sheet: not sheet.is_visible)
    if wanted is None:
        return by_visibility[0]
    for sheet in by_visibility:
        if _folded(sheet.title) == _folded(wanted):
            return sheet
    titles = [sheet.title for sheet in sheets]
    raise _unknown(f"The workbook has no sheet “{wanted}”. It has: {named(titles)}. Choose one of them.", titles)


def refuse_sheet(wanted: str | None) -> None:
    """Refuse the name of a sheet for a file that has none.

    Raises:
        Invalid: there is a name; `unknown-sheet`.
    """
    if wanted is not None:
        raise _unknown(f"The file is no workbook, so it has no sheet “{wanted}”. Leave the name out.", [])


def named(titles: Sequence[str]) -> str:
    """Return the names of sheets for an error or a warning."""
    more = f" and {len(titles) - MAX_NAMED:,} more" if len(titles) > MAX_NAMED else ""
    return ", ".join(f"“{title}”" for title in titles[:MAX_NAMED]) + more


@contextmanager
def naming_sheet(title: str | None, other_sheets: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Name the sheet in the errors about what it holds, and the other visible sheets with data.

    `title` is None where a file is no workbook.

    Raises:
        Invalid: the very error, so that it keeps its class and what that holds; its detail and `sheets` name them.
    """
    try:
        yield
    except Invalid as error:
        if title is not None:
            others = other_sheets()
            advice = f" (others can be chosen by their names: {named(others)})" if others else ""
            error.detail = f"In the sheet “{title}”{advice}: {error.detail}"
            error.args = (error.detail,)
            error.extra = {**error.extra, "sheets": [title, *others][:MAX_NAMED]}
        raise


def _unknown(detail: str, titles: list[str]) -> Invalid:
    title = "There is no such sheet"
    return Invalid(detail, kind=ProblemType.UNKNOWN_SHEET, title=title, sheets=titles[:MAX_NAMED])


def _folded(title: str) -> str:
    return title[:MAX_TITLE_CHARACTERS].strip().casefold()
