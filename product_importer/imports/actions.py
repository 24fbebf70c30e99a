"""Start actions on products. Services never commit: the caller owns the transaction."""

from sqlalchemy import func
from sqlmodel import Session, select

from product_importer.access import principal
from product_importer.access.audit import AuditAction
from product_importer.catalog.models import PRODUCTS
from product_importer.catalog.schemas import ProductFilter
from product_importer.catalog.search import candidates, matching
from product_importer.catalog.search.filters import conditions
from product_importer.catalog.search.product_query import catalogue_size
from product_importer.core import queue
from product_importer.core.errors import Invalid
from product_importer.core.ids import new_id
from product_importer.core.problem_types import ProblemType
from product_importer.imports import admission, events
from product_importer.imports.action_schemas import ProductAction, StoredAction
from product_importer.imports.models import ImportJob
from product_importer.imports.pipeline import action_batches
from product_importer.imports.schemas import ImportRead
from product_importer.imports.service import RUN_IMPORT

# An action on more products counts as a large import: one worker stays free for small ones.
LARGE_PRODUCTS = 200_000


def start_action(
    session: Session, criteria: ProductFilter, given: ProductAction, *, is_confirmed: bool = False
) -> ImportRead:
    """Create the job of an action; a worker is notified after the commit.

    Raises:
        Unprocessable: the values do not fit the action.
        Invalid: neither filters nor products are given, and it is not confirmed that all products are meant.
        TooMany: too many imports are unfinished.
    """
    given.check()
    if not is_confirmed and not given.product_ids and not conditions(PRODUCTS.c, criteria):
        raise Invalid(
            "This would change every product. Send filters or product_ids, or confirm=true to confirm.",
            kind=ProblemType.NOT_CONFIRMED,
        )
    admission.admit(session)
    action = StoredAction.of(criteria, given)
    job = _job(action)
    job.is_large = action.selected is None and catalogue_size(session) > LARGE_PRODUCTS
    if given.product_ids:
        job.total_rows = len(given.product_ids)
        action_batches.store_selection(session, job.id, given.product_ids)
    session.add(job)
    session.flush()
    session.refresh(job)
    details = action.model_dump(mode="json", exclude_none=True)
    events.record_action(session, AuditAction.PRODUCTS_ACTION_STARTED, job, **details)
    queue.enqueue_after_commit(session, RUN_IMPORT, job.id)
    return ImportRead.of(job)


def count(session: Session, criteria: ProductFilter) -> int:
    """Return exactly how many products match now. Must be called first in its transaction."""
    session.connection(execution_options=candidates.TRANSACTION)
    found = matching.all_ids(session, criteria).subquery()
    return session.scalar(select(func.count()).select_from(found)) or 0


def _job(action: StoredAction) -> ImportJob:
    """Return the row of an action, which has no file."""
    return ImportJob(
        id=new_id(),
        action=action.model_dump(mode="json"),
        filename=action.name,
        storage_key="",
        size_bytes=0,
        sha256="",
        header=[],
        fields=[],
        started_by=principal.current().stored(),
    )
