"""An upgrade makes the keys of SKUs with invisible edges again, and `doctor` lists SKUs that became equal."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, text

from product_importer import health, migrations
from product_importer.catalog import sku_conflicts
from product_importer.catalog.schemas import sku_key
from product_importer.core import db
from tests.databases import contents, new_database

# Those of the migration, which alembic loads anew each time.
PAGE_ROWS, BATCH_ROWS = 20_000, 500
PRODUCT = """
INSERT INTO product (id, sku, sku_key, name, created_at, version) VALUES (:id, :sku, :key, 'n', :created_at, 7)
"""
MANY = """
INSERT INTO product (id, sku, sku_key, name)
SELECT lpad(to_hex(n), 32, '0')::uuid, mark || n, mark || n, 'n'
FROM generate_series(1, %s) AS n, LATERAL (SELECT CASE WHEN n %% %s = 0 THEN %s ELSE '' END AS mark) AS marks
"""
TRIGGERS = "SELECT tgname, tgenabled::text FROM pg_trigger WHERE tgrelid = 'product'::regclass ORDER BY 1"
SCRIPT = ScriptDirectory.from_config(migrations.config()).get_revision("0013").module
ZERO_WIDTH, MARK, NO_BREAK = "\u200b", "\ufeff", "\u00a0"


@pytest.fixture
def before(servers: None, monkeypatch) -> Iterator[Engine]:
    """A database as the version before left it."""
    with new_database("", monkeypatch) as engine:
        migrations.migrate("0012")
        yield engine


def add(engine: Engine, *skus: str, days: dict[str, int] | None = None) -> None:
    """Add products as the version before stored them, each a day later than the one before it."""
    with engine.begin() as connection:
        for number, sku in enumerate(skus, start=1):
            day = (days or {}).get(sku, number)
            values = {"id": UUID(int=number), "sku": sku, "key": sku.casefold(), "created_at": f"2026-01-{day:02}"}
            connection.execute(text(PRODUCT), values)


def add_many(engine: Engine, number: int, every: int = 1) -> None:
    """Add many products; every so manieth has an invisible character before its number."""
    with engine.begin() as connection:
        connection.exec_driver_sql(MANY, (number, every, MARK))


def rewritten(engine: Engine) -> list[int]:
    """Return the sizes of the batches that are written from now on."""
    sizes: list[int] = []

    @event.listens_for(engine, "before_cursor_execute")
    def count(connection, cursor, statement, parameters, context, executemany):
        if statement.lstrip().startswith("UPDATE product"):
            sizes.append(len(parameters["keys"]))

    return sizes


def keys(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return dict(connection.exec_driver_sql("SELECT sku, sku_key FROM product").fetchall())


def conflicts() -> set[str]:
    return {one.sku for one in db.run(sku_conflicts.find, 100)}


def test_only_keys_that_differ_are_rewritten(before):
    spoilt = f"{ZERO_WIDTH} A{ZERO_WIDTH}1{NO_BREAK}{MARK}"
    add(before, "Plain", spoilt, "Größe", f"in{ZERO_WIDTH}side", "\u200eÄ\U000e0001")
    with before.begin() as connection:
        connection.exec_driver_sql("DELETE FROM product_change")
        rows = {row.sku: row for row in connection.exec_driver_sql("SELECT *, xmin::text FROM product")}
        triggers = connection.exec_driver_sql(TRIGGERS).fetchall()
    migrations.migrate()
    assert keys(before) == {sku: sku_key(sku) for sku in rows}
    with before.connect() as connection:
        after = {row.sku: row for row in connection.exec_driver_sql("SELECT *, xmin::text FROM product")}
        assert connection.exec_driver_sql(TRIGGERS).fetchall() == triggers
    assert {sku for sku in rows if after[sku].xmin != rows[sku].xmin} == {spoilt, "\u200eÄ\U000e0001"}
    for sku, row in rows.items():
        assert (after[sku].id, after[sku].version, after[sku].updated_at) == (row.id, row.version, row.updated_at)
    assert conflicts() == set()


def test_the_rule_is_that_of_the_program():
    """As long as the program's rule is that of this migration."""
    for sku in ("A", f" {ZERO_WIDTH}ß{MARK}", "\u115fx\U000e0fff", f"e\u0301{NO_BREAK}\u2069", "a\u2011"):
        assert SCRIPT._trimmed_key(sku) == sku_key(sku)


