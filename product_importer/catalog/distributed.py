"""All that is special where the products are a distributed table of Citus (docs/decisions/0040).

Such a table is divided by `sku_key`. It has no triggers, so what they note is noted here. Its rows are locked, and
joined with those of another table, by `sku_key` only. So products of which only the ids are known are changed in a
copy, and what differs is written back. All of it works on PostgreSQL alone, too: so most of it is tested there.
"""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as PgCursor
from sqlalchemy import text
from sqlalchemy.orm import make_transient
from sqlmodel import Session, col, select

from product_importer.catalog.models import Product
from product_importer.core.db import identifier, raw_connection

HAS_TRIGGERS = """
SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'product'::regclass AND tgname = 'product_note_insert')
"""
# A connection finds the same as long as it lasts: `distribute` refuses while there are others.
_known: WeakKeyDictionary[PgConnection, bool] = WeakKeyDictionary()

# What transactions change products to, in parts of their own, divided as the products are.
GIVEN = "product_given"
GIVEN_TABLE = f"""
CREATE UNLOGGED TABLE {GIVEN} (
    part uuid, sku_key text COLLATE "C", id uuid NOT NULL, version integer NOT NULL,
    name text, description text, active boolean, attributes jsonb, PRIMARY KEY (part, sku_key)
)
"""
# The triggers' functions stay: copies have the triggers.
RESHAPE = f"""
DROP TRIGGER product_note_insert ON product; DROP TRIGGER product_note_update ON product;
DROP TRIGGER product_note_delete ON product; DROP TRIGGER product_note_truncate ON product;
ALTER TABLE product DROP CONSTRAINT pk_product, ADD CONSTRAINT pk_product PRIMARY KEY (id, sku_key); {GIVEN_TABLE}
"""
# What the command `distribute` asks Citus, and has it do.
HAS_CITUS = text("SELECT count(*) FROM pg_extension WHERE extname = 'citus'")
NODES = text("SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards")
DISTRIBUTE = text(f"""
SELECT create_distributed_table('product', 'sku_key');
SELECT create_distributed_table('{GIVEN}', 'sku_key', colocate_with => 'product');
SELECT truncate_local_data_after_distributing_table('product')
""")
SHARDS = text("""
SELECT count(*), count(DISTINCT (nodename, nodeport)) FROM citus_shards WHERE table_name = 'product'::regclass
""")

# Nodes know what is set by SET LOCAL, not by `set_config`.
SETTING = "SELECT current_setting(%(name)s)"
SET_ON_NODES = sql.SQL(
    "SET LOCAL citus.propagate_set_commands = 'local'; SET LOCAL product_importer.{name} = %(value)s"
)

NOTE_CHANGE = "INSERT INTO product_change (product_ids, number) VALUES (%(ids)s::uuid[], %(number)s)"
NOTE_NUMBER = "INSERT INTO product_count (delta) VALUES (%(delta)s)"
NOTE_TRUNCATION = """
DELETE FROM product_count; DELETE FROM product_change;
UPDATE search_segment SET retired_at = now() WHERE retired_at IS NULL
"""
GIVEN_OF_PART = """
held.sku_key = given.sku_key AND held.id = given.id AND held.version = given.version AND given.part = %(part)s
"""
KEEP_OVERWRITTEN = sql.SQL(f"""
INSERT INTO {{undo}} (product_id, version, name, description, active, attributes)
SELECT held.id, held.version, held.name, held.description, held.active, held.attributes
FROM product AS held JOIN {GIVEN} AS given ON {GIVEN_OF_PART}
""")
FORGET_PART = f"DELETE FROM {GIVEN} WHERE part = %(part)s"

WRITERS = text("""
SELECT virtualtransaction FROM pg_locks
WHERE relation = 'product'::regclass AND granted AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'AccessExclusiveLock')
""")
WAIT_SECONDS = 0.02
LOCK_FOR_ALL_WRITERS = "LOCK TABLE product IN SHARE ROW EXCLUSIVE MODE"
# An id is unique in a copy: on nodes it is together with its key only.
COPY_TABLE = "CREATE TEMPORARY TABLE product_copy (LIKE product INCLUDING ALL, UNIQUE (id)) ON COMMIT DROP"
FILL_COPY = sql.SQL("INSERT INTO product_copy SELECT * FROM product WHERE {condition}")
# From here on, `product` means the copy in this transaction, with the triggers that the table has elsewhere.
USE_COPY = """
CREATE TEMPORARY TABLE product_before ON COMMIT DROP AS SELECT id, sku_key, version FROM product_copy;
ANALYZE product_before; ANALYZE product_copy;
CREATE TRIGGER product_note_insert AFTER INSERT ON product_copy
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION product_note_insert();
CREATE TRIGGER product_note_update AFTER UPDATE ON product_copy
    REFERENCING NEW TABLE AS written OLD TABLE AS overwritten
    FOR EACH STATEMENT EXECUTE FUNCTION product_note_update();
CREATE TRIGGER product_note_delete AFTER DELETE ON product_copy
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION product_note_delete();
ALTER TABLE product_copy RENAME TO product
"""
LEAVE_COPY = "ALTER TABLE pg_temp.product RENAME TO product_copy"
GIVE_GONE = sql.SQL(f"""
INSERT INTO {GIVEN} (part, sku_key, id, version)
SELECT %(part)s, sku_key, id, version FROM product_before AS before
WHERE NOT EXISTS (SELECT FROM product_copy AS held WHERE held.id = before.id)
""")
DELETE_GIVEN = sql.SQL(f"DELETE FROM product AS held USING {GIVEN} AS given WHERE {GIVEN_OF_PART}")
GIVE_CHANGED = sql.SQL(f"""
INSERT INTO {GIVEN} (part, sku_key, id, version, name, description, active, attributes)
SELECT %(part)s, held.sku_key, held.id, before.version, held.name, held.description, held.active, held.attributes
FROM product_copy AS held JOIN product_before AS before ON before.id = held.id
WHERE held.version <> before.version
""")
UPDATE_GIVEN = sql.SQL(f"""
UPDATE product AS held
SET name = given.name, description = given.description, active = given.active, attributes = given.attributes,
    version = held.version + 1, updated_at = now()
FROM {GIVEN} AS given WHERE {GIVEN_OF_PART}
""")
INSERT_NEW = """
INSERT INTO product SELECT * FROM product_copy AS held
WHERE NOT EXISTS (SELECT FROM product_before AS before WHERE before.id = held.id)
"""


