"""Which imports are active now, read at most once in a while, however many pages ask."""

import asyncio
import time

from sqlmodel import Session, col, select

from product_importer.core import db
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
    """The imports that are not over, for all pages of this process: one query answers those who ask together."""

    def __init__(self) -> None:
        self._found: list[ImportRead] = []
        self._read_at = float("-inf")
        self._reading: asyncio.Task[list[ImportRead]] | None = None

    async def now(self) -> list[ImportRead]:
        """Return the active imports.

        Raises:
            OUTAGE: the database does not answer.
        """
        if time.monotonic() - self._read_at < FRESH_SECONDS:
            return self._found
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        # Who asks may be cancelled; the others still wait.
        return await asyncio.shield(self._reading)

    async def _read(self) -> list[ImportRead]:
        began = time.monotonic()
        self._found = await asyncio.to_thread(db.run, find_active)
        self._read_at = began
        return self._found
