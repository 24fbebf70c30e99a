"""Write one batch of an action by one statement: lock its products in the order of keys, then change or delete them.

Values and names from outside are parameters: SQLAlchemy composes the statements.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2 import sql
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Delete,
    ScalarSelect,
    Text,
    Update,
    Uuid,
    and_,
    any_,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, col

from product_importer.catalog import distributed
from product_importer.catalog.events import PAYLOAD
from product_importer.catalog.models import PRODUCTS
from product_importer.catalog.schemas import MAX_ALL_ATTRIBUTES, MAX_ATTRIBUTES
from product_importer.catalog.search.filters import conditions
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.db import raw_connection
from product_importer.core.ids import id_prefix
from product_importer.core.outbox import Event, EventType
from product_importer.imports.action_schemas import ActionKind, StoredAction
from product_importer.imports.models import ImportActionBatch
from product_importer.imports.pipeline import undo
from product_importer.imports.pipeline.product_writes import Overtaken
from product_importer.imports.pipeline.undo_deletion import SAVED

# Products are looked up one by one by their ids, whatever the statistics say: another join may read all ids of the
# catalogue for each batch. Deleting all products comes before or after a batch, never in its middle.
BEGIN = """SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL jit = off; LOCK TABLE product IN ROW EXCLUSIVE MODE"""
BESIDE_OTHERS = text(f"{BEGIN}; SELECT pg_advisory_xact_lock_shared({AdvisoryLock.WRITE_RANGE})")
# No import writes meanwhile.
ALONE = text(f"{BEGIN}; SELECT pg_advisory_xact_lock({AdvisoryLock.WRITE_RANGE})")

OF_BATCH = sql.SQL("""
id IN (
    SELECT unnest(product_ids) FROM import_action_batch WHERE job_id = %(job_id)s::uuid AND number = %(number)s
)
""")

PAYLOAD_UPDATED = PAYLOAD.format(event_type=f"'{EventType.PRODUCT_UPDATED}'")
PAYLOAD_DELETED = PAYLOAD.format(event_type=f"'{EventType.PRODUCT_DELETED}'")
UPDATED = literal_column(f"jsonb_build_object({PAYLOAD_UPDATED})", JSONB)
DELETED = literal_column(f"jsonb_build_object({PAYLOAD_DELETED})", JSONB)
EVENT_COLUMNS = ("id", "event_type", "payload", "version", "batch_id")


class Written(NamedTuple):
    """How many products of a batch were changed or deleted, and how many could take no more attributes."""

    products: int
    full: int


@dataclass(frozen=True)
class ActionWriter:
    """Writes the batches of one action; threads may share it, each with its own session."""

    job_id: UUID
    action: StoredAction
    has_events: bool

    def write(self, session: Session, number: int, is_alone: bool = False) -> Written:
        """Change or delete the products of a batch inside the caller's transaction; return how many there were.

        With `is_alone` the transaction first waits for those that write ranges, and they for it.

        Raises:
            Overtaken: a product was changed meanwhile.
            DBAPIError: as `range_writer.is_collision` says, or PostgreSQL failed.
        """
        session.execute(ALONE if is_alone else BESIDE_OTHERS)
        connection = raw_connection(session)
        if not distributed.is_distributed(connection):
            return self._write(session, number)
        with connection.cursor() as cursor:
            if is_alone:
                distributed.lock(cursor)
            distributed.check_out(cursor, OF_BATCH, {"job_id": str(self.job_id), "number": number})
            written = self._write(session, number)
            if not distributed.check_in(cursor):
                raise Overtaken
        return written

    def _write(self, session: Session, number: int) -> Written:
        if self.action.kind == ActionKind.DELETE:
            written = self._deletion(number).returning(*PRODUCTS.c).cte("written")
            counted = select(_count(written), literal(0)).add_cte(self._saved(written))
        else:
            with raw_connection(session).cursor() as cursor:
                undo.keep_overwritten(cursor, undo.name(self.job_id))
            values = _values(self.action.changes())
            locked = self._to_change(number, values)
            change = _change(locked, values)
            written = change.returning(*PRODUCTS.c["id", "sku", "name", "version"]).cte("written")
            counted = select(_count(written), _count(locked, not_(locked.c.fits)))
        if self.has_events:
            counted = counted.add_cte(self._events(written, number))
        return Written(*session.execute(counted).one())

    def _to_change(self, number: int, values: dict[str, ColumnElement[Any]]) -> CTE:
        """Lock the products of a batch that have other values, and tell whether they can have these."""
        differ = or_(*(PRODUCTS.c[name].is_distinct_from(new) for name, new in values.items()))
        adds = any((self.action.changes().get("attributes") or {}).values())
        return self._locked(number, differ, fits=_fit(values["attributes"]) if adds else true())

    def _deletion(self, number: int) -> Delete:
        locked = self._locked(number)
        return delete(PRODUCTS).where(PRODUCTS.c.id == locked.c.id)

    def _locked(self, number: int, *also: ColumnElement[bool], **told: ColumnElement[bool]) -> CTE:
        """Lock the products of a batch that still match, in the order of keys: so imports lock them, too."""
        batch = select(col(ImportActionBatch.product_ids)).where(
            col(ImportActionBatch.job_id) == self.job_id, col(ImportActionBatch.number) == number
        )
        ids = cast(batch.scalar_subquery(), ARRAY(Uuid))
        still = conditions(PRODUCTS.c, self.action.criteria())
        columns = [PRODUCTS.c.id, *(value.label(name) for name, value in told.items())]
        locked = select(*columns).where(PRODUCTS.c.id == any_(ids), *still, *also).order_by(PRODUCTS.c.sku_key)
        return locked.with_for_update().cte("locked").prefix_with("MATERIALIZED", dialect="postgresql")

    def _saved(self, deleted: CTE) -> CTE:
        """Keep deleted products for an undo."""
        columns = {"product_id": deleted.c.id, **{name: deleted.c[name] for name in SAVED}}
        kept = table(undo.name(self.job_id), *map(column, columns))
        return insert(kept).from_select(list(columns), select(*columns.values())).cte("saved")

    def _events(self, written: CTE, number: int) -> CTE:
        """Record an event for each product; their ids rise over all batches."""
        first = select(col(ImportActionBatch.first_number)).where(
            col(ImportActionBatch.job_id) == self.job_id, col(ImportActionBatch.number) == number
        )
        position = first.scalar_subquery() + func.row_number().over(order_by=written.c.id)
        is_deletion = self.action.kind == ActionKind.DELETE
        event_type = EventType.PRODUCT_DELETED if is_deletion else EventType.PRODUCT_UPDATED
        events = select(
            cast(literal(id_prefix(self.job_id)) + func.lpad(func.to_hex(position), 8, "0"), Uuid),
            literal(event_type),
            DELETED if is_deletion else UPDATED,
            written.c.version,
            literal(self.job_id),
        )
        return insert(Event).from_select(list(EVENT_COLUMNS), events).cte("events")


def _change(locked: CTE, values: dict[str, ColumnElement[Any]]) -> Update:
    raised = {"version": PRODUCTS.c.version + 1, "updated_at": func.now()}
    return update(PRODUCTS).where(PRODUCTS.c.id == locked.c.id, locked.c.fits).values({**values, **raised})


def _count(found: CTE, *which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(found).where(*which).scalar_subquery()


def _fit(attributes: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether these are not more attributes, in number and in characters, than a product can have."""
    each = func.jsonb_each_text(attributes).table_valued("key", "value")
    characters = func.coalesce(func.sum(func.length(each.c.key) + func.length(each.c.value)), 0)
    fits = and_(func.count() <= MAX_ATTRIBUTES, characters <= MAX_ALL_ATTRIBUTES)
    return select(fits).select_from(each).scalar_subquery()


def _values(changes: dict[str, Any]) -> dict[str, ColumnElement[Any]]:
    """Return the new value of each column: given attributes replace those of the same names, empty ones go."""
    values: dict[str, ColumnElement[Any]] = {
        name: literal(value, PRODUCTS.c[name].type) for name, value in changes.items() if name != "attributes"
    }
    if given := changes.get("attributes"):
        kept = PRODUCTS.c.attributes.op("-")(cast(list(given), ARRAY(Text)))
        set_values = {name: value for name, value in given.items() if value}
        values["attributes"] = kept.op("||", return_type=JSONB)(cast(set_values, JSONB))
    return values
