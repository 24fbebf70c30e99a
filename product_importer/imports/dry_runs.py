"""Show what a finished dry run would change, and prepare it to be applied or repeated."""

from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from product_importer.core.db import raw_connection
from product_importer.core.errors import Conflict
from product_importer.core.problem_types import ProblemType
from product_importer.imports import jobs
from product_importer.imports.error_codes import MERGE_CODES, ChangeOutcome
from product_importer.imports.models import ImportJob, ImportRange, ImportRowError, ImportRowPatch, ImportStatus
from product_importer.imports.pipeline import dry_run
from product_importer.imports.schemas import ChangesPage, ChangesQuery


def list_changes(session: Session, job_id: UUID, query: ChangesQuery) -> ChangesPage:
    """Return one page of what a dry run would create and update, field by field.

    Raises:
        NotFound: there is no such import.
        Conflict: it is no finished dry run.
    """
    job = jobs.find(session, job_id)
    if job.status != ImportStatus.PREVIEWED or job.preview_table is None:
        raise Conflict(f"The import is {jobs.state(job)}: it shows no changes.", kind=ProblemType.NOT_A_PREVIEW)
    counts = {ChangeOutcome.CREATED: job.created, ChangeOutcome.UPDATED: job.updated}
    return ChangesPage(
        items=dry_run.changes(raw_connection(session), job, query),
        total=counts[query.outcome] if query.outcome else sum(counts.values()),
        page=query.page,
        page_size=query.page_size,
    )


def prepare_apply(session: Session, job: ImportJob) -> None:
    """Check that a dry run can be applied as it was shown, and let the merge begin, in the same ranges.

    Raises:
        Conflict: it is no finished dry run, or products were changed since; `changed` counts them, `examples` has
            SKUs.
    """
    if job.status != ImportStatus.PREVIEWED or job.preview_table is None:
        raise Conflict(
            f"The import is {jobs.state(job)}: only a finished dry run can be applied.",
            kind=ProblemType.NOT_A_PREVIEW,
        )
    changed, examples = dry_run.outdated(raw_connection(session), job.preview_table)
    if changed:
        raise Conflict(
            f"Products changed since the dry run: {changed:,}, among them {', '.join(examples[:3])}. "
            "Repeat the dry run to see what the file would do now.",
            kind=ProblemType.PREVIEW_OUTDATED,
            title="The dry run is out of date",
            changed=changed,
            examples=examples,
        )
    if _is_edited(session, job):
        # Other rows may be good now: the file is read again. What the dry run has compared stays.
        _forget_reading(session, job)
        return
    # What the merge reports, the dry run has reported; rows that the reader rejected stay rejected.
    session.execute(
        delete(ImportRowError).where(col(ImportRowError.job_id) == job.id, col(ImportRowError.code).in_(MERGE_CODES))
    )
    session.execute(update(ImportRange).where(col(ImportRange.job_id) == job.id).values(done_at=None))
    _reset_counts(job)
    job.rejected = (job.total_rows or 0) - (job.good_rows or 0)


def prepare_repeat(session: Session, job: ImportJob) -> None:
    """Delete what a dry run has found, whole or in part: a repeated one reads and compares every row again.

    Raises:
        Conflict: a backup reads it.
    """
    if not dry_run.drop(raw_connection(session), job.id):
        raise Conflict(
            "A backup reads what the dry run has found. Repeat it when the backup is done.",
            kind=ProblemType.NOT_RETRYABLE,
        )
    _forget_reading(session, job)
    job.preview_table = None


def _is_edited(session: Session, job: ImportJob) -> bool:
    return session.scalar(select(ImportRowPatch.line).where(ImportRowPatch.job_id == job.id).limit(1)) is not None


def _forget_reading(session: Session, job: ImportJob) -> None:
    session.execute(delete(ImportRowError).where(col(ImportRowError.job_id) == job.id))
    session.execute(delete(ImportRange).where(col(ImportRange.job_id) == job.id))
    _reset_counts(job)
    job.rejected = job.rows_read = 0
    job.total_rows = job.good_rows = job.unidata = None


def _reset_counts(job: ImportJob) -> None:
    job.created = job.updated = job.unchanged = job.duplicates = 0
    job.percent, job.started_at = 0.0, None
