"""The text index catches up behind whoever writes: built apart in bulk, many times as fast as row by row.

It is a log-structured merge of segments (O'Neil et al., 1996). What has changed becomes a new segment, which
takes in the older ones that are not much larger; so there are few, and each row is indexed anew a few times only.
A product's entry in an older segment stays until then: a search checks every product that it is led to.
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

# Fewer changes than this are read through by every search in a millisecond or two.
MIN_CHANGES = 1_000
# A segment is taken into the new one when it has at most so many times its rows.
GROWTH = 2
# Up to this share of the catalogue is looked up product by product; of more, the whole table is read.
LOOKED_UP_SHARE = 0.05
# No query runs longer than its timeout, so none uses a segment that was retired before that.
RETIRED_FOR = "interval '1 minute'"

# Nobody waits for it.
NO_TIMEOUT = text("SET LOCAL statement_timeout = 0")

# In lower case, so that what the index proposes is compared without folding the case of each text again. In the order
# of SKUs: what has a part of its SKU in common lies on few pages.
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
    # In byte order, which is the quickest to sort.
    sql.SQL(
        f'CREATE INDEX ON {{segment}} USING gin (product_sku_parts(sku, {SKU_PART}) COLLATE "C")'
        " WITH (fastupdate = off)"
    ),
)


def collect(session: Session) -> bool:
    """Move what has changed into a new segment, if that is worth one; return whether it was.

    It takes about a second for 500,000 rows, in one snapshot: what is written meanwhile stays in `product_change`.
    From its commit on, searches read the segment, if slowly. Must be called first in its transaction.
    """
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    if not advisory_locks.try_to_hold(session, AdvisoryLock.INDEX_CATALOGUE):
        return False
    session.execute(NO_TIMEOUT)
    _drop_retired(session)
    changes = int(session.scalar(select(func.sum(product_change.c.number))) or 0)
    if changes < MIN_CHANGES:
        return False
    absorbed = _absorbed(session, changes)
    size = int(session.scalar(select(func.sum(product_count.c.delta))) or 0)
    if changes > size * LOOKED_UP_SHARE:
        # The planner cannot tell how long an array is, and would look every product up.
        session.execute(text("SET LOCAL enable_nestloop = off"))
    _fill(session, absorbed)
    retired = search_segment.update().where(search_segment.c.id.in_(absorbed))
    session.execute(retired.values(retired_at=func.now()))
    # In this snapshot these are exactly the changes that the segment has seen.
    session.execute(product_change.delete())
    _sum_up(session)
    return True


def clean_up() -> None:
    """Give back the room of changes that have been collected; until then every search reads over it."""
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM product_change"))
        connection.execute(text("VACUUM product_count"))


def build(session: Session) -> bool:
    """Index one segment that has no index yet; return whether there was one.

    It takes about half a minute for 500,000 rows. Products and searches do not wait for it, and a process that is
    killed meanwhile leaves the segment as it was.
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


def _absorbed(session: Session, changes: int) -> list[int]:
    """Return the segments that the new one takes in: the smallest first, as long as they are of its size."""
    current = select(search_segment.c.id, search_segment.c.rows).where(search_segment.c.retired_at.is_(None))
    absorbed, rows = [], changes
    for segment, size in session.execute(current.order_by(search_segment.c.rows)):
        if size > GROWTH * rows:
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


def _sum_up(session: Session) -> None:
    """Replace the many lines of the count by one."""
    total = session.scalar(select(func.coalesce(func.sum(product_count.c.delta), 0)))
    session.execute(product_count.delete())
    session.execute(product_count.insert().values(delta=total))
