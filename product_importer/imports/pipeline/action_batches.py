"""The products of an action, in batches of ids: chosen once, then done one by one."""

from uuid import UUID

from psycopg2.extensions import connection as PgConnection
from sqlalchemy import func, insert, literal, select, text
from sqlmodel import Session, col
from sqlmodel import delete as delete_from

from product_importer.catalog.schemas import ProductFilter
from product_importer.catalog.search import candidates, matching
from product_importer.core.settings import settings
from product_importer.imports.models import ImportActionBatch

# Otherwise all ids would be gathered at once in memory.
PLAN = text("SET LOCAL enable_hashagg = off")
COLUMNS = ("job_id", "number", "product_ids", "products", "first_number")
MARK_DONE = """
UPDATE import_action_batch SET done_at = now()
WHERE job_id = %(job_id)s AND number = %(number)s AND done_at IS NULL RETURNING products
"""
DELETE = "DELETE FROM import_action_batch WHERE job_id = %s"


def choose(session: Session, job_id: UUID, criteria: ProductFilter) -> None:
    """Store the ids of all products that match, in the order of their creation.

    Must be called first in its transaction. What an earlier worker has stored is replaced; the key of the batches
    lets only one of two workers store some.
    """
    session.connection(execution_options=candidates.TRANSACTION)
    session.execute(delete_from(ImportActionBatch).where(col(ImportActionBatch.job_id) == job_id))
    found = matching.all_ids(session, criteria).subquery()
    size = settings().batch_size
    position = (func.row_number().over(order_by=found.c.id) - 1) // size
    numbered = select(found.c.id, position.label("number")).subquery()
    batches = select(
        literal(job_id),
        numbered.c.number,
        func.array_agg(numbered.c.id),
        func.count(),
        numbered.c.number * size,
    ).group_by(numbered.c.number)
    session.execute(PLAN)
    session.execute(insert(ImportActionBatch).from_select(COLUMNS, batches))


def store_selection(session: Session, job_id: UUID, ids: list[UUID]) -> None:
    """Store products that were named by their ids, as one batch."""
    session.add(ImportActionBatch(job_id=job_id, number=0, product_ids=ids, products=len(ids), first_number=0))


def total(session: Session, job_id: UUID) -> int:
    """Return how many products were chosen."""
    chosen = select(func.coalesce(func.sum(col(ImportActionBatch.products)), 0))
    return int(session.scalar(chosen.where(col(ImportActionBatch.job_id) == job_id)) or 0)


def left(session: Session, job_id: UUID) -> list[int]:
    """Return the numbers of the batches that are not done, in order."""
    batches = select(col(ImportActionBatch.number)).where(
        col(ImportActionBatch.job_id) == job_id, col(ImportActionBatch.done_at).is_(None)
    )
    return list(session.scalars(batches.order_by(col(ImportActionBatch.number))))


def mark_done(connection: PgConnection, job_id: UUID, number: int) -> int | None:
    """Mark a batch inside the caller's transaction; return how many products it has, None if it was done already."""
    with connection.cursor() as cursor:
        cursor.execute(MARK_DONE, {"job_id": str(job_id), "number": number})
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def delete(connection: PgConnection, job_id: UUID) -> None:
    """Delete all batches; the action can then not go on."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE, (str(job_id),))
