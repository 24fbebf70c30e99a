"""The text index stays exact with every kind of writer and after killed processes."""

from uuid import UUID

import pytest

from product_importer.catalog import service
from product_importer.catalog.models import Product
from product_importer.catalog.search import indexer, product_query
from product_importer.core import db
from product_importer.core.ids import new_id


def add(count: int, first: int = 0) -> None:
    with db.session() as session:
        session.add_all(
            Product(id=UUID(identity), sku=f"S{first + n}", sku_key=f"s{first + n}", name=f"Name {n}")
            for n, identity in enumerate(str(new_id()) for _ in range(count))
        )


def fetch(query: str):
    with db.engine().connect() as connection:
        return connection.exec_driver_sql(query).fetchall()


def segments() -> list[tuple[int, bool]]:
    return fetch("SELECT rows, is_indexed FROM search_segment WHERE retired_at IS NULL ORDER BY id")


def catch_up() -> None:
    while db.run(indexer.collect) or db.run(indexer.build):
        indexer.clean_up()


def test_few_changes_make_no_segment(database):
    add(indexer.MIN_CHANGES - 1)
    assert db.run(indexer.collect) == 0
    assert segments() == []


def test_the_changes_of_one_statement_make_one_row(database):
    with db.engine().begin() as connection:
        for count, first in ((0, 0), (1, 1), (3, 2), (100_001, 5)):
            connection.exec_driver_sql(
                "INSERT INTO product (id, sku, sku_key, name) SELECT gen_random_uuid(), n, n, n "
                f"FROM generate_series({first}, {first + count - 1}) AS n"
            )
        connection.exec_driver_sql("UPDATE product SET name = 'x' WHERE sku_key < '2'")
    changed = fetch("SELECT count(*) FROM product WHERE name = 'x'")[0][0]
    written = fetch("SELECT cardinality(product_ids) = number, number FROM product_change ORDER BY number")
    assert written == [(True, 1), (True, 2), (True, 3), (True, changed), (True, 99_999)]
    assert fetch("SELECT count(DISTINCT written) FROM product_change, unnest(product_ids) AS written") == [(100_005,)]
    assert fetch("SELECT sum(delta) FROM product_count") == [(100_005,)]


def test_many_changes_become_one_segment_that_is_then_indexed(database):
    add(1_500)
    assert db.run(indexer.collect) == 1_500
    assert segments() == [(1_500, False)]
    assert fetch("SELECT * FROM product_change") == []
    assert db.run(indexer.build) is True
    assert segments() == [(1_500, True)]
    assert (db.run(indexer.collect), db.run(indexer.build)) == (0, False)


def test_a_segment_holds_texts_in_lower_case_in_the_order_of_skus(database):
    add(1_500)
    catch_up()
    [(number,)] = fetch("SELECT id FROM search_segment WHERE retired_at IS NULL")
    texts = fetch(f"SELECT sku, name FROM product_search_{number} ORDER BY ctid")
    assert texts == sorted((f"s{n}", f"name {n}") for n in range(1_500))


def test_a_segment_absorbs_segments_of_its_size_and_leaves_larger_ones(database):
    add(9_000)
    catch_up()
    add(1_000, first=10_000)
    catch_up()
    assert segments() == [(9_000, True), (1_000, True)]
    add(1_000, first=20_000)
    catch_up()
    assert segments() == [(9_000, True), (2_000, True)]


def test_a_retired_segment_stays_while_it_is_read_and_is_dropped_later(database):
    add(1_000)
    catch_up()
    add(1_000, first=10_000)
    catch_up()
    tables = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'product_search_%%'"
    before = fetch(tables)[0][0]
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE search_segment SET retired_at = retired_at - interval '2 minutes'")
    db.run(indexer.collect)
    assert fetch(tables)[0][0] < before
    assert segments() == [(2_000, True)]


