"""Put together what changed a product, newest first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from product_importer.catalog.history import recorded
from product_importer.catalog.history.changes import JOB_FINDERS, Change, JobChanges, Subject
from product_importer.catalog.history.schemas import ChangedField, ChangeKind, HistoryEntry, HistoryPage
from product_importer.catalog.history.states import UNKNOWN, State, walk
from product_importer.catalog.last_change import Writer
from product_importer.catalog.models import Product
from product_importer.catalog.record import values
from product_importer.core.errors import NotFound
from product_importer.core.pagination import PageQuery

# How many changes before a page are read for the values that the first one on it has left.
LOOK_BACK = 200


def list_history(session: Session, product_id: UUID, query: PageQuery) -> HistoryPage:
    """Return a page of what changed a product, newest first; also of a deleted one, as long as the record has it.

    Raises:
        NotFound: nothing is known of such a product.
    """
    items, total = _read(session, product_id, query.offset, query.page_size)
    return HistoryPage(
        items=items,
        total=total,
        total_is_exact=total < recorded.MAX_ENTRIES,
        page=query.page,
        page_size=query.page_size,
    )


def list_newest(session: Session, product_id: UUID, most: int) -> tuple[list[HistoryEntry], int]:
    """Return the newest changes of a product, and how many there are in all.

    Raises:
        NotFound: nothing is known of such a product.
    """
    return _read(session, product_id, 0, most)


def _read(session: Session, product_id: UUID, first: int, most: int) -> tuple[list[HistoryEntry], int]:
    product = session.get(Product, product_id)
    changes = _changes(session, product_id, product)
    if not changes:
        raise NotFound(f"There is no product {product_id}.")
    start = max(0, first - LOOK_BACK)
    window = recorded.with_values(session, changes[start : first + most])
    newest = State.of(values(product)) if product is not None and start == 0 else UNKNOWN
    walked = walk(window, newest, window[0].version if window else 0)
    items = [_entry(*pair) for pair in zip(window, walked, strict=True)]
    return items[first - start :], len(changes)


def _changes(session: Session, product_id: UUID, product: Product | None) -> list[Change]:
    """Return all that is known, newest first, one change for each version and at most one deletion of it."""
    by_hand = recorded.find(session, product_id)
    subject = Subject(product_id, product, _last_change(product, by_hand))
    by_jobs = [find(session, subject) for find in JOB_FINDERS]
    # What comes first wins: the record knows more than a job.
    known: dict[Any, Change] = {}
    for change in [*by_hand, *(change for jobs in by_jobs for change in jobs.changes)]:
        known.setdefault(change.order, change)
    if not known and product is None:
        return []
    for change in _ends(session, product, list(known.values()), by_jobs):
        known.setdefault(change.order, change)
    return list(_in_time(sorted(known.values(), key=lambda change: change.order, reverse=True)))


def _last_change(product: Product | None, by_hand: Sequence[Change]) -> datetime | None:
    """Return when the product was changed last; None if that is not known, because a job may have deleted it."""
    if product is not None:
        return product.updated_at
    return by_hand[0].at if by_hand and by_hand[0].kind == ChangeKind.DELETED else None


def _ends(
    session: Session, product: Product | None, known: Sequence[Change], by_jobs: Iterable[JobChanges]
) -> Iterator[Change]:
    """Yield how it was created; then that it has changed, or is gone, where nothing else says so."""
    yield from (jobs.created for jobs in by_jobs if jobs.created)
    if product is None:
        yield from _disappearance(session, max(known, key=lambda change: change.order), by_jobs)
        return
    assert product.created_at and product.updated_at
    yield Change(1, ChangeKind.CREATED, product.created_at, Writer())
    yield Change(product.version, ChangeKind.UPDATED, product.updated_at, Writer())


def _disappearance(session: Session, last: Change, by_jobs: Iterable[JobChanges]) -> Iterator[Change]:
    """Yield how a product went that nobody deleted by itself: with all others, or by an undo of what created it."""
    if last.kind == ChangeKind.DELETED:
        return
    removed = [replace(jobs.removed, version=last.version) for jobs in by_jobs if jobs.removed]
    with_all = recorded.deletion_of_all(session, last.at, last.version)
    found = [change for change in (*removed, with_all) if change is not None and change.at >= last.at]
    first = min(found, key=lambda change: change.at, default=None)
    forgotten = [moment for jobs in by_jobs for moment in jobs.forgotten]
    if first is not None and not any(last.at <= moment <= first.at for moment in forgotten):
        yield first


def _in_time(changes: Iterable[Change]) -> Iterator[Change]:
    """Yield the changes, newest first, none of them later than the one after it: of jobs only their end is known."""
    latest: datetime | None = None
    for change in changes:
        latest = change.at if latest is None else min(latest, change.at)
        yield replace(change, at=latest)


def _entry(change: Change, differences: list[ChangedField] | None) -> HistoryEntry:
    return HistoryEntry(
        at=change.at,
        kind=change.kind,
        version=change.version,
        by=change.by.name,
        job_id=change.by.job_id,
        filename=change.by.filename,
        action=change.by.action,
        changes=differences,
    )
