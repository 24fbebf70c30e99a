"""Build the text index in bulk after changes, which is many times as fast as row by row.

The index is a log-structured merge tree of segments (O'Neil et al., 1996). Changes become a new segment, which
absorbs older ones that are not much larger. So there are few segments, and each row is indexed a few times only.
Outdated entries stay in their segment until then, because searches check every candidate in the product table.
"""

import logging

from psycopg2 import sql
from sqlalchemy import func, text
from sqlmodel import Session, select

from product_importer.catalog.models import (
    SEGMENT_PREFIX,
    SKU_PART,
    product_change,
    product_count,
    search_segment,
)
from product_importer.core import advisory_locks, db
from product_importer.core.advisory_locks import AdvisoryLock

log = logging.getLogger(__name__)

# Fewer changes than this cost each search a millisecond or two.
MIN_CHANGES = 1_000
# A segment is absorbed if it has at most this many times the rows of the new one.
MAX_GROWTH = 2
# Up to this share of the catalogue is looked up product by product; for more, the whole table is read.
MAX_LOOKUP_SHARE = 0.05
# Longer than any query may run, so that none uses a segment that is dropped.
RETIRED_FOR = "interval '1 minute'"

# No request waits for these statements.
NO_TIMEOUT = text("SET LOCAL statement_timeout = 0")

# In lower case, so that candidates are compared without folding each text again. In the order of SKUs, so that those
# with a common part are on few pages.
FILL = sql.SQL("""
CREATE TABLE {segment} AS
SELECT id AS product_id, lower(sku) AS sku, lower(name) AS name, lower(description) AS description
FROM product WHERE id IN (
    SELECT unnest(product_ids) FROM product_change {absorbed}
) ORDER BY sku_key
""")
ABSORBED = sql.SQL("UNION SELECT product_id FROM {segment}")
COUNT = sql.SQL("SELECT count(*) FROM {segment}")
DROP = sql.SQL("DROP TABLE IF EXISTS {segment}")
INDEXES = (
    sql.SQL(
        "CREATE INDEX ON {segment} USING gin (sku gin_trgm_ops, name gin_trgm_ops, description gin_trgm_ops)"
        " WITH (fastupdate = off)"
    ),
    # Byte order is the fastest to sort.
    sql.SQL(
        f'CREATE INDEX ON {{segment}} USING gin (product_sku_parts(sku, {SKU_PART}) COLLATE "C")'
        " WITH (fastupdate = off)"
    ),
)


def collect(session: Session) -> bool:
    """Move at least `MIN_CHANGES` changes into a new segment; return whether there were so many.

    It takes about a second for 500,000 rows, in one snapshot: later changes stay in `product_change`. Searches read
    the segment after the commit, slowly until `build` has indexed it. Must be called first in its transaction.
    """
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    if not advisory_locks.try_to_hold(session, AdvisoryLock.INDEX_CATALOGUE):
        return False
    session.execute(NO_TIMEOUT)
    _drop_retired(session)
    changes = int(session.scalar(select(func.sum(product_change.c.number))) or 0)
    if changes < MIN_CHANGES:
        return False
    absorbed = _segments_to_absorb(session, changes)
    size = int(session.scalar(select(func.sum(product_count.c.delta))) or 0)
    if changes > size * MAX_LOOKUP_SHARE:
        # The planner does not know how long the arrays are, and would look up every product.
        session.execute(text("SET LOCAL enable_nestloop = off"))
    _fill(session, absorbed)
    retired = search_segment.update().where(search_segment.c.id.in_(absorbed))
    session.execute(retired.values(retired_at=func.now()))
    # In this snapshot these are exactly the changes that the segment has.
    session.execute(product_change.delete())
    _compact_count(session)
    return True


def clean_up() -> None:
    """Free the space of collected changes, which every search would read otherwise."""
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM product_change"))
        connection.execute(text("VACUUM product_count"))


def build(session: Session) -> bool:
    """Index one segment that has no indexes yet; return whether there was one.

    It takes about half a minute for 500,000 rows. Writes and searches do not wait for it. If the process is killed,
    the segment stays as it was.
    """
    if not advisory_locks.try_to_hold(session, AdvisoryLock.INDEX_CATALOGUE):
        return False
    unindexed = select(search_segment.c.id, search_segment.c.rows).where(
        search_segment.c.retired_at.is_(None), search_segment.c.is_indexed.is_(False)
    )
    found = session.execute(unindexed.order_by(search_segment.c.rows).limit(1)).first()
    if found is None:
        return False
    session.execute(NO_TIMEOUT)
    session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    for index in INDEXES:
        db.execute(session, index.format(segment=_table(found.id)))
    session.execute(search_segment.update().where(search_segment.c.id == found.id).values(is_indexed=True))
    log.info("the text index has caught up with %s changes", f"{found.rows:,}")
    return True


def _segments_to_absorb(session: Session, changes: int) -> list[int]:
    """Return the segments that the new one absorbs: the smallest first, while they are not much larger than it."""
    current = select(search_segment.c.id, search_segment.c.rows).where(search_segment.c.retired_at.is_(None))
    absorbed, rows = [], changes
    for segment, size in session.execute(current.order_by(search_segment.c.rows)):
        if size > MAX_GROWTH * rows:
            break
        absorbed.append(segment)
        rows += size
    return absorbed


def _fill(session: Session, absorbed: list[int]) -> None:
    added = search_segment.insert().values(rows=0, is_indexed=False).returning(search_segment.c.id)
    segment = session.execute(added).scalar_one()
    others = sql.SQL(" ").join(ABSORBED.format(segment=_table(number)) for number in absorbed)
    db.execute(session, FILL.format(segment=_table(segment), absorbed=others))
    rows = db.execute(session, COUNT.format(segment=_table(segment))).scalar_one()
    session.execute(search_segment.update().where(search_segment.c.id == segment).values(rows=rows))


def _drop_retired(session: Session) -> None:
    long_ago = search_segment.c.retired_at < func.now() - text(RETIRED_FOR)
    for segment in session.scalars(select(search_segment.c.id).where(long_ago)).all():
        db.execute(session, DROP.format(segment=_table(segment)))
        session.execute(search_segment.delete().where(search_segment.c.id == segment))


def _table(segment: int) -> sql.Composable:
    return db.identifier(f"{SEGMENT_PREFIX}{segment}")


def _compact_count(session: Session) -> None:
    """Replace the rows of the count by one."""
    total = session.scalar(select(func.coalesce(func.sum(product_count.c.delta), 0)))
    session.execute(product_count.delete())
    session.execute(product_count.insert().values(delta=total))
