"""Limit how many imports may be unfinished at once; further uploads get 429."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.core import advisory_locks
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.errors import TooMany
from product_importer.core.problem_types import ProblemType
from product_importer.imports.models import ACTIVE, ImportJob

MAX_UNFINISHED = 100
RETRY_AFTER_SECONDS = 30


def admit(session: Session) -> None:
    """Let the caller's transaction add one unfinished import; until it ends, no other transaction adds one.

    Raises:
        TooMany: the limit is reached.
    """
    advisory_locks.hold(session, AdvisoryLock.ADMIT_IMPORT)
    _refuse_too_many(session)


def refuse_early(session: Session, idempotency_key: str | None = None) -> None:
    """Refuse an upload before it arrives, unless its key belongs to an earlier import: that import is the answer.

    Raises:
        TooMany: the limit is reached, so `admit` would fail.
    """
    earlier = select(ImportJob.id).where(ImportJob.idempotency_key == idempotency_key)
    if idempotency_key is None or session.scalar(earlier) is None:
        _refuse_too_many(session)


def _refuse_too_many(session: Session) -> None:
    unfinished = col(ImportJob.status).in_(ACTIVE)
    count = session.scalar(select(func.count()).select_from(ImportJob).where(unfinished)) or 0
    if count >= MAX_UNFINISHED:
        raise TooMany(
            f"{count} imports are unfinished, which is the limit. Nothing was kept or changed. "
            "Try again when some have finished.",
            kind=ProblemType.TOO_MANY_IMPORTS,
            title="Too many imports at once",
            retry_after=RETRY_AFTER_SECONDS,
        )
