"""Which imports are active now, read at most once in a while, however many pages ask."""

from functools import partial

from sqlmodel import Session, col, select

from product_importer.core import db
from product_importer.core.shared_reads import SharedReads
from product_importer.imports import progress
from product_importer.imports.models import ACTIVE, ImportJob, ImportStatus
from product_importer.imports.schemas import ImportRead

# How old an answer may be.
FRESH_SECONDS = 0.8
MAX_IMPORTS = 20


def find_active(session: Session) -> list[ImportRead]:
    """Return the imports that are not over: first those that a worker processes, the oldest first."""
    active = (
        select(ImportJob)
        .where(col(ImportJob.status).in_(ACTIVE))
        .order_by((col(ImportJob.status) == ImportStatus.PROCESSING).desc(), col(ImportJob.created_at))
        .limit(MAX_IMPORTS)
    )
    return [progress.live(job) for job in session.scalars(active)]


class ActiveImports:
    """The imports that are not over, for all pages of this process."""

    def __init__(self) -> None:
        self._reads = SharedReads[list[ImportRead]](FRESH_SECONDS)

    async def now(self) -> list[ImportRead]:
        """Return the active imports.

        Raises:
            OUTAGE: the database does not answer.
        """
        return await self._reads.get(None, partial(db.run, find_active))
