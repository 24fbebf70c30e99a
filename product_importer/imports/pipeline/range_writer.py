"""Write one range of an import: read what the catalogue holds, decide, and write only the difference."""

from collections.abc import Callable
from typing import NamedTuple, Self
from uuid import UUID

import pyarrow as pa
from psycopg2 import errors
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as PgCursor

from product_importer.catalog import distributed
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.imports.error_codes import RowOutcome
from product_importer.imports.models import ImportJob
from product_importer.imports.pipeline import dry_run, outcomes, product_events, product_writes
from product_importer.imports.pipeline.cuts import KeyRange
from product_importer.imports.pipeline.decide import Decided, Decider, Picked, pick
from product_importer.imports.pipeline.held import HeldProducts
from product_importer.imports.pipeline.product_writes import Overtaken
from product_importer.imports.pipeline.row_reports import RowReports
from product_importer.imports.pipeline.run_columns import RunColumns, array_of
from product_importer.imports.schemas import ImportChoices

# Whatever the statistics say, keys are read by their index, and what changes is joined in the order of keys.
# "Delete all" takes the lock of the whole table: it comes before or after a range, never in its middle.
BEGIN = """
SET LOCAL enable_hashjoin = off; SET LOCAL enable_nestloop = off; SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; LOCK TABLE product IN ROW EXCLUSIVE MODE
"""
BESIDE_OTHERS = f"{BEGIN}; SELECT pg_advisory_xact_lock_shared({AdvisoryLock.WRITE_RANGE})"
# No import writes a range meanwhile, and no edit comes between reading and writing.
ALONE = f"{BEGIN}; SELECT pg_advisory_xact_lock({AdvisoryLock.WRITE_RANGE})"
LOCK_PRODUCTS = """
SELECT count(*) FROM (SELECT FROM product WHERE sku_key = ANY(%s) ORDER BY sku_key FOR UPDATE) AS locked
"""


class Counts(NamedTuple):
    """The rows of one range by outcome."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0


class RangeWriter:
    """Writes ranges of one import; threads may share it, each with its own connection.

    `outcomes` is the table of the dry run: of the one that is made if `is_dry_run`, else of the one that is applied.
    """

    def __init__(
        self,
        job_id: UUID,
        columns: RunColumns,
        choices: ImportChoices,
        outcomes: str | None = None,
        *,
        is_dry_run: bool = False,
        has_events: bool = False,
    ):
        self._job_id = job_id
        self._columns = columns
        self._choices = choices
        self._outcomes = outcomes
        self._is_dry_run = is_dry_run
        self._has_events = has_events
        self._decider = Decider(columns, choices)
        self._held = HeldProducts(columns)
        self._reports = RowReports(job_id, columns, choices.duplicates == "reject")

    @classmethod
    def of_job(cls, job: ImportJob, has_events: bool = False) -> Self:
        """Return the writer of an import's ranges; `has_events` is whether its products get events."""
        choices = ImportChoices.model_validate(job.choices)
        is_dry_run = choices.dry_run and job.applied_at is None
        outcomes = dry_run.name(job.id) if is_dry_run else job.preview_table
        return cls(job.id, RunColumns.of_job(job), choices, outcomes, is_dry_run=is_dry_run, has_events=has_events)

    def pick(self, rows: pa.Table) -> Picked:
        """Pick the rows of a range to write; this needs no transaction."""
        return pick(rows, self._choices.duplicates)

    def write(
        self,
        connection: PgConnection,
        key_range: KeyRange,
        picked: Picked,
        undo_table: Callable[[], str],
        is_alone: bool = False,
    ) -> Counts:
        """Write a range inside the caller's transaction, and return its counts.

        `undo_table` makes the table of what is overwritten, if there is something, and returns its name.
        With `is_alone` the transaction first waits for those that write ranges or these products, and others for it.

        Raises:
            Overtaken: a product was changed meanwhile.
            psycopg2.Error: as `is_collision` says, or PostgreSQL failed.
        """
        with connection.cursor() as cursor:
            self._begin(cursor, picked.rows["key"].to_pylist() if is_alone else None)
            decided = self._decide(cursor, picked.rows)
            created, changed = decided.of(RowOutcome.CREATED), decided.of(RowOutcome.UPDATED)
            rejected = decided.rejected()
            self._reports.store(cursor, rejected, picked)
            if self._is_dry_run:
                outcomes.note(cursor, self._outcomes or "", self._columns, decided)
            else:
                # Memory holds the rows of a range several times; these are not needed any more.
                del decided
                created = product_writes.insert(cursor, self._job_id, key_range, self._columns, created)
                changed = product_writes.update(cursor, self._columns, self._choices.blank, changed, undo_table)
                if self._has_events:
                    product_events.record(cursor, self._job_id, created, changed)
        return self._counts(picked, created.num_rows, changed.num_rows, rejected.num_rows)

    def _begin(self, cursor: PgCursor, alone_with: list[str] | None) -> None:
        """Wait for those that must not write meanwhile; with keys, for all that write their products, too."""
        if alone_with is None:
            cursor.execute(BESIDE_OTHERS)
        elif distributed.is_distributed(cursor.connection):
            cursor.execute(ALONE)
            distributed.lock(cursor)
        else:
            cursor.execute(ALONE)
            cursor.execute(LOCK_PRODUCTS, (alone_with,))

    def _decide(self, cursor: PgCursor, rows: pa.Table) -> Decided:
        keys = array_of(rows, "key")
        held = self._held.read(cursor, keys)
        seen = None
        if self._outcomes is not None and not self._is_dry_run:
            seen = outcomes.seen(cursor, self._outcomes, keys)
        return self._decider.decide(rows, held, seen)

    def _counts(self, picked: Picked, created: int, updated: int, rejected: int) -> Counts:
        lost = picked.lost.num_rows
        rejects_duplicates = self._choices.duplicates == "reject"
        return Counts(
            created,
            updated,
            unchanged=picked.rows.num_rows - created - updated - rejected,
            duplicates=0 if rejects_duplicates else lost,
            rejected=rejected + (lost if rejects_duplicates else 0),
        )


# Another transaction wrote the same products: the range is rolled back and written again.
COLLISIONS = (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure, Overtaken)


def is_collision(error: BaseException | None) -> bool:
    """Whether a range should be written again. A SKU may be taken by another transaction, but an id never is."""
    if isinstance(error, errors.UniqueViolation):
        return bool(error.diag.constraint_name != "pk_product")
    return isinstance(error, COLLISIONS)
