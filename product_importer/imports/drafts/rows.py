"""Find drafts' rows, add new ones within limits, and delete them with their files."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, or_, select

from product_importer.access import principal
from product_importer.core import advisory_locks
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.errors import NotFound, TooMany
from product_importer.core.problem_types import ProblemType
from product_importer.imports import stored_files
from product_importer.imports.draft_models import ImportDraft
from product_importer.imports.drafts.schemas import DraftError, DraftRead, DraftStatus
from product_importer.imports.options import ImportOptions

MAX_DRAFTS = 100
KEPT_HOURS = 24
# An upload of which nothing has arrived for so long has broken off: its web process may have been killed.
STALLED_SECONDS = 60
RETRY_AFTER_SECONDS = 60


def find(session: Session, draft_id: UUID) -> ImportDraft:
    """Return a draft's row.

    Raises:
        NotFound: there is no such draft.
    """
    return _existing(session.get(ImportDraft, draft_id), draft_id)


def lock(session: Session, draft_id: UUID) -> ImportDraft:
    """Return a draft's row, locked for a change.

    Raises:
        NotFound: there is no such draft.
    """
    locked = session.get(ImportDraft, draft_id, with_for_update=True, populate_existing=True)
    return _existing(locked, draft_id)


def newest(session: Session) -> list[ImportDraft]:
    """Return all drafts, newest first, without the beginnings of their files."""
    # SQLModel types columns as values.
    head: ColumnElement[bytes] = col(ImportDraft.head)  # type: ignore[assignment]
    drafts = select(ImportDraft).options(defer(head)).order_by(col(ImportDraft.created_at).desc())  # type: ignore[arg-type]
    return list(session.scalars(drafts))


def add(session: Session, draft: ImportDraft) -> ImportDraft:
    """Add a draft; where there are `MAX_DRAFTS`, the oldest one without a file gives way.

    Raises:
        TooMany: all of them have a file.
    """
    advisory_locks.hold(session, AdvisoryLock.ADMIT_DRAFT)
    count = session.scalar(select(func.count()).select_from(ImportDraft)) or 0
    if count >= MAX_DRAFTS:
        _make_room(session)
    draft.started_by = principal.current().stored()
    session.add(draft)
    session.flush()
    session.refresh(draft)
    return draft


def delete(session: Session, draft: ImportDraft) -> None:
    """Delete a draft, and its file unless others need it."""
    session.delete(draft)
    session.flush()
    if draft.storage_key is not None:
        stored_files.delete_unless_needed(session, draft.storage_key, without=draft.id)


def is_broken(session: Session, draft: ImportDraft) -> bool:
    """Whether a draft's upload has broken off, even if nobody was left to say so."""
    if draft.status != DraftStatus.RECEIVING:
        return draft.status == DraftStatus.BROKEN
    return session.scalar(select(ImportDraft.id).where(ImportDraft.id == draft.id, _has_stalled())) is not None


def shown(session: Session, draft: ImportDraft) -> DraftRead:
    """Return a draft as pages show it."""
    return DraftRead(
        id=draft.id,
        filename=draft.filename,
        status=DraftStatus.BROKEN if is_broken(session, draft) else DraftStatus(draft.status),
        size_bytes=draft.size_bytes,
        expected_bytes=draft.expected_bytes,
        options=ImportOptions.model_validate(draft.options),
        will_start=draft.will_start,
        error=None if draft.error is None else DraftError.model_validate(draft.error),
        created_at=draft.created_at,
    )


def now(session: Session) -> datetime:
    """Return the time of the transaction's start."""
    return session.scalars(select(func.now())).one()


def delete_expired(session: Session) -> int:
    """Delete the drafts in which nothing has happened for `KEPT_HOURS`, and return their number."""
    before = func.now() - timedelta(hours=KEPT_HOURS)
    expired = select(ImportDraft).where(col(ImportDraft.updated_at) < before).with_for_update(skip_locked=True)
    drafts = list(session.scalars(expired))
    for draft in drafts:
        delete(session, draft)
    return len(drafts)


def _has_stalled() -> ColumnElement[bool]:
    last: ColumnElement[datetime] = func.now() - timedelta(seconds=STALLED_SECONDS)
    return (col(ImportDraft.status) == DraftStatus.RECEIVING) & (col(ImportDraft.updated_at) < last)


def _make_room(session: Session) -> None:
    useless = (
        select(ImportDraft)
        .where(or_(col(ImportDraft.storage_key).is_(None), _has_stalled()))
        .order_by(col(ImportDraft.updated_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    oldest = session.scalar(useless)
    if oldest is None:
        raise TooMany(
            f"{MAX_DRAFTS} chosen files wait for their import to start, which is the limit. Start or discard one of "
            "them, then choose this file again.",
            kind=ProblemType.TOO_MANY_IMPORTS,
            title="Too many files wait",
            retry_after=RETRY_AFTER_SECONDS,
        )
    delete(session, oldest)


def _existing(draft: ImportDraft | None, draft_id: UUID) -> ImportDraft:
    if draft is None:
        raise NotFound(f"There is no draft of an import {draft_id}. Drafts are deleted after {KEPT_HOURS} hours.")
    return draft
