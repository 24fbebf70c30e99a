"""View models of what stands above the grid: counts as filters, and problems grouped by reason."""

from dataclasses import dataclass
from typing import Self

from product_importer.imports.edits.check_schemas import CheckSummary
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.pages.check.words import FILTERS, TITLES, filter_words
from product_importer.imports.pages.result_words import counted

EDITED = "edited"


@dataclass(frozen=True)
class FilterView:
    """A count that shows its rows when it is pressed."""

    name: str = ""
    text: str = ""


@dataclass(frozen=True)
class ReasonView:
    """A problem and its rows; `column` is the one that can be set for all, empty if there is none."""

    code: str = ""
    title: str = ""
    rows: str = ""
    column: str = ""

    @classmethod
    def of(cls, summary: CheckSummary, code: RowErrorCode) -> Self:
        """Return a problem as the page shows it."""
        return cls(code, TITLES[code], counted(summary.reasons[code], "row"), summary.settable.get(code, ""))


def filters(summary: CheckSummary, chosen: str) -> list[FilterView]:
    """Return the filters that have rows, and the one that is chosen."""
    shown = [
        FilterView(state, filter_words(state, summary.states[state]))
        for state in FILTERS
        if summary.states[state] or state == chosen
    ]
    if summary.edited or chosen == EDITED:
        shown.append(FilterView(EDITED, f"{summary.edited:,} edited"))
    return shown


def reasons(summary: CheckSummary) -> list[ReasonView]:
    """Return the problems that rows have, the most frequent first."""
    found = sorted(summary.reasons, key=lambda code: -summary.reasons[code])
    return [ReasonView.of(summary, code) for code in found if summary.reasons[code] > 0]