def test_the_index_goes_on_while_a_backup_reads_retired_segments(database):
    for first in (0, 10_000):
        add(1_000, first=first)
        catch_up()
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE search_segment SET retired_at = retired_at - interval '2 minutes'")
    retired = "SELECT id FROM search_segment WHERE retired_at < now() - interval '1 minute' ORDER BY id"
    oldest = fetch(retired)[0][0]
    add(9_000, first=20_000)
    with db.engine().begin() as backup:
        backup.exec_driver_sql(f"LOCK TABLE product_search_{oldest} IN ACCESS SHARE MODE")
        assert db.run(indexer.collect) == 9_000
        assert fetch(retired)[0] == (oldest,)
    db.run(indexer.collect)
    assert fetch(retired) == [] and fetch(f"SELECT to_regclass('product_search_{oldest}')") == [(None,)]


@pytest.mark.parametrize(
    ("statements", "taken"),
    [
        ((1_000, 1_000), 1_000),
        ((400, 400, 400, 400), 1_200),
        ((999, 1_000), 999),
        ((300, 1_000, 1), 1_300),
        ((5_000, 1), 5_000),
    ],
)
def test_a_step_takes_whole_statements_of_about_its_size(database, monkeypatch, statements, taken):
    monkeypatch.setattr(indexer, "STEP_ROWS", 1_000)
    for number, count in enumerate(statements):
        first = 10_000 * number
        with db.engine().begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO product (id, sku, sku_key, name) SELECT gen_random_uuid(), n, n, n "
                f"FROM generate_series({first}, {first + count - 1}) AS n"
            )
    assert db.run(indexer.collect) == taken
    assert fetch("SELECT sum(number) FROM product_change") == [(sum(statements) - taken or None,)]


def test_a_segment_absorbs_no_more_than_a_step_holds(database, monkeypatch):
    monkeypatch.setattr(indexer, "STEP_ROWS", 3_000)
    for number in range(4):
        add(1_000, first=number * 1_000)
        catch_up()
    assert segments() == [(3_000, True), (1_000, True)]


def test_changes_while_a_segment_is_filled_are_kept(database):
    add(1_000)
    with db.session() as collecting:
        indexer.collect(collecting)
        add(5, first=50_000)
    assert fetch("SELECT sum(number) FROM product_change") == [(5,)]
    assert segments() == [(1_000, False)]


def test_a_killed_process_leaves_no_segment_and_loses_no_change(database):
    add(1_000)

    class Killed(BaseException):
        pass

    with pytest.raises(Killed), db.session() as collecting:
        indexer.collect(collecting)
        raise Killed
    assert segments() == []
    assert fetch("SELECT sum(number) FROM product_change") == [(1_000,)]


def test_only_one_process_maintains_the_index(database):
    add(1_000)
    with db.session() as first:
        assert indexer.collect(first) == 1_000
        assert db.run(indexer.collect) == 0
        assert db.run(indexer.build) is False


@pytest.mark.parametrize("summed_up", [False, True])
def test_the_product_count_is_exact_however_rows_are_written(database, summed_up):
    add(1_200)
    if summed_up:
        catch_up()
    with db.engine().begin() as connection:
        connection.exec_driver_sql("DELETE FROM product WHERE name < 'Name 2'")
        connection.exec_driver_sql("UPDATE product SET name = 'x'")
        connection.exec_driver_sql(
            "INSERT INTO product (id, sku, sku_key, name) VALUES (gen_random_uuid(), 'S999', 's999', 'y') "
            "ON CONFLICT (sku_key) DO UPDATE SET name = excluded.name"
        )
    assert db.run(product_query.catalogue_size) == fetch("SELECT count(*) FROM product")[0][0] > 0
    deleted = db.run(service.delete_all_products)
    assert deleted > 0 and db.run(product_query.catalogue_size) == 0
    assert segments() == [] and fetch("SELECT * FROM product_change") == []
