"""Products are looked up by a list of keys or read between two, whichever reads less, with the same result."""

import pytest

from product_importer.core.settings import settings
from product_importer.imports.pipeline import held
from product_importer.imports.pipeline.held import HeldProducts
from tests.imports.conftest import execute
from tests.imports.pipeline.test_runner import counts, csv_of, fetch

PRODUCTS = 50_000
FILL = """
INSERT INTO product (id, sku, sku_key, name, description)
SELECT gen_random_uuid(), 'K' || to_char(n, 'FM00000'), 'k' || to_char(n, 'FM00000'), 'Name', 'x'
FROM generate_series(0, %s - 1) AS n
"""
RANGE_ROWS = 4_000


@pytest.fixture
def catalogue(database, monkeypatch) -> None:
    """Many products; ranges have up to `RANGE_ROWS` rows."""
    monkeypatch.setattr(settings(), "batch_size", RANGE_ROWS)
    execute(FILL, PRODUCTS)


@pytest.fixture
def ways(catalogue, monkeypatch) -> list[tuple[str, int]]:
    """Note each way of reading, and how many products it returned."""
    noted: list[tuple[str, int]] = []
    for way in ("_listed", "_between"):
        read = getattr(HeldProducts, way)

        def note(self, *arguments, way=way, read=read):
            found = read(self, *arguments)
            noted.append((way, found.num_rows))
            return found

        monkeypatch.setattr(HeldProducts, way, note)
    return noted


def file_of(numbers: range) -> str:
    """Return a file in which of every three rows one is unchanged, one changed, and one new."""
    rows = []
    for place, number in enumerate(numbers):
        sku = f"k{number:05}" + ("n" if place % 3 == 2 else "")
        rows.append(f"{sku},Name,{'x' if place % 3 == 0 else 'changed'}")
    return csv_of(*rows)


def check(job, rows: int) -> None:
    assert counts(job) == (rows // 3, (rows + 1) // 3, (rows + 2) // 3, 0, 0)
    assert fetch("SELECT count(*) FROM product WHERE description = 'changed'") == [(job.created + job.updated,)]
    assert fetch("SELECT count(*) FROM product") == [(PRODUCTS + job.created,)]


def test_few_keys_are_looked_up(run_import, ways):
    check(run_import(file_of(range(0, PRODUCTS, PRODUCTS // 20))), 20)
    assert ways == [("_listed", 14)]


def test_keys_that_lie_close_are_read_between_the_first_and_the_last(run_import, ways):
    check(run_import(file_of(range(100, 3_100))), 3_000)
    assert ways == [("_between", 3_000)]


def test_where_too_many_products_lie_between_the_rest_of_the_keys_is_looked_up(run_import, ways):
    check(run_import(file_of(range(0, PRODUCTS, 25))), 2_000)
    # Up to the limit a 25th of what lies between was asked for.
    [between, listed] = ways
    assert between == ("_between", held.DENSE * 2_000)
    assert listed[0] == "_listed" and 0 < listed[1] <= 2_000 - between[1] // 25


def test_once_too_many_products_lay_between_further_ranges_look_up_at_once(run_import, ways, monkeypatch):
    monkeypatch.setattr(settings(), "import_writers", 1)
    check(run_import(file_of(range(0, PRODUCTS, 4))), 12_500)
    assert [way for way, _ in ways] == ["_between", "_listed", "_listed", "_listed"]


def test_no_product_is_read_twice_at_the_limit(run_import, ways):
    """The last product within the limit has the key of a row."""
    execute("DELETE FROM product WHERE sku_key >= 'k06001'")
    numbers = [*range(1_999), 5_999, 6_000]
    job = run_import(csv_of(*(f"k{number:05},Name,changed" for number in numbers)))
    assert counts(job) == (0, 2_001, 0, 0, 0)
    numbers = [*range(1_999), 5_999]
    job = run_import(csv_of(*(f"k{number:05},Name,again" for number in numbers)))
    assert counts(job) == (0, 2_000, 0, 0, 0)
    assert ways == [("_between", 6_001), ("_between", 6_000), ("_listed", 0)]


def test_of_a_large_range_only_the_products_asked_for_are_kept(run_import, ways, monkeypatch):
    """Otherwise a full catalogue would take three times the memory of the range, in each writer."""
    monkeypatch.setattr(held, "SCANNED_KEYS", 1_200)
    kept: list[int] = []
    read = HeldProducts.read

    def note(self, cursor, keys):
        found = read(self, cursor, keys)
        kept.append(found.num_rows)
        return found

    monkeypatch.setattr(HeldProducts, "read", note)
    check(run_import(file_of(range(0, 7_000, 2))), 3_500)
    assert [way for way, _ in ways] == ["_between"] * 3
    assert sum(found for _, found in ways) > 6_900, "every product between the first key and the last is read"
    assert kept == [3_500 - 3_500 // 3]


def test_a_file_without_a_good_row_reads_nothing(run_import, ways):
    assert counts(run_import(csv_of(",Name,no SKU"))) == (0, 0, 0, 0, 1)
    assert ways == [("_listed", 0)]
