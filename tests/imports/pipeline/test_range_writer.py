"""Write ranges while other transactions change the same products between reading and writing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
from sqlalchemy.exc import OperationalError

from product_importer.catalog import service as catalog
from product_importer.catalog.schemas import ProductCreate, ProductUpdate, sku_key
from product_importer.core import db
from product_importer.imports import tasks
from product_importer.imports.pipeline import writers
from product_importer.imports.pipeline.cuts import WHOLE
from product_importer.imports.pipeline.held import HeldProducts
from product_importer.imports.pipeline.numbered_ids import numbered
from tests.imports.conftest import execute, upload
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.imports.pipeline.test_undo import run_undo, undo_tables
from tests.waiting import wait_for

FILE = csv_of("a,A,1", "b,New,2", "b,Newer,3", "c,C,4")
WAITING = "SELECT FROM pg_locks WHERE relation = 'product'::regclass AND NOT granted"


class Reads:
    """What happens each time when a range has read products: the next of `between` is called.

    `seen` has the answers of `ask`, which is given the cursor.
    """

    def __init__(self) -> None:
        self.between: list[Callable[[], Any]] = []
        self.seen: list[Any] = []
        self.ask: Callable[[Any], Any] = lambda _: None


@pytest.fixture
def reads(monkeypatch) -> Reads:
    noted, read = Reads(), HeldProducts.read

    def read_then_call(self, cursor, keys):
        held = read(self, cursor, keys)
        noted.seen.append(noted.ask(cursor))
        if noted.between:
            noted.between.pop(0)()
        return held

    monkeypatch.setattr(HeldProducts, "read", read_then_call)
    return noted


def id_of(sku: str):
    return fetch(f"SELECT id FROM product WHERE sku_key = '{sku_key(sku)}'")[0][0]


def create(sku: str, name: str = "by hand") -> None:
    db.run(catalog.create_product, ProductCreate(sku=sku, name=name))


def edit(sku: str, **fields: Any) -> None:
    db.run(catalog.update_product, id_of(sku), ProductUpdate(**fields))


def delete(sku: str) -> None:
    db.run(catalog.delete_product, id_of(sku))


def test_a_product_created_meanwhile_is_updated(run_import, products, reads):
    reads.between.append(lambda: create("B"))
    job = run_import(FILE)
    assert (job.status, counts(job)) == ("completed", (2, 1, 0, 1, 0))
    assert products() == {"a": ("A", "1"), "B": ("Newer", "3"), "c": ("C", "4")}
    assert len(reads.seen) == 2


def test_a_product_changed_meanwhile_is_compared_again(run_import, products, reads):
    run_import(FILE)
    reads.seen.clear()
    reads.between.append(lambda: edit("b", name="By hand", active=False))
    job = run_import(FILE.replace(",3", ",changed"))
    assert (job.status, counts(job)) == ("completed", (0, 1, 2, 1, 0))
    assert products()["b"] == ("Newer", "changed")
    assert fetch("SELECT version, active FROM product WHERE sku = 'b'") == [(3, False)]
    assert len(reads.seen) == 2
    run_undo(job)
    assert products()["b"] == ("By hand", "3"), "what was changed meanwhile must come back"


def test_a_product_given_the_files_values_meanwhile_is_unchanged(run_import, reads):
    run_import(FILE)
    reads.between.append(lambda: edit("b", description="changed"))
    assert counts(run_import(FILE.replace(",3", ",changed"))) == (0, 0, 3, 1, 0)


def test_a_product_deleted_meanwhile_is_created(run_import, products, reads):
    run_import(FILE)
    before = id_of("b")
    reads.between.append(lambda: delete("b"))
    job = run_import(FILE.replace(",3", ",changed"))
    assert (job.status, counts(job)) == ("completed", (1, 0, 2, 1, 0))
    assert products()["b"] == ("Newer", "changed")
    assert id_of("b") != before


def test_a_product_replaced_meanwhile_by_one_of_the_same_version_is_compared_again(run_import, products, reads):
    run_import(FILE)
    reads.seen.clear()

    def replace() -> None:
        delete("b")
        create("b", "Other")

    reads.between.append(replace)
    assert counts(run_import(FILE.replace(",3", ",changed"))) == (0, 1, 2, 1, 0)
    assert products()["b"] == ("Newer", "changed")
    assert len(reads.seen) == 2


def test_after_some_retries_products_are_locked_before_they_are_read(run_import, products, reads):
    run_import(FILE)
    reads.seen.clear()
    reads.ask = lambda _: is_locked("b")
    reads.between += [lambda n=n: edit("b", name=f"By hand {n}") for n in range(writers.RETRIES_BESIDE_OTHERS)]
    assert counts(run_import(FILE.replace(",3", ",changed"))) == (0, 1, 2, 1, 0)
    assert products()["b"] == ("Newer", "changed")
    assert reads.seen == [False] * writers.RETRIES_BESIDE_OTHERS + [True]


def is_locked(sku: str) -> bool:
    try:
        execute("SELECT FROM product WHERE sku_key = %s FOR UPDATE NOWAIT", sku)
    except OperationalError as error:
        assert isinstance(error.orig, psycopg2.errors.LockNotAvailable)
        return True
    return False


def test_products_that_appear_each_time_end_the_retries(database, reads):
    skus = [f"s{number:02}" for number in range(writers.RETRIES + 5)]
    job_id = upload(csv_of(*(f"{sku},Name,x" for sku in skus)).encode())
    reads.between += [lambda sku=sku: create(sku) for sku in skus]
    with pytest.raises(psycopg2.errors.UniqueViolation):
        tasks.run_import(str(job_id))
    assert len(reads.seen) == writers.RETRIES
    assert fetch("SELECT count(*) FROM product") == [(writers.RETRIES,)], "nothing of the import must be left"


def test_a_taken_id_is_an_error_of_ours_and_not_tried_again(database, reads):
    job_id = upload(FILE.encode())
    execute(
        "INSERT INTO product (id, sku, sku_key, name) VALUES (%s, 'x', 'x', 'by hand')",
        numbered(job_id, [WHOLE.first_number or 0])[0].as_py(),
    )
    with pytest.raises(psycopg2.errors.UniqueViolation, match="pk_product"):
        tasks.run_import(str(job_id))
    assert len(reads.seen) == 1
    assert fetch("SELECT sku FROM product") == [("x",)]


def test_all_products_are_deleted_behind_a_range_and_not_in_its_middle(run_import, reads):
    run_import(FILE)
    reads.seen.clear()
    with ThreadPoolExecutor(1) as pool:
        deleting = []

        def delete_all() -> None:
            deleting.append(pool.submit(db.run, catalog.delete_all_products))
            wait_for(lambda: fetch(WAITING), 10, "the lock of the table")

        reads.between.append(delete_all)
        job = run_import(FILE.replace(",3", ",changed") + "d,New,x\n")
        assert (job.status, counts(job)) == ("completed", (1, 1, 2, 1, 0))
        assert deleting[0].result(10) == 4
    assert len(reads.seen) == 1, "the range must not have met a deadlock"
    assert (
        fetch("SELECT count(*) FROM product") == fetch("SELECT coalesce(sum(delta), 0) FROM product_count") == [(0,)]
    )


def test_an_import_that_only_creates_makes_no_table_of_overwritten_values_and_can_be_undone(run_import):
    run_import(csv_of("z,Other,x"))
    for rows in (3, 3_500):
        job = run_import(csv_of(*(f"s{n},Name,x" for n in range(rows)), "z,Other,x"))
        assert counts(job) == (rows, 0, 1, 0, 0)
        assert undo_tables() == []
        assert job.undo is not None and job.undo.status == "possible"
        undone = run_undo(job)
        assert (undone.removed, undone.restored, undone.kept) == (rows, 0, 0)
    assert fetch("SELECT sku FROM product") == [("z",)]


def test_no_plan_is_compiled_where_the_server_would(run_import, reads):
    """It took 30 to 470 ms, each time, on a server with LLVM."""
    reads.ask = asked_for_jit
    with db.engine().begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET jit = on')
    try:
        assert counts(run_import(FILE)) == (3, 0, 0, 1, 0)
    finally:
        with db.engine().begin() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" RESET jit')
        db.engine().dispose()
    assert reads.seen == ["off"]


def asked_for_jit(cursor: Any) -> str:
    cursor.execute("SHOW jit")
    [value] = cursor.fetchone()
    return str(value)