def is_distributed(connection: PgConnection) -> bool:
    """Whether what triggers note elsewhere is noted by the application: its table has no triggers."""
    if connection not in _known:
        with connection.cursor() as cursor:
            cursor.execute(HAS_TRIGGERS)
            _known[connection] = not (cursor.fetchone() or (True,))[0]
    return _known[connection]


def reshape(cursor: PgCursor) -> None:
    """Give the table of products the form that can be distributed."""
    cursor.execute(RESHAPE)


def note(cursor: PgCursor, ids: Sequence[str | UUID], delta: int) -> None:
    """Note what the triggers would: that products were written, and how many more there are."""
    if ids:
        cursor.execute(NOTE_CHANGE, {"ids": list(map(str, ids)), "number": len(ids)})
    if delta:
        cursor.execute(NOTE_NUMBER, {"delta": delta})


def note_one(session: Session, written: Product | None, delta: int) -> None:
    """Note one product that was written, or none where it was deleted; do nothing where triggers do it."""
    connection = raw_connection(session)
    if is_distributed(connection):
        with connection.cursor() as cursor:
            note(cursor, [] if written is None else [written.id], delta)


def note_truncation(session: Session) -> None:
    """Note that there are no products any more; do nothing where a trigger does it."""
    if is_distributed(raw_connection(session)):
        session.execute(text(NOTE_TRUNCATION))


def locked(session: Session, product_id: UUID) -> Product | None:
    """Return a product as it is now, and lock it until the transaction ends; None if there is none."""
    if not is_distributed(raw_connection(session)):
        return session.get(Product, product_id, with_for_update=True, populate_existing=True)
    # Another transaction may give it another key before the lock.
    while key := session.scalar(select(Product.sku_key).where(col(Product.id) == product_id)):
        found = select(Product).where(col(Product.id) == product_id, col(Product.sku_key) == key)
        if product := session.scalar(found.with_for_update().execution_options(populate_existing=True)):
            return product
    return None


def move(session: Session, product: Product) -> None:
    """Delete a product that is about to get another key, so that it is inserted anew; elsewhere do nothing."""
    if is_distributed(raw_connection(session)):
        session.delete(product)
        session.flush()
        make_transient(product)


def keep_overwritten(cursor: PgCursor, undo_table: sql.Composable, part: UUID) -> None:
    """Save in `undo_table` the products that a part is given for, as long as they are as it says."""
    cursor.execute(KEEP_OVERWRITTEN.format(undo=undo_table), {"part": str(part)})


def forget(cursor: PgCursor, part: UUID) -> None:
    """Remove what was given in a part."""
    cursor.execute(FORGET_PART, {"part": str(part)})


def tell_nodes(cursor: PgCursor, *names: str) -> None:
    """Let settings `product_importer.NAME` of this transaction hold in what nodes do for it, too."""
    if is_distributed(cursor.connection):
        for name in names:
            cursor.execute(SETTING, {"name": f"product_importer.{name}"})
            (value,) = cursor.fetchone() or ("",)
            cursor.execute(SET_ON_NODES.format(name=identifier(name)), {"value": value})


def wait_for_writers(session: Session) -> None:
    """Wait for the transactions that are writing products: what a committed one has noted is then on all nodes.

    Citus commits on the coordinator first. Nobody waits for this.
    """
    if not is_distributed(raw_connection(session)):
        return
    writers = set(session.scalars(WRITERS))
    while writers:
        time.sleep(WAIT_SECONDS)
        writers &= set(session.scalars(WRITERS))


def lock(cursor: PgCursor) -> None:
    """Wait for the transactions that write products, and let all others wait until this one ends."""
    cursor.execute(LOCK_FOR_ALL_WRITERS)


def check_out(cursor: PgCursor, condition: sql.Composable, values: dict[str, Any]) -> None:
    """Let `product` mean a copy of the products that meet a condition, until `check_in`.

    Statements on it change the copy, and its triggers note what they do.
    """
    cursor.execute(COPY_TABLE)
    cursor.execute(FILL_COPY.format(condition=condition), values)
    cursor.execute(USE_COPY)


def check_in(cursor: PgCursor) -> bool:
    """Write back what differs in the copy; return False if a product was changed or deleted meanwhile.

    The transaction must then be rolled back. Changed are the products whose version is another: the next one.

    Raises:
        psycopg2.errors.UniqueViolation: another transaction has created a new one's SKU.
    """
    cursor.execute(LEAVE_COPY)
    cursor.execute(INSERT_NEW)
    return _write_given(cursor, GIVE_GONE, DELETE_GIVEN) and _write_given(cursor, GIVE_CHANGED, UPDATE_GIVEN)


def _write_given(cursor: PgCursor, give: sql.Composable, write: sql.Composable) -> bool:
    part = uuid4()
    cursor.execute(give, {"part": str(part)})
    given = cursor.rowcount
    if given:
        cursor.execute(write, {"part": str(part)})
        if cursor.rowcount != given:
            return False
        forget(cursor, part)
    return True
