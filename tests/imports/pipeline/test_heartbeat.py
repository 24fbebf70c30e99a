"""What the heartbeat computes from the progress of the work, and when it publishes it."""

import pytest

from product_importer.imports import progress
from product_importer.imports.pipeline import heartbeat
from product_importer.imports.pipeline.heartbeat import Heartbeat
from product_importer.imports.pipeline.lease import claim
from product_importer.imports.progress import current
from tests.imports.conftest import execute, upload
from tests.waiting import wait_for


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


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """What the monotonic clock says, in its only element."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_the_time_left_is_that_of_the_phase_not_of_the_phases_before(database, clock):
    """Reading is quick and merging may be slow: 5 s for half of it say nothing of a merge that takes 100 s."""
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
def test_what_others_have_done_is_not_taken_for_this_worker_s_pace(database, clock, decided):
    """All rows were staged by somebody else, and some are merged: the bar begins there, the pace does not."""
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


def test_a_worker_that_was_overtaken_stops_and_says_so_once(database, monkeypatch, caplog):
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


def test_the_end_of_an_import_is_not_taken_for_another_worker(database, caplog):
    held = claim(upload(b"sku,name,description\na,b,c\n"))
    assert held is not None
    beating = Heartbeat(held)
    execute("UPDATE import_job SET status = 'completed'")
    beating.committed(beating.row | {"status": "completed"})
    beating._renew()
    assert not beating.halted.is_set()
    assert "taken over" not in caplog.text
