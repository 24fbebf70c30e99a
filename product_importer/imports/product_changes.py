"""What imports, actions and their undos have done to one product, for its history."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from psycopg2 import sql
from sqlalchemy import ColumnElement, func, or_
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from product_importer.access.principal import Principal
from product_importer.catalog.history.changes import Change, JobChanges, Subject
from product_importer.catalog.history.schemas import ChangeKind
from product_importer.catalog.last_change import Writer
from product_importer.core import db
from product_importer.core.ids import id_range
from product_importer.imports import jobs
from product_importer.imports.action_schemas import ActionKind
from product_importer.imports.models import ImportJob, ImportUndoRestored, UndoStatus
from product_importer.imports.pipeline import undo

# The tables that one statement reads. Each is locked until its end, with its index, and locks are few.
MAX_TABLES = 100
# The end of a cancelled import is the time of the request, and the batch that was under way commits after it.
SLACK = timedelta(hours=1)
# What the history tells of a job, or needs to find it.
TOLD: Any = (
    ImportJob.action,
    ImportJob.filename,
    ImportJob.started_by,
    ImportJob.created_at,
    ImportJob.started_at,
    ImportJob.finished_at,
)
# No job changes an SKU: only what an action has deleted is kept with it.
FIELDS = ("name", "description", "active", "attributes", "sku")
OVERWRITTEN = sql.SQL(
    f"SELECT {{number}}::integer, version, {', '.join(FIELDS[:-1])}, {{sku}} FROM {{table}}"
    " WHERE product_id = %(product_id)s::uuid"
)
SKU, NO_SKU = sql.SQL("sku"), sql.SQL("NULL::text")


class Overwritten(NamedTuple):
    """The version of the product that a job has overwritten or deleted, and its values."""

    job: ImportJob
    version: int
    values: dict[str, Any]


def find(session: Session, subject: Subject) -> JobChanges:
    """Return what is known of the imports that created or changed a product, and of their undos."""
    creator = session.scalar(select(ImportJob).where(col(ImportJob.id).between(*id_range(subject.id))))
    changed = [_change(subject, one) for one in _overwritten(session, subject)]
    return JobChanges(
        changes=[*changed, *_undone(session, subject)],
        created=_creation(subject, creator) if creator else None,
        removed=_removal(creator) if creator else None,
        forgotten=_forgotten_deletions(session) if subject.product is None else (),
    )


def _overwritten(session: Session, subject: Subject) -> Iterator[Overwritten]:
    candidates = _candidates(session, subject)
    for first in range(0, len(candidates), MAX_TABLES):
        among = candidates[first : first + MAX_TABLES]
        try:
            yield from _read(session, subject, among)
        except ProgrammingError:
            # One of the tables has just been dropped: the others are read one by one.
            for job in among:
                yield from _read_if_there(session, subject, job)


def _candidates(session: Session, subject: Subject) -> Sequence[ImportJob]:
    """Return the imports that keep what they overwrote, and may have written the product in its time."""
    kept: list[ColumnElement[bool]] = [
        col(ImportJob.undo_table).is_not(None),
        # There is none if the import has only created products.
        func.to_regclass(col(ImportJob.undo_table)).is_not(None),
    ]
    if subject.until is not None:
        kept.append(col(ImportJob.created_at) <= subject.until)
    if subject.product is not None and subject.product.created_at is not None:
        since = subject.product.created_at - SLACK
        kept.append(or_(col(ImportJob.finished_at).is_(None), col(ImportJob.finished_at) >= since))
    return session.scalars(select(ImportJob).where(*kept).options(load_only(*TOLD))).all()


def _read(session: Session, subject: Subject, among: Sequence[ImportJob]) -> list[Overwritten]:
    """Return what the tables of these imports have of the product.

    Raises:
        ProgrammingError: one of the tables is gone.
    """
    reads = [_reading(number, job) for number, job in enumerate(among)]
    numbers = {f"number_{number}": number for number in range(len(among))}
    # The savepoint gives the locks of the tables back when it is rolled back.
    savepoint = session.connection().begin_nested()
    statement = sql.SQL(" UNION ALL ").join(reads)
    try:
        found: Sequence[Any] = db.execute(session, statement, {"product_id": str(subject.id), **numbers}).all()
    finally:
        savepoint.rollback()
    return [
        Overwritten(among[number], version, _given(dict(zip(FIELDS, values, strict=True))))
        for number, version, *values in found
    ]


def _reading(number: int, job: ImportJob) -> sql.Composed:
    """Return the part of the statement that reads the table of one job."""
    return OVERWRITTEN.format(
        number=sql.Placeholder(f"number_{number}"),
        sku=SKU if jobs.has_deleted(job) else NO_SKU,
        table=db.identifier(undo.name(job.id)),
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _read_if_there(session: Session, subject: Subject, job: ImportJob) -> list[Overwritten]:
    try:
        return _read(session, subject, [job])
    except ProgrammingError:
        return []


def _creation(subject: Subject, job: ImportJob) -> Change:
    at = subject.product.created_at if subject.product else None
    return Change(1, ChangeKind.CREATED, at or _end(job), _by(job, job.started_by))


def _removal(job: ImportJob) -> Change | None:
    return Change(1, ChangeKind.DELETED, job.undone_at, _by(job, job.undo_by)) if job.undone_at else None


def _forgotten_deletions(session: Session) -> Sequence[datetime]:
    """Return when actions have deleted products that are not kept with them any more."""
    forgotten = select(col(ImportJob.finished_at)).where(
        col(ImportJob.action)["kind"].astext == ActionKind.DELETE,
        col(ImportJob.deleted) > 0,
        col(ImportJob.undo_table).is_(None),
        or_(col(ImportJob.undo_status).is_distinct_from(UndoStatus.UNDONE), col(ImportJob.undo_kept) > 0),
        col(ImportJob.finished_at).is_not(None),
    )
    return [moment for moment in session.scalars(forgotten) if moment is not None]


def _change(subject: Subject, one: Overwritten) -> Change:
    if jobs.has_deleted(one.job):
        by = _by(one.job, one.job.started_by)
        return Change(one.version, ChangeKind.DELETED, _end(one.job), by, before=one.values, is_whole=True)
    return _update(subject, one)


def _update(subject: Subject, one: Overwritten) -> Change:
    version, product = one.version + 1, subject.product
    is_last = product is not None and product.version == version
    at = product.updated_at if product is not None and is_last else None
    by = _by(one.job, one.job.started_by)
    return Change(version, ChangeKind.UPDATED, at or _end(one.job), by, before=one.values, is_whole=True)


def _undone(session: Session, subject: Subject) -> Iterator[Change]:
    """Yield the undos that restored the product, and what they undid: its table is gone."""
    restored = (
        select(ImportUndoRestored, ImportJob)
        .join(ImportJob, col(ImportJob.id) == col(ImportUndoRestored.job_id), isouter=True)
        .where(ImportUndoRestored.product_id == subject.id)
        .order_by(col(ImportUndoRestored.version), col(ImportUndoRestored.as_version).desc())
    )
    versions = groupby(session.execute(restored), key=lambda found: found[0].version)
    for _, rows in versions:
        # The further ones say what undos before this one had restored.
        yield from _undo_of(*next(rows))


def _undo_of(row: ImportUndoRestored, job: ImportJob | None) -> Iterable[Change]:
    assert row.restored_at is not None
    # The undo of a change overwrites the version that the change made; a deletion makes none.
    is_deletion = row.version == row.as_version + 1
    undone = Change(
        row.version,
        ChangeKind.RESTORED if is_deletion else ChangeKind.UNDONE,
        row.restored_at,
        _by(job, job.undo_by) if job else Writer(),
        before=row.overwritten,
        is_whole=True,
        as_version=row.as_version,
    )
    if job is None:
        return [undone]
    by = _by(job, job.started_by)
    if is_deletion:
        return [undone, Change(row.as_version, ChangeKind.DELETED, _end(job), by)]
    return [undone, Change(row.as_version + 1, ChangeKind.UPDATED, _end(job), by)]


def _end(job: ImportJob) -> datetime:
    moment = job.finished_at or job.started_at or job.created_at
    assert moment is not None
    return moment


def _by(job: ImportJob, who: dict[str, Any] | None) -> Writer:
    return Writer(Principal.of_stored(who).known_name, job.id, job.filename, jobs.action_kind(job))
