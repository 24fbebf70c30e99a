"""Read the overview: numbers, what needs attention, and the newest imports."""

from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from sqlmodel import Session, col, select

from product_importer.imports import progress
from product_importer.imports.models import ImportJob
from product_importer.imports.schemas import ImportRead
from product_importer.overview import attention, numbers
from product_importer.overview.attention import Item
from product_importer.overview.numbers import Numbers

RECENT = 5
UTC = "UTC"


@dataclass(frozen=True)
class Overview:
    """What the overview shows; `zone` is the time zone of its days."""

    zone: str
    numbers: Numbers
    attention: list[Item]
    recent: list[ImportRead]


def read_overview(session: Session, zone: str) -> Overview:
    """Return the overview; `zone` comes from `known_zone`."""
    return Overview(zone, numbers.read_numbers(session, zone), attention.find(session), _recent(session))


def known_zone(name: str) -> str:
    """Return a time zone by its name in the IANA database, or UTC if there is no such zone."""
    return name if name in _zones() else UTC


@cache
def _zones() -> set[str]:
    return available_timezones()


def _recent(session: Session) -> list[ImportRead]:
    newest = select(ImportJob).order_by(col(ImportJob.created_at).desc(), col(ImportJob.id).desc()).limit(RECENT)
    return [progress.live(job) for job in session.scalars(newest)]
