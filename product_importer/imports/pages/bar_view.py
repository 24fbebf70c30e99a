"""The view model of an import's bar: how far each of its two parts is."""

from dataclasses import dataclass
from typing import Self

from product_importer.imports.models import ImportPhase
from product_importer.imports.progress import READ_SHARE
from product_importer.imports.schemas import ImportRead

READING, WRITING, COMPARING = "Reading", "Writing", "Comparing"
# An action on products reads no file.
FINDING = "Finding"


@dataclass(frozen=True)
class BarView:
    """The percent of reading and of what follows it, each from 0 to 100; `part` names the one that is at work."""

    read: float = 0.0
    rest: float = 0.0
    # What follows the first part.
    follows: str = WRITING
    part: str = ""
    begins: str = READING

    @classmethod
    def of(cls, job: ImportRead, *, is_dry_run: bool) -> Self:
        """Return the bar of an import."""
        read = min(job.percent / READ_SHARE, 1.0) * 100
        rest = max(0.0, job.percent - READ_SHARE) / (100 - READ_SHARE) * 100
        begins = READING if job.action is None else FINDING
        follows = COMPARING if is_dry_run else WRITING
        return cls(round(read, 1), round(rest, 1), follows, _part(job, begins, follows), begins)


def _part(job: ImportRead, begins: str, follows: str) -> str:
    match job.phase:
        case ImportPhase.WAITING | ImportPhase.FINISHED:
            return ""
        case ImportPhase.READING:
            return begins
        case _:
            return follows
