"""Build the text index after changes, in bulk and in steps of bounded size.

The index is a log-structured merge tree of segments (O'Neil et al., 1996). Changes become new segments, which absorb
older ones that are not much larger. So there are few segments, and each row is indexed a few times only. Outdated
entries stay in their segment until it is absorbed or renewed, because searches check every candidate in the product
table. Each step is one transaction: a killed process leaves nothing behind and loses nothing.
"""

import logging
from typing import Any

from psycopg2 import sql
from sqlalchemy import func, or_, text
from sqlmodel import Session, select

from product_importer.catalog import distributed
from product_importer.catalog.models import (
    SEGMENT_PREFIX,
    product_change,
    product_count,
    search_segment,
)
from product_importer.catalog.search import short_terms, statements
from product_importer.core import advisory_locks, db
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.dropping import drop_unread

log = logging.getLogger(__name__)

# Fewer changes than this cost each search a millisecond or two.
MIN_CHANGES = 1_000
# The rows of a step, which takes about five seconds: this many, or this share of a large catalogue, because each
# segment costs a search half a millisecond.
STEP_ROWS = 100_000
STEP_SHARE = 1 / 16
# A segment is absorbed if it has at most this many times the rows of the new one.
MAX_GROWTH = 2
# If the segments have more than this many times the rows of the catalogue, the oldest is renewed.
MAX_OUTDATED = 1.5
# Up to this share of the catalogue is looked up product by product; for more, the whole table is read.
MAX_LOOKUP_SHARE = 0.05
# Longer than any query may run, so that none uses a segment that is dropped.
RETIRED_FOR = "interval '1 minute'"

# No request waits for these statements.
NO_TIMEOUT = text("SET LOCAL statement_timeout = 0")
# The other cores are for searches and imports.
ONE_CORE = text("SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL max_parallel_maintenance_workers = 0")
# The planner does not know how many ids there are, and would look up every product.
NO_LOOKUPS = text("SET LOCAL enable_nestloop = off")

CURRENT = search_segment.c.retired_at.is_(None)
SEGMENTS = search_segment.select().where(CURRENT)
# The indexes of attributes are missing where a process of an earlier version has built the others.
LACKS_INDEX = or_(search_segment.c.is_indexed.is_(False), search_segment.c.attributes_indexed.is_(False))
UNINDEXED = SEGMENTS.where(LACKS_INDEX).order_by(search_segment.c.rows).limit(1)


def collect(session: Session) -> int:
    """Move the oldest changes, about one step of them, into a new segment; return how many.

    Fewer than `MIN_CHANGES` stay where they are. It takes about 0.4 s for 100,000 rows, in one snapshot: later
    changes stay in `product_change`. Searches read the segment after the commit, as a whole until `build` has indexed
    it. Must be called first in its transaction.
    """
    if not _begin(session):
        return 0
    _drop_retired(session)
    if int(session.scalar(select(func.sum(product_change.c.number))) or 0) < MIN_CHANGES:
        return 0
    size = _catalogue_size(session)
    last, changes = _oldest_changes(session, _step_rows(size))
    distributed.wait_for_writers(session)
    absorbed = _segments_to_absorb(session, changes, size)
    if changes > size * MAX_LOOKUP_SHARE:
        session.execute(NO_LOOKUPS)
    contents = [statements.CONTENT.format(segment=_table(number)) for number in absorbed]
    _fill(session, sql.SQL(" UNION ").join([statements.CHANGED, *contents]), last=last)
    _retire(session, absorbed)
    # In this snapshot these are exactly the changes that the segment has.
    session.execute(product_change.delete().where(product_change.c.id <= last))
    _compact_count(session)
    return changes


def backlog(session: Session) -> dict[str, int]:
    """Return how many changes no segment has yet, and how many rows of segments have no index yet."""
    unindexed = select(func.sum(search_segment.c.rows)).where(CURRENT, LACKS_INDEX)
    found = {"changed": select(func.sum(product_change.c.number)), "unindexed": unindexed}
    return {state: int(session.scalar(query) or 0) for state, query in found.items()}


def clean_up() -> None:
    """Free the space of collected changes, which every search would read otherwise."""
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM product_change"))
        connection.execute(text("VACUUM product_count"))


def build(session: Session) -> bool:
    """Index one segment that has no indexes yet; return whether there was one.

    It takes about five seconds for 100,000 rows. Writes and searches do not wait for it. If the process is killed,
    the segment stays as it was.
    """
    if not advisory_locks.try_to_hold(session, AdvisoryLock.INDEX_CATALOGUE):
        return False
    found = session.execute(UNINDEXED).first()
    if found is None:
        return False
    session.execute(NO_TIMEOUT)
    session.execute(ONE_CORE)
    segment = _table(found.id)
    for index in () if found.is_indexed else statements.INDEXES:
        db.execute(session, index.format(segment=segment))
    has_attributes = found.attributes_indexed is not None
    values: dict[str, Any] = {"is_indexed": True, "letters": short_terms.letters(session, found.id, has_attributes)}
    if has_attributes:
        db.execute(session, statements.ATTRIBUTE_INDEX.format(segment=segment))
        names = db.execute(session, statements.ATTRIBUTE_NAMES.format(segment=segment)).scalar_one()
        values |= {"attributes_indexed": True, "attribute_names": names or []}
    session.execute(search_segment.update().where(search_segment.c.id == found.id).values(values))
    log.info("the text index has caught up with %s changes", f"{found.rows:,}")
    return True


