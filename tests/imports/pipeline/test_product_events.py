"""An event for each product that an import writes, where a webhook wants each."""

import pytest

from product_importer.core import outbox
from tests.imports.pipeline.test_runner import csv_of, fetch

WRITTEN = """
SELECT event_type, payload ->> 'sku', payload ->> 'name', version FROM event
WHERE event_type LIKE 'product_%%' AND batch_id = '{}' ORDER BY id
"""


@pytest.fixture(autouse=True)
def each_is_wanted(monkeypatch):
    monkeypatch.setattr(outbox, "WANTS_EACH", [lambda _: True])


def test_events_show_the_product_as_it_is_now_in_the_order_of_lines(run_import):
    run_import(csv_of("Held,Old,x", "same,Same,x"))
    job = run_import(csv_of("zebra,New,x", "HELD,Newer,x", "same,Same,x", "apple,Also new,x"))
    assert fetch(WRITTEN.format(job.id)) == [
        ("product_created", "zebra", "New", 1),
        ("product_updated", "Held", "Newer", 2),
        ("product_created", "apple", "Also new", 1),
    ]
    written = fetch("SELECT id::text, sku, version FROM product WHERE sku <> 'same'")
    named = fetch(
        f"SELECT payload ->> 'product_id', payload ->> 'sku', version FROM event WHERE batch_id = '{job.id}'"
    )
    assert sorted(named) == sorted(written)


def test_a_kept_name_is_in_the_event(run_import):
    run_import(csv_of("a,Kept,x"))
    job = run_import(csv_of("a,,y"), blank="keep")
    assert fetch(WRITTEN.format(job.id)) == [("product_updated", "a", "Kept", 2)]


def test_events_of_several_ranges_are_released_together(run_import):
    job = run_import(csv_of(*(f"s{n:04},Name {n},x" for n in range(3_500))))
    assert fetch(f"SELECT count(DISTINCT id), count(*) FROM event WHERE batch_id = '{job.id}'") == [(3_500, 3_500)]
    assert fetch(f"SELECT released_at IS NOT NULL FROM event_batch WHERE id = '{job.id}'") == [(True,)]
