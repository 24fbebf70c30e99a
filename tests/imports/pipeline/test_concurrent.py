"""Several imports of the same SKUs at once, with other cuts and writers each, beside edits of the same products."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import pytest

from product_importer.catalog import service as catalog
from product_importer.catalog.schemas import ProductCreate, ProductUpdate
from product_importer.core import db, outbox
from product_importer.core.errors import Conflict, NotFound
from product_importer.core.settings import settings
from product_importer.imports import tasks
from product_importer.imports.pipeline import cuts, held, product_writes, spool, writers
from product_importer.imports.progress import current
from tests.imports.conftest import upload
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.waiting import wait_for

KEYS = 2_000
HEAD = "sku,name,description,source"
# Of each import the numbers of its SKUs, in the order of its lines.
FILES = {
    "forwards": range(KEYS),
    "backwards": [number for number in reversed(range(KEYS + 500)) if number % 5],
    "scattered": [number * 7919 % KEYS for number in range(1_300)],
}
PRODUCTS = "SELECT id, sku_key, name, description, attributes ->> 'source', version FROM product"
EVENTS = """
SELECT event_type, (payload ->> 'product_id')::uuid, version, payload ->> 'name'
FROM event WHERE event_type LIKE 'product\\_%%' ORDER BY version
"""
# Far more than it takes: a wait without end fails the test instead of stopping the run.
LIMIT_SECONDS = 120


@pytest.fixture(autouse=True)
def many_ranges_and_all_events(monkeypatch):
    """Cut small ranges, and read and update some by their bounds and some by lists of keys."""
    monkeypatch.setattr(settings(), "batch_size", 200)
    for module in (held, product_writes):
        monkeypatch.setattr(module, "FEW_KEYS", 200)
    monkeypatch.setattr(outbox, "WANTS_EACH", [lambda _: True])


def values(source: str, number: int) -> str:
    """Return the text that a source gives to each field of a product."""
    return f"{source} {number}"


def file_of(source: str, numbers) -> str:
    rows = []
    for number in numbers:
        value = values(source, number)
        rows.append(f"{'K' if number % 3 else 'k'}{number},{value},{value},{value}")
    return csv_of(*rows, header=HEAD)


class Edits:
    """Edits of single products of the same SKUs, one after the other, until `stop` is set."""

    def __init__(self, seed: int):
        self._random = random.Random(seed)
        self.stop = threading.Event()
        self.done = 0

    def run(self) -> None:
        while not self.stop.is_set():
            number = self._random.randrange(KEYS)
            edit = self._random.choice([self._create, self._update, self._update, self._delete])
            try:
                edit(number)
            except (Conflict, NotFound):
                # Another transaction has created or deleted it.
                continue
            self.done += 1

    def _fields(self, number: int) -> dict:
        value = values(f"edit{self.done}", number)
        return {"name": value, "description": value, "attributes": {"source": value}}

    def _create(self, number: int) -> None:
        db.run(catalog.create_product, ProductCreate(sku=f"k{number}", **self._fields(number)))

    def _update(self, number: int) -> None:
        db.run(catalog.update_product, self._id(number), ProductUpdate(**self._fields(number)))

    def _delete(self, number: int) -> None:
        db.run(catalog.delete_product, self._id(number))

    @staticmethod
    def _id(number: int) -> UUID:
        found = fetch(f"SELECT id FROM product WHERE sku_key = 'k{number}'")
        if not found:
            raise NotFound("not yet")
        return found[0][0]


def import_at_once(job_ids: list[UUID], edits: Edits) -> None:
    """Run imports in a thread each, beside edits; return when all have ended."""
    start = threading.Barrier(len(job_ids) + 1)

    def begin(work: Callable[[], None]) -> None:
        start.wait(LIMIT_SECONDS)
        work()

    with ThreadPoolExecutor(len(job_ids) + 1) as pool:
        edited = pool.submit(begin, edits.run)
        imported = [pool.submit(begin, partial(tasks.run, str(job_id))) for job_id in job_ids]
        try:
            for one in imported:
                one.result(LIMIT_SECONDS)
        finally:
            edits.stop.set()
        edited.result(LIMIT_SECONDS)


@pytest.mark.parametrize("seed", [1, 2])
def test_imports_and_edits_of_the_same_products_end_right(database, seed):
    for turn in ("new", "again"):
        job_ids = [upload(file_of(f"{source}-{turn}", numbers).encode()) for source, numbers in FILES.items()]
        edits = Edits(seed)
        import_at_once(job_ids, edits)
        assert edits.done
        for job_id, numbers in zip(job_ids, FILES.values(), strict=True):
            job = current(job_id)
            assert (job.status, job.error) == ("completed", None)
            assert (sum(counts(job)), job.rejected, job.duplicates) == (len(numbers), 0, 0)
            assert job.created + job.updated == written_by(job_id)
        check_products()


def test_a_large_range_is_written_beside_many_small_ones_of_another_import(database, monkeypatch):
    """Each small one that is committed first sends the large one back, until this is written alone."""
    monkeypatch.setattr(settings(), "batch_size", KEYS)
    monkeypatch.setattr(writers, "RETRIES", writers.RETRIES_BESIDE_OTHERS + 2)
    monkeypatch.setattr(spool, "SAMPLE_EVERY", 8)
    numbers = range(2 * KEYS)
    small, large = (
        upload(csv_of(*(f"k{n:05},{name},{text}" for n in numbers)).encode())
        for name, text in (("Small", "x" * 1_000), ("Large", "y"))
    )
    with ThreadPoolExecutor(2) as pool, monkeypatch.context() as patch:
        patch.setattr(cuts, "MAX_RANGE_BYTES", 50_000)
        first = pool.submit(tasks.run, str(small))
        wait_for(lambda: fetch("SELECT FROM import_range WHERE done_at IS NOT NULL"), LIMIT_SECONDS, "a small range")
        patch.undo()
        pool.submit(tasks.run, str(large)).result(LIMIT_SECONDS)
        first.result(LIMIT_SECONDS)
    jobs = [current(small), current(large)]
    assert [(job.status, job.created + job.updated) for job in jobs] == [("completed", len(numbers))] * 2
    assert sum(job.created for job in jobs) == len(numbers)
    assert fetch("SELECT count(*) FROM product WHERE (name = 'Large') <> (description = 'y')") == [(0,)]


def written_by(job_id: UUID) -> int:
    [(number,)] = fetch(f"SELECT count(*) FROM event WHERE batch_id = '{job_id}'")
    return number


def check_products() -> None:
    """Each product has all its values from who wrote it last; what is derived from products agrees with them."""
    products = {product[0]: product[1:] for product in fetch(PRODUCTS)}
    histories: dict[UUID, list[tuple[str, int, str]]] = {}
    for event_type, product_id, version, name in fetch(EVENTS):
        histories.setdefault(product_id, []).append((event_type, version, name))
    for product_id, (key, name, description, source, version) in products.items():
        assert name == description == source
        assert name.rpartition(" ")[2] == key[1:]
        assert histories[product_id][-1][1:] == (version, name)
    for product_id, history in histories.items():
        check_history(history, is_deleted=product_id not in products)
    assert fetch("SELECT sum(delta) FROM product_count") == [(len(products),)]
    changed = [product_id for (ids,) in fetch("SELECT product_ids FROM product_change") for product_id in ids]
    written = [event for history in histories.values() for event in history if event[0] != "product_deleted"]
    assert set(products) <= set(changed)
    assert len(changed) == len(written)


def check_history(history: list[tuple[str, int, str]], is_deleted: bool) -> None:
    """No version was written twice, and none is missing: no writer overwrote what it had not seen."""
    if is_deleted:
        assert history.pop(-1 if history[-1][0] == "product_deleted" else -2)[0] == "product_deleted"
    assert [version for _, version, _ in history] == list(range(1, len(history) + 1))
    assert [event_type for event_type, _, _ in history] == ["product_created"] + ["product_updated"] * (
        len(history) - 1
    )
