"""Undo an import: remove what it created, restore what it overwrote, keep what has changed since.

The products that an import creates have ids in one range. The values that it overwrites are saved in a table of its
own by a trigger on products, in the same transaction. An action on products is undone in the same way; one that has
deleted some has kept them in that table, and they are brought back.
"""

import logging
from typing import Any
from uuid import UUID

import psycopg2.extras
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as PgCursor
from sqlmodel import Session

from product_importer.access import audit
from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.principal import Principal
from product_importer.catalog import distributed
from product_importer.catalog.events import INSERT_EVENTS, NUMBERED_ID
from product_importer.core import db, outbox
from product_importer.core.db import identifier
from product_importer.core.dropping import drop_unread
from product_importer.core.ids import id_prefix, id_range, new_id
from product_importer.core.outbox import EventType
from product_importer.imports.action_schemas import ActionKind
from product_importer.imports.error_codes import UndoKeptReason
from product_importer.imports.models import UndoStatus
from product_importer.imports.pipeline import undo_deletion

log = logging.getLogger(__name__)

PREFIX = "import_undo_of_"
# Read by the trigger product_note_update: the table for what the updates of the transaction overwrite.
SETTING = "product_importer.undo_table"

CREATE = sql.SQL("""
CREATE TABLE IF NOT EXISTS {table} (
    product_id uuid NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    active boolean NOT NULL,
    attributes jsonb NOT NULL {columns}
) WITH (autovacuum_enabled = false)
""")
NOTHING = sql.SQL("")

CLAIM = f"""
SELECT id, filename, undo_by, action FROM import_job WHERE id = %(job_id)s AND undo_status = '{UndoStatus.PENDING}'
FOR UPDATE SKIP LOCKED
"""
# In the order of keys, as imports take them, so that an undo and an import cannot deadlock.
LOCK = sql.SQL("""
SELECT count(*) FROM (
    SELECT FROM product
    WHERE id IN (
        SELECT id FROM product WHERE id BETWEEN %(first)s AND %(last)s UNION ALL SELECT product_id FROM {undo}
    )
    ORDER BY sku_key FOR UPDATE
) AS locked
""")
# The products that an undo may change.
OF_UNDO = sql.SQL("id BETWEEN %(first)s AND %(last)s OR id IN (SELECT product_id FROM {undo})")
# Whether the product is as this import left it: by its version, or because a later change was itself undone.
IS_AS_LEFT = """
(p.version = {left} OR EXISTS (
    SELECT FROM import_undo_restored AS r
    WHERE r.product_id = p.id AND r.version = p.version AND r.as_version = {left}
))
"""
# The values that a restored product had before, of the fields that differ: its history shows them.
DIFFERING = ", ".join(
    f"'{field}', CASE WHEN left_now.{field} IS DISTINCT FROM u.{field} THEN left_now.{field} END"
    for field in ("name", "description", "active", "attributes")
)
OVERWRITTEN = f"jsonb_strip_nulls(jsonb_build_object({DIFFERING}))"
REMOVE = sql.SQL(
    """
WITH removed AS (
    DELETE FROM product AS p WHERE p.id BETWEEN %(first)s AND %(last)s AND """
    + IS_AS_LEFT.format(left="1")
    + """
    RETURNING p.id, p.sku, p.name, p.version
), events AS ({removed_events})
SELECT count(*) FROM removed
"""
)
RESTORE = sql.SQL(
    """
WITH restored AS (
    UPDATE product AS p
    SET name = u.name, description = u.description, active = u.active, attributes = u.attributes,
        version = p.version + 1, updated_at = now()
    FROM {undo} AS u JOIN product AS left_now ON left_now.id = u.product_id
    WHERE p.id = u.product_id AND """
    + IS_AS_LEFT.format(left="u.version + 1")
    + f"""
    RETURNING p.id, p.sku, p.name, p.version, u.version AS as_version, {OVERWRITTEN} AS overwritten
), noted AS (
    INSERT INTO import_undo_restored (product_id, version, as_version, job_id, overwritten)
    SELECT id, version, as_version, %(job_id)s::uuid, overwritten FROM restored
    UNION ALL
    SELECT restored.id, restored.version, earlier.as_version, %(job_id)s::uuid, NULL
    FROM restored JOIN import_undo_restored AS earlier
        ON earlier.product_id = restored.id AND earlier.version = restored.as_version
), events AS ({{restored_events}})
SELECT count(*) FROM restored
"""
)
# Runs after the two above, so that it sees what they left.
KEEP = sql.SQL(f"""
WITH kept AS (
    INSERT INTO import_undo_kept (job_id, product_id, sku, reason)
    SELECT %(job_id)s::uuid, id, sku, '{UndoKeptReason.CHANGED_AFTER_CREATION}'
    FROM product WHERE id BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT %(job_id)s::uuid, u.product_id, coalesce(p.sku, ''),
        CASE WHEN p.id IS NULL THEN '{UndoKeptReason.DELETED}'
            ELSE '{UndoKeptReason.CHANGED_AFTER_UPDATE}' END
    FROM {{undo}} AS u LEFT JOIN product AS p ON p.id = u.product_id
    WHERE NOT EXISTS (
        SELECT FROM import_undo_restored AS r
        WHERE r.product_id = u.product_id AND r.version = p.version AND r.as_version = u.version
    )
    RETURNING 1
)
SELECT count(*) FROM kept
""")
# An event for each product, those of the removed ones first.
REMOVED_EVENTS = sql.SQL(
    INSERT_EVENTS.format(
        event_id=NUMBERED_ID.format(number="row_number() OVER (ORDER BY id)"),
        event_type=f"'{EventType.PRODUCT_DELETED}'",
        batch_id="%(batch)s",
        source="removed",
    )
)
RESTORED_EVENTS = sql.SQL(
    INSERT_EVENTS.format(
        event_id=NUMBERED_ID.format(number=f"row_number() OVER (ORDER BY id) + {1 << 31}"),
        event_type=f"'{EventType.PRODUCT_UPDATED}'",
        batch_id="%(batch)s",
        source="restored",
    )
)
NO_EVENTS = sql.SQL("SELECT 1")
END = f"""
UPDATE import_job SET undo_status = '{UndoStatus.UNDONE}', undone_at = clock_timestamp(), undo_table = NULL,
    undo_removed = %(removed)s, undo_restored = %(restored)s, undo_kept = %(kept)s
WHERE id = %(job_id)s
"""


