"""How many imports may be unfinished at once: whoever floods the queue is told to come again."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from product_importer.core import advisory_locks
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.errors import TooMany
from product_importer.core.problem_types import ProblemType
from product_importer.imports.models import ImportJob

MAX_UNFINISHED = 100
RETRY_AFTER_SECONDS = 30


def admit(session: Session) -> None:
    """Let the caller's transaction add one unfinished import; until it ends, no other adds one.

    Raises:
        TooMany: there are too many already.
    """
    advisory_locks.hold(session, AdvisoryLock.ADMIT_IMPORT)
    _refuse_too_many(session)


def foretell(session: Session, idempotency_key: str | None = None) -> None:
    """Speak against an upload before it arrives, unless one was made with the same key: that is then the answer.

    Raises:
        TooMany: as things are now it would not be admitted.
    """
    with_same_key = select(ImportJob.id).where(ImportJob.idempotency_key == idempotency_key)
    if idempotency_key is None or session.scalar(with_same_key) is None:
        _refuse_too_many(session)


def _refuse_too_many(session: Session) -> None:
    unfinished = col(ImportJob.status).in_(("pending", "processing"))
    count = session.scalar(select(func.count()).select_from(ImportJob).where(unfinished)) or 0
    if count >= MAX_UNFINISHED:
        raise TooMany(
            f"{count} imports are unfinished, and no more are taken at once. Nothing was kept or changed. "
            "Try again when some have ended.",
            kind=ProblemType.TOO_MANY_IMPORTS,
            title="Too many imports at once",
            retry_after=RETRY_AFTER_SECONDS,
        )