def renew(session: Session) -> bool:
    """Write a segment anew, without what newer ones have; return whether one was.

    It is the oldest that has no attributes, because an earlier version wrote it; or the oldest, if too much is
    outdated. Its rows are read slowly until `build` has indexed them. Must be called first in its transaction.
    """
    if not _begin(session):
        return False
    segments = session.execute(SEGMENTS).all()
    renewed = min((segment.id for segment in segments if segment.attributes_indexed is None), default=None)
    if renewed is None and _are_outdated(session, sum(segment.rows for segment in segments)):
        renewed = min(segment.id for segment in segments)
    if renewed is None:
        return False
    newer = sorted(segment.id for segment in segments if segment.id > renewed)
    without = sql.SQL(" ").join(statements.WITHOUT.format(segment=_table(number)) for number in newer)
    session.execute(NO_LOOKUPS)
    _fill(session, statements.CONTENT.format(segment=_table(renewed)), without)
    _retire(session, [renewed])
    return True


def _are_outdated(session: Session, rows: int) -> bool:
    """Whether segments of so many rows have too many outdated ones."""
    size = _catalogue_size(session)
    return rows > MAX_OUTDATED * size + _step_rows(size)


def _begin(session: Session) -> bool:
    """Work in one snapshot and as the only one; return whether nobody else does."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    if not advisory_locks.try_to_hold(session, AdvisoryLock.INDEX_CATALOGUE):
        return False
    session.execute(NO_TIMEOUT)
    return True


def _catalogue_size(session: Session) -> int:
    return int(session.scalar(select(func.sum(product_count.c.delta))) or 0)


def _step_rows(size: int) -> int:
    return max(STEP_ROWS, int(size * STEP_SHARE))


def _oldest_changes(session: Session, limit: int) -> tuple[int, int]:
    """Return the number of the last statement of the oldest that have about `limit` changes, and how many they have.

    If others are left, it is at least half of `limit`; it is at most one and a half, or one statement.
    """
    before = func.sum(product_change.c.number).over(order_by=product_change.c.id) - product_change.c.number
    statements = select(product_change.c.id, product_change.c.number, before.label("before")).subquery()
    fits = (statements.c.before == 0) | (statements.c.before + statements.c.number <= 1.5 * limit)
    taken = select(func.max(statements.c.id), func.sum(statements.c.number)).where(statements.c.before < limit, fits)
    last, changes = session.execute(taken).one()
    return last, changes


def _segments_to_absorb(session: Session, changes: int, size: int) -> list[int]:
    """Return the segments that the new one absorbs: the smallest first, while they are not much larger than it."""
    current = select(search_segment.c.id, search_segment.c.rows).where(CURRENT)
    absorbed, rows = [], changes
    for segment, held in session.execute(current.order_by(search_segment.c.rows)):
        if held > MAX_GROWTH * rows or rows + held > _step_rows(size):
            break
        absorbed.append(segment)
        rows += held
    return absorbed


def _fill(
    session: Session, ids: sql.Composable, without: sql.Composable = statements.NOTHING, **parameters: int
) -> None:
    """Write the products with these ids into a new segment."""
    added = search_segment.insert().values(rows=0, is_indexed=False, attributes_indexed=False)
    segment = session.execute(added.returning(search_segment.c.id)).scalar_one()
    db.execute(session, statements.FILL.format(segment=_table(segment), ids=ids, without=without), parameters)
    rows = db.execute(session, statements.COUNT.format(segment=_table(segment))).scalar_one()
    session.execute(search_segment.update().where(search_segment.c.id == segment).values(rows=rows))
    if not rows:
        _retire(session, [segment])


def _retire(session: Session, segments: list[int]) -> None:
    retired = search_segment.update().where(search_segment.c.id.in_(segments))
    session.execute(retired.values(retired_at=func.now()))


def _drop_retired(session: Session) -> None:
    """Drop retired segments, the oldest first; where a backup reads one, it and the others wait for a later step."""
    long_ago = search_segment.c.retired_at < func.now() - text(RETIRED_FOR)
    for segment in session.scalars(select(search_segment.c.id).where(long_ago).order_by(search_segment.c.id)).all():
        if not drop_unread(db.raw_connection(session), f"{SEGMENT_PREFIX}{segment}"):
            return
        session.execute(search_segment.delete().where(search_segment.c.id == segment))


def _table(segment: int) -> sql.Composable:
    return db.identifier(f"{SEGMENT_PREFIX}{segment}")


def _compact_count(session: Session) -> None:
    """Replace the rows of the count by one."""
    total = session.scalar(select(func.coalesce(func.sum(product_count.c.delta), 0)))
    session.execute(product_count.delete())
    session.execute(product_count.insert().values(delta=total))
