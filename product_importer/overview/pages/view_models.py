"""What the overview shows, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from product_importer.imports.pages import result_words
from product_importer.imports.pages.check.words import TITLES
from product_importer.imports.schemas import ImportRead
from product_importer.overview.numbers import Catalogue, Day, Reason
from product_importer.ui import routes
from product_importer.ui.formatting import DASH, number


@dataclass(frozen=True)
class CatalogueView:
    """How many products there are."""

    total: str = DASH
    active: str = ""
    inactive: str = ""

    @classmethod
    def of(cls, catalogue: Catalogue) -> Self:
        """Return the numbers as the page shows them."""
        about = "" if catalogue.is_exact else "about "
        return cls(
            number(catalogue.total),
            f"{about}{catalogue.total - catalogue.inactive:,} active" if catalogue.inactive else "all active",
            f"{about}{catalogue.inactive:,} inactive" if catalogue.inactive else "",
        )


@dataclass(frozen=True)
class ChartView:
    """The rows of each day, and their sums. `points` have a date and a number for each part of a bar."""

    points: list[dict[str, Any]]
    created: str = DASH
    updated: str = DASH
    rejected: str = DASH
    words: str = ""
    is_empty: bool = True

    @classmethod
    def of(cls, days: Sequence[Day]) -> Self:
        """Return the days as the chart takes them."""
        sums = {name: sum(getattr(day, name) for day in days) for name in ("created", "updated", "rejected")}
        said = ", ".join(f"{value:,} {name}" for name, value in sums.items())
        return cls(
            [
                {"day": day.day.isoformat(), "created": day.created, "updated": day.updated, "rejected": day.rejected}
                for day in days
            ],
            **{name: number(value) for name, value in sums.items()},
            words=f"Rows per day in the last {len(days)} days: {said}. {_highest(days)}",
            is_empty=not any(sums.values()),
        )


def _highest(days: Sequence[Day]) -> str:
    """Say which day had the most rows."""
    if not days:
        return ""
    most = max(days, key=_rows)
    return f"Most on {most.day.day} {most.day:%B}: {_rows(most):,}." if _rows(most) else ""


def _rows(day: Day) -> int:
    return day.created + day.updated + day.rejected


@dataclass(frozen=True)
class ReasonView:
    """Why rows were rejected, how many, and the import that shows such rows; `percent` is of the most frequent."""

    title: str = ""
    number: str = ""
    percent: float = 0.0
    address: str = ""

    @classmethod
    def all_of(cls, reasons: Sequence[Reason]) -> list[Self]:
        """Return the reasons with their bars."""
        most = max((reason.number for reason in reasons), default=1)
        return [
            cls(
                TITLES[reason.code],
                number(reason.number),
                round(100 * reason.number / most, 1),
                f"{routes.IMPORTS}/{reason.job_id}",
            )
            for reason in reasons
        ]


@dataclass(frozen=True)
class RecentView:
    """One of the newest imports."""

    id: str = ""
    filename: str = ""
    status: str = ""
    tone: str = "neutral"
    words: str = ""
    created_at: str = ""

    @classmethod
    def of(cls, job: ImportRead) -> Self:
        """Return an import as the page shows it."""
        words = result_words.result(job) if job.is_final else f"{int(job.percent)} %"
        status = "undone" if result_words.is_undone(job) else job.status
        return cls(str(job.id), job.filename, status, result_words.tone(job), words, job.created_at.isoformat())
