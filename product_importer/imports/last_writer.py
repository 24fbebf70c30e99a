"""Find the import or action that has written the present version of a product."""

from datetime import timedelta
from uuid import UUID

from psycopg2 import sql
from sqlalchemy import or_
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, col, select

from product_importer.access.principal import Principal
from product_importer.catalog.last_change import Writer
from product_importer.catalog.models import Product
from product_importer.core import db
from product_importer.core.ids import id_range
from product_importer.imports import jobs
from product_importer.imports.models import ImportJob
from product_importer.imports.pipeline import undo

HAS_OVERWRITTEN = sql.SQL(
    "SELECT EXISTS (SELECT FROM {table} WHERE product_id = %(product_id)s::uuid AND version = %(version)s)"
)
# The end of a cancelled import is the time of the request, and the batch that was under way commits after it.
SLACK = timedelta(hours=1)
MAX_CANDIDATES = 20


def find(session: Session, product: Product) -> Writer | None:
    """Return which import has written this version of a product; None if none has, or it cannot be told any more.

    Which import has overwritten a product is known for `UNDO_DAYS`, from the values that it keeps for an undo.
    """
    candidates = _creators(session, product.id) if product.version == 1 else _updaters(session, product)
    for job in candidates:
        if product.version == 1 or _has_overwritten(session, job, product):
            return Writer(Principal.of_stored(job.started_by).known_name, job.id, job.filename, jobs.action_kind(job))
    return None


def _creators(session: Session, product_id: UUID) -> list[ImportJob]:
    """Return the import, if any, whose ids include this one."""
    return list(session.scalars(select(ImportJob).where(col(ImportJob.id).between(*id_range(product_id)))))


def _updaters(session: Session, product: Product) -> list[ImportJob]:
    """Return the imports that may have made the last change, and have kept what they overwrote."""
    assert product.updated_at is not None
    candidates = select(ImportJob).where(
        col(ImportJob.undo_table).is_not(None),
        col(ImportJob.created_at) <= product.updated_at,
        or_(col(ImportJob.finished_at).is_(None), col(ImportJob.finished_at) >= product.updated_at - SLACK),
    )
    return list(session.scalars(candidates.order_by(col(ImportJob.created_at).desc()).limit(MAX_CANDIDATES)))


def _has_overwritten(session: Session, job: ImportJob, product: Product) -> bool:
    statement = HAS_OVERWRITTEN.format(table=db.identifier(undo.name(job.id)))
    values = {"product_id": str(product.id), "version": product.version - 1}
    try:
        with session.begin_nested():
            return bool(db.execute(session, statement, values).scalar())
    except ProgrammingError:
        # The table was made for nothing, or has just been dropped.
        return False
