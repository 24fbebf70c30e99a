"""Uploads that were sent before: by accident, or by a client that did not hear the answer."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.errors import Conflict
from product_importer.core.problem_types import ProblemType
from product_importer.imports.models import ImportJob
from product_importer.imports.schemas import FINAL


def with_same_key(session: Session, job: ImportJob) -> ImportJob | None:
    """Return the import that was made with the same idempotency key, where there is one.

    Raises:
        Conflict: it was made of another file, or with other choices.
    """
    if job.idempotency_key is None:
        return None
    # Two uploads with one key that arrive together must not both find nothing.
    hashed = func.hashtext(job.idempotency_key)
    session.execute(select(func.pg_advisory_xact_lock(AdvisoryLock.IDEMPOTENCY_KEY.value, hashed)))
    earlier = session.scalar(select(ImportJob).where(ImportJob.idempotency_key == job.idempotency_key))
    if earlier is not None and (
        earlier.sha256,
        earlier.choices,
        earlier.fields,
        earlier.format,
    ) != (job.sha256, job.choices, job.fields, job.format):
        raise Conflict(
            "This Idempotency-Key was sent with another file or other choices. Use a new key for each import.",
            kind=ProblemType.IDEMPOTENCY_KEY_REUSED,
            title="The key was used already",
            job_id=str(earlier.id),
        )
    return earlier


def refuse_running(session: Session, job: ImportJob) -> None:
    """Speak against importing the same bytes with the same choices twice at once.

    Raises:
        Conflict: it is going on; `job_id` says where.
    """
    running = session.scalar(
        select(ImportJob).where(
            col(ImportJob.status).not_in(FINAL),
            col(ImportJob.sha256) == job.sha256,
            col(ImportJob.choices) == job.choices,
            col(ImportJob.fields) == job.fields,
            col(ImportJob.format) == job.format,
        )
    )
    if running is not None:
        raise Conflict(
            f"The very same file is being imported right now, as “{running.filename}”.",
            kind=ProblemType.SAME_FILE_RUNNING,
            title="This file is being imported",
            job_id=str(running.id),
        )
