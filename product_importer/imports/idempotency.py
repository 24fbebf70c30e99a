"""Recognise uploads that were sent before: by accident, or by a client that got no answer."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.errors import Conflict
from product_importer.core.problem_types import ProblemType
from product_importer.imports.models import FINAL, ImportJob


def find_by_key(session: Session, job: ImportJob) -> ImportJob | None:
    """Return the earlier import with the same idempotency key, or None.

    Raises:
        Conflict: that import has another file or other options.
    """
    if job.idempotency_key is None:
        return None
    # Of two uploads that arrive together with one key, only one may find nothing.
    session.execute(
        select(func.pg_advisory_xact_lock(AdvisoryLock.IDEMPOTENCY_KEY.value, func.hashtext(job.idempotency_key)))
    )
    earlier = session.scalar(select(ImportJob).where(ImportJob.idempotency_key == job.idempotency_key))
    if earlier is not None and (
        earlier.sha256,
        earlier.choices,
        earlier.fields,
        earlier.format,
    ) != (job.sha256, job.choices, job.fields, job.format):
        raise Conflict(
            "This Idempotency-Key was sent with another file or other options. Use a new key for each import.",
            kind=ProblemType.IDEMPOTENCY_KEY_REUSED,
            title="The key was used already",
            job_id=str(earlier.id),
        )
    return earlier


def refuse_running(session: Session, job: ImportJob) -> None:
    """Refuse to import the same bytes with the same options twice at once.

    Raises:
        Conflict: such an import is unfinished; `job_id` in its `extra` says which.
    """
    running = session.scalar(
        select(ImportJob).where(
            col(ImportJob.status).not_in(FINAL),
            # One of rejected rows imports few of the file.
            col(ImportJob.parent_id).is_(None),
            col(ImportJob.sha256) == job.sha256,
            col(ImportJob.choices) == job.choices,
            col(ImportJob.fields) == job.fields,
            col(ImportJob.format) == job.format,
        )
    )
    if running is not None:
        raise Conflict(
            f"The same file is being imported right now, as “{running.filename}”.",
            kind=ProblemType.SAME_FILE_RUNNING,
            title="This file is being imported",
            job_id=str(running.id),
        )
