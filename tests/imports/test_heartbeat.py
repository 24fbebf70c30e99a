"""What the heartbeat makes of what the work reports, and in which order it tells of it."""

from product_importer.imports import heartbeat, progress
from product_importer.imports.heartbeat import Heartbeat
from product_importer.imports.lease import claim
from product_importer.imports.progress import current
from tests.waiting import wait_for

from .conftest import upload


def test_a_lane_that_reports_late_does_not_take_back_what_another_has_counted(database):
    """Taken for the last word, its row would make the import end with rows that have no outcome."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    beating = Heartbeat(held)
    row = beating.row | {"phase": "merging", "total_rows": 4}
    beating.committed(row | {"created": 2, "updated": 2})
    beating.committed(row | {"created": 2, "updated": 0})
    assert (beating.row["created"], beating.row["updated"]) == (2, 2)
    assert beating.percent > 99


def test_what_is_read_is_in_the_row_before_anybody_is_told(database, monkeypatch):
    """Another worker, or a watcher without Redis, must not begin below what was shown."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    told = []
    monkeypatch.setattr(heartbeat, "SHOW_SECONDS", 0.01)
    monkeypatch.setattr(heartbeat, "READING_SECONDS", 0.0)
    monkeypatch.setattr(progress, "publish", lambda *_: told.append(current(held.job.id).rows_read))
    assert held is not None
    beating = Heartbeat(held)
    beating.rows_read, beating.bytes_read = 1, 27
    with beating:
        wait_for(lambda: told, 10, "somebody is told")
    assert told[0] == 1
    assert current(held.job.id).percent == progress.READ_SHARE


def test_the_time_left_is_that_of_the_phase_not_of_the_phases_before(database, monkeypatch):
    """Reading is quick and merging may be slow: 10 s of reading say nothing of a merge that does 1 % a second."""
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    beating = Heartbeat(held)
    assert beating.pace().eta_seconds is None
    beating.bytes_read, clock[0] = beating.row["size_bytes"] // 2, 5.0
    reading = beating.pace().eta_seconds
    assert reading is not None and 30 < reading < 45
    beating.committed(beating.row | {"phase": "merging", "total_rows": 1000})
    begun = beating.percent
    beating.committed(beating.row | {"created": 500})
    clock[0] += 50.0
    assert beating.percent > begun + 30
    assert beating.pace().eta_seconds == 50.0