def test_the_oldest_of_equal_skus_takes_the_key_and_doctor_lists_the_others(before):
    late, early, later = f"{ZERO_WIDTH}a", f"a{MARK}", f"\u200ea{MARK}"
    held, b = f"{ZERO_WIDTH}B", "b"
    add(before, late, early, later, held, b, f"c{MARK}", days={early: 1, late: 2, later: 3})
    migrations.migrate()
    assert keys(before) == {early: "a", late: late, later: later, b: "b", held: held.lower(), f"c{MARK}": "c"}
    assert conflicts() == {"<U+200B>a", "<U+200E>a<U+FEFF>", "<U+200B>B"}
    check = next(check for check in health.diagnose().checks if check.name == "skus")
    assert (check.ok, check.is_required) == (False, False)
    assert f"“<U+200B>B” ({UUID(int=4)})" in check.detail and "3 products" in check.detail
    assert "another SKU, or delete" in check.detail


def test_of_equally_old_products_the_first_id_takes_the_key(before):
    first, second = f"a{MARK}", f"{ZERO_WIDTH}a"
    add(before, first, second, days={first: 1, second: 1})
    migrations.migrate()
    assert keys(before) == {first: "a", second: second}


def test_a_product_that_is_changed_or_deleted_is_in_conflict_no_more(before):
    add(before, "a", f"a{MARK}", f"{MARK}a", f"{ZERO_WIDTH}a")
    migrations.migrate()
    with before.begin() as connection:
        connection.execute(text("DELETE FROM product WHERE id = :id"), {"id": UUID(int=2)})
        connection.execute(text("UPDATE product SET sku = 'b', sku_key = 'b' WHERE id = :id"), {"id": UUID(int=3)})
    assert conflicts() == {"<U+200B>a"}
    with before.begin() as connection:
        connection.exec_driver_sql("TRUNCATE product")
    assert next(check.ok for check in health.diagnose().checks if check.name == "skus")


@pytest.mark.parametrize("number", [PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 2 * PAGE_ROWS])
def test_pages_of_any_number_reach_every_product(before, number):
    add_many(before, number, every=number // 2)
    sizes = rewritten(before)
    migrations.migrate()
    assert sizes == [2]
    with before.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM product WHERE sku_key !~ '^[0-9]+$'").scalar() == 0


def test_each_batch_is_a_transaction_of_its_own(before):
    """Rows are not locked until the end, and an interrupted upgrade goes on where it was."""
    add_many(before, 2 * BATCH_ROWS + 1)
    sizes = rewritten(before)

    @event.listens_for(before, "before_cursor_execute")
    def fail_at_the_second(connection, cursor, statement, parameters, context, executemany):
        if statement.lstrip().startswith("UPDATE product") and len(sizes) == 2:
            raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        migrations.migrate()
    assert sum(MARK not in key for key in keys(before).values()) == BATCH_ROWS
    migrations.migrate()
    assert keys(before) == {sku: sku[1:] for sku in keys(before)}
    assert sizes == [BATCH_ROWS, BATCH_ROWS, BATCH_ROWS, 1]


def test_a_key_that_is_taken_meanwhile_is_left_to_the_other(before):
    sku = f"{MARK}a"
    add(before, sku)
    takers = [UUID(int=9)]

    @event.listens_for(before, "before_cursor_execute")
    def take_the_key(connection, cursor, statement, parameters, context, executemany):
        if statement.lstrip().startswith("UPDATE product") and takers:
            values = {"id": takers.pop(), "sku": "a", "key": "a", "created_at": "2026-02-01"}
            with before.connect() as other, other.begin():
                other.execute(text(PRODUCT), values)

    migrations.migrate()
    assert keys(before) == {sku: sku, "a": "a"}
    assert conflicts() == {"<U+FEFF>a"}


def test_a_downgrade_makes_the_earlier_keys(before):
    add(before, "Plain", f"{MARK}A", f"a{ZERO_WIDTH}")
    earlier = keys(before)
    migrations.migrate()
    command.downgrade(migrations.config(), "0012")
    assert keys(before) == earlier
    assert ("r", "sku_conflict") not in contents(before)


def test_an_upgrade_from_a_version_whose_tables_are_locked_needs_no_second_connection(servers, monkeypatch):
    with new_database("", monkeypatch) as engine:
        migrations.migrate("0010")
        add(engine, f"{MARK}A", "b")
        migrations.migrate()
        assert keys(engine) == {f"{MARK}A": "a", "b": "b"}
