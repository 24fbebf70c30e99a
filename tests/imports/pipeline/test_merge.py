"""Ranges with and without existing products, also while products change."""

import pytest

from product_importer.core import db
from product_importer.core.settings import settings
from product_importer.imports.pipeline import merge
from tests.imports.pipeline.test_runner import counts, csv_of


@pytest.fixture
def looks(monkeypatch):
    """Note of each range whether it met products; call `between` once behind the first look."""
    found: list[bool] = []
    between: list = []

    next_range = merge.Merge._next_range

    def noted(self, connection, lane):
        keys = next_range(self, connection, lane)
        if keys.end is not None:
            found.append(keys.meets_products)
        while between:
            between.pop()()
        return keys

    monkeypatch.setattr(merge.Merge, "_next_range", noted)
    return found, between


def insert(sku: str) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO product (id, sku, sku_key, name) VALUES (gen_random_uuid(), %s, lower(%s), 'by hand')",
            (sku, sku),
        )


def test_only_ranges_with_products_are_looked_up(run_import, looks):
    found, _ = looks
    file = csv_of(*(f"{letter}{n:04},Name,Text" for letter in "abcd" for n in range(1_000)))
    assert counts(run_import(file)) == (4_000, 0, 0, 0, 0)
    assert not any(found)
    found.clear()
    insert("c0500x")
    assert counts(run_import(file.replace("\na", "\nA"))) == (0, 0, 4_000, 0, 0)
    assert all(found)
    found.clear()
    new = csv_of(*(f"{letter}{n:04},Name,Text" for letter in "ex" for n in range(1_000)), "c0500y,Name,Text")
    assert counts(run_import(new)) == (2_001, 0, 0, 0, 0)
    assert any(found) and not all(found)


def test_a_product_created_during_the_merge_is_updated(run_import, products, looks):
    found, between = looks
    between.append(lambda: insert("B"))
    job = run_import(csv_of("a,A,1", "b,New,2", "b,Newer,3", "c,C,4"))
    assert counts(job) == (2, 1, 0, 1, 0)
    assert products() == {"a": ("A", "1"), "B": ("Newer", "3"), "c": ("C", "4")}
    assert found == [False, True]


@pytest.mark.parametrize(
    ("rows", "lanes", "most"),
    [(7, 1, 8), (25_000, 1, 27_501), (500_000, 16, 34_376), (5_000_000, 16, 28_646)],
)
def test_a_lane_is_a_whole_number_of_ranges_of_about_the_batch_size(monkeypatch, rows, lanes, most):
    monkeypatch.setattr(merge, "settings", lambda: settings().model_copy(update={"batch_size": 25_000}))
    assert merge.range_rows(rows, lanes) == most


def test_no_plan_is_compiled_where_the_server_would(run_import, monkeypatch):
    """It took 30 to 470 ms, each time, on a server with LLVM."""
    compiled: list[str] = []
    next_range = merge.Merge._next_range

    def noted(self, connection, lane):
        compiled.append(_asked(connection))
        return next_range(self, connection, lane)

    monkeypatch.setattr(merge.Merge, "_next_range", noted)
    with db.engine().begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET jit = on')
    try:
        assert counts(run_import(csv_of("a,A,1"))) == (1, 0, 0, 0, 0)
        with db.engine().begin() as connection:
            connection.exec_driver_sql("SET jit = on")
        with db.engine().begin() as connection:
            compiled.append(connection.exec_driver_sql("SHOW jit").scalar_one())
    finally:
        with db.engine().begin() as connection:
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" RESET jit')
    db.engine().dispose()
    assert compiled == ["off", "off"]


def _asked(connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        [value] = cursor.fetchone()
    return value
