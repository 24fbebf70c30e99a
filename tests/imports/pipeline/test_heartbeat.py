"""Compute and publish the progress of an import."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from product_importer.imports import progress
from product_importer.imports.pipeline import heartbeat
from product_importer.imports.pipeline.heartbeat import Heartbeat
from product_importer.imports.pipeline.lease import claim
from product_importer.imports.pipeline.steady import SteadyEstimate
from product_importer.imports.progress import current
from tests.imports.conftest import execute, upload
from tests.waiting import wait_for


def test_a_late_report_of_a_writer_does_not_lower_counts(database):
    """With lower counts the import would end with rows that are not counted."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    beating = Heartbeat(held)
    row = beating.row | {"phase": "merging", "total_rows": 4}
    beating.committed(row | {"created": 2, "updated": 2})
    beating.committed(row | {"created": 2, "updated": 0})
    assert (beating.row["created"], beating.row["updated"]) == (2, 2)
    assert beating.percent > 99


def test_rows_read_are_stored_before_they_are_published(database, monkeypatch):
    """Another worker, or a watcher without Redis, must not show less than before."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    published = []
    monkeypatch.setattr(heartbeat, "SHOW_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "READING_SECONDS", 0.0)
    monkeypatch.setattr(progress, "publish", lambda *_: published.append(current(held.job.id).rows_read))
    assert held is not None
    beating = Heartbeat(held)
    beating.rows_read, beating.bytes_read = 1, 27
    with beating:
        wait_for(lambda: published, 10, "progress is published")
    assert published[0] == 1
    assert current(held.job.id).percent == progress.READ_SHARE


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """Return a list whose only element is the time of the monotonic clock."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_time_left_is_computed_from_the_current_phase_only(database, clock):
    """Reading is fast and merging may be slow: half of it in 5 s does not predict a merge of 100 s."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    beating = Heartbeat(held)
    assert beating.pace().eta_seconds is None
    beating.bytes_read, clock[0] = beating.row["size_bytes"] // 2, 5.0
    reading = beating.pace().eta_seconds
    assert reading is not None and 30 < reading < 45
    beating.committed(beating.row | {"phase": "merging", "total_rows": 1000})
    beating.committed(beating.row | {"created": 500})
    clock[0] += 50.0
    assert beating.pace().eta_seconds == 50.0


@pytest.mark.parametrize("decided", [0, 500, 900], ids=["a dry run applied", "taken over", "taken over late"])
def test_the_pace_excludes_the_work_of_earlier_workers(database, clock, decided):
    """An earlier worker read all rows and merged some. The bar begins with these, the pace does not count them."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    held.job.percent, held.job.total_rows, held.job.created = 80.0 * bool(decided), 1000, decided
    beating = Heartbeat(held)
    clock[0] += 3.0
    beating.committed(beating.row | {"phase": "merging"})
    assert beating.pace().eta_seconds is None
    beating.committed(beating.row | {"created": decided + 50})
    clock[0] += 5.0
    assert beating.pace().eta_seconds == pytest.approx((950 - decided) / 10, abs=0.5)


def test_the_time_left_is_published_as_far_as_it_is_steady(database, monkeypatch):
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    published: list[float | None] = []
    monkeypatch.setattr(heartbeat, "SHOW_SECONDS", 0.01)
    monkeypatch.setattr(SteadyEstimate, "take", lambda *_: 42.0)
    monkeypatch.setattr(progress, "publish", lambda *given: published.append(given[-1].eta_seconds))
    assert held is not None
    with Heartbeat(held):
        wait_for(lambda: published, 10, "progress is published")
    assert (published[0], published[-1]) == (42.0, None)


def test_a_worker_that_lost_its_lease_stops_and_logs_it_once(database, monkeypatch, caplog):
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    monkeypatch.setattr(heartbeat, "SHOW_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "READING_SECONDS", 0.0)
    assert held is not None
    with Heartbeat(held) as beating:
        execute("UPDATE import_job SET fence = fence + 1")
        assert beating.halted.wait(10)
        beating._thread.join(10)
        assert not beating._thread.is_alive()
    assert caplog.text.count("taken over") == 1


def test_the_end_of_an_import_is_not_mistaken_for_a_lost_lease(database, caplog):
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    beating = Heartbeat(held)
    execute("UPDATE import_job SET status = 'completed'")
    beating.committed(beating.row | {"status": "completed"})
    beating._renew()
    assert not beating.halted.is_set()
    assert "taken over" not in caplog.text


def test_the_end_is_published_even_while_the_lease_is_being_renewed(database, monkeypatch):
    """Who watches an import would otherwise see its end only after the next poll."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    renewing, published, is_free = threading.Event(), threading.Event(), threading.Event()
    monkeypatch.setattr(heartbeat, "SHOW_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "READING_SECONDS", 0.0)

    def renew(_: Heartbeat) -> None:
        renewing.set()
        is_free.wait(10)

    monkeypatch.setattr(Heartbeat, "_renew", renew)
    monkeypatch.setattr(progress, "publish", lambda *_: published.set())
    with Heartbeat(held) as beating, ThreadPoolExecutor(1) as pool:
        assert renewing.wait(10)
        ending = pool.submit(beating.__exit__)
        try:
            assert published.wait(10), "the end is not published before the thread has ended"
        finally:
            is_free.set()
        ending.result()