def name(job_id: UUID) -> str:
    """Return the name of the table of the values that an import overwrote."""
    return f"{PREFIX}{job_id.hex}"


def create(connection: PgConnection, job_id: UUID, *, of_deleted: bool = False) -> str:
    """Create the table of overwritten values, or of deleted products, if it does not exist; return its name."""
    table = identifier(name(job_id))
    with connection.cursor() as cursor:
        cursor.execute(CREATE.format(table=table, columns=undo_deletion.MORE if of_deleted else NOTHING))
    return name(job_id)


def keep_overwritten(cursor: PgCursor, table: str) -> None:
    """Let the caller's transaction save in `table` what it overwrites."""
    cursor.execute("SELECT set_config(%s, %s, true)", (SETTING, table))


def run(job_id: UUID) -> None:
    """Undo one import in one transaction, unless another worker is doing so.

    Raises:
        psycopg2.OperationalError: PostgreSQL went away; the reconciler sends the undo again.
    """
    # No pool, and so no time limit: millions of products take minutes.
    with Session(db.unpooled(f"undo {job_id}")) as session, session.begin():
        undo = _UndoRun(session, db.raw_connection(session), job_id)
        if undo.claim():
            undo.execute()


class _UndoRun:
    """The steps of one undo, all in its caller's transaction; the job's row stays locked until its end."""

    def __init__(self, session: Session, connection: PgConnection, job_id: UUID):
        self._session = session
        self._connection = connection
        self._job_id = job_id
        self._batch = new_id()
        first, last = id_range(job_id)
        self._values: dict[str, Any] = {
            "job_id": str(job_id),
            "first": str(first),
            "last": str(last),
            "batch": str(self._batch),
            "prefix": id_prefix(self._batch),
        }

    def claim(self) -> bool:
        """Lock the job; return False unless its undo is pending and no other worker has it."""
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(CLAIM, self._values)
            row = cursor.fetchone()
        if row is None:
            return False
        self._filename, self._asker = row["filename"], Principal.of_stored(row["undo_by"])
        self._has_deleted = (row["action"] or {}).get("kind") == ActionKind.DELETE
        # An import that only created products has not made one.
        self._undo_table = identifier(create(self._connection, self._job_id, of_deleted=self._has_deleted))
        return True

    def execute(self) -> None:
        """Remove and restore products, list those kept, and record the counts in the job's row."""
        has_events = outbox.hold_batch(self._session, self._batch)
        self._session.flush()
        counts = self._changed(has_events)
        with self._connection.cursor() as cursor:
            cursor.execute(END, {**self._values, **counts})
        audit.record(
            self._session,
            AuditAction.IMPORT_UNDONE,
            ObjectKind.IMPORT,
            self._job_id,
            self._filename,
            details=counts,
            by=self._asker,
        )
        # Where a backup reads it, `retention` drops it later.
        drop_unread(self._connection, name(self._job_id))
        outbox.release_batch(self._session, self._batch)
        log.info("import %s: undone, %s", self._job_id, counts)

    def _changed(self, has_events: bool) -> dict[str, int]:
        """Change the products, or where they are distributed a copy that is written back; return the counts."""
        change = self._bring_back if self._has_deleted else self._put_back
        if not distributed.is_distributed(self._connection):
            return change(has_events)
        condition = undo_deletion.OF_UNDO if self._has_deleted else OF_UNDO
        with self._connection.cursor() as cursor:
            distributed.lock(cursor)
            distributed.check_out(cursor, condition.format(undo=self._undo_table), self._values)
            counts = change(has_events)
            if not distributed.check_in(cursor):
                raise AssertionError("a product was changed in spite of the lock")
        return counts

    def _put_back(self, has_events: bool) -> dict[str, int]:
        self._count(LOCK)
        return {
            "removed": self._count(REMOVE, removed_events=REMOVED_EVENTS if has_events else NO_EVENTS),
            "restored": self._count(RESTORE, restored_events=RESTORED_EVENTS if has_events else NO_EVENTS),
            "kept": self._count(KEEP),
        }

    def _bring_back(self, has_events: bool) -> dict[str, int]:
        events = undo_deletion.RESTORED_EVENTS if has_events else NO_EVENTS
        restored = self._count(undo_deletion.BRING_BACK, restored_events=events)
        return {"removed": 0, "restored": restored, "kept": self._count(undo_deletion.KEEP)}

    def _count(self, statement: sql.SQL, **parts: sql.Composable) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(statement.format(undo=self._undo_table, **parts), self._values)
            row = cursor.fetchone()
        return int(row[0]) if row else 0
