"""What imports hold in SPOOL_DIR is reported by the process that holds it."""

import json
import sys
from typing import Any

import pyarrow as pa
import pytest

from product_importer.core import redis
from product_importer.core.settings import settings
from product_importer.imports import spools
from product_importer.imports.pipeline.spool import Spool
from tests import clocks
from tests.waiting import wait_for

# It answers with the bytes that all hold.
HOLDER = """
import tempfile
from product_importer.core.settings import settings
from product_importer.imports import spools
settings().spools.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryFile(buffering=0, dir=settings().spools) as file:
    file.write(bytes(1000))
    for _ in sys.stdin:
        spools.report()
        print(spools.reported_bytes(), flush=True)
"""
SCHEMA = pa.schema([("key", pa.string())])
needs_proc = pytest.mark.skipif(
    not spools.OPEN_FILES.exists(), reason=f"NOT TESTED: spooled bytes are not told on {sys.platform}"
)


@needs_proc
def test_only_what_is_open_in_the_folder_is_counted(database, tmp_path):
    before = spools.held_bytes()
    with (tmp_path / "elsewhere").open("wb") as elsewhere, Spool(SCHEMA) as spool:
        elsewhere.write(b"x" * 100_000)
        elsewhere.flush()
        assert spools.held_bytes() == before
        spool.add(pa.table([["a", "b"]], schema=SCHEMA))
        held = spools.held_bytes() - before
        assert 0 < held < 10_000
        spool.add(pa.table([["c", "d"]], schema=SCHEMA))
        assert spools.held_bytes() - before == 2 * held
    assert spools.held_bytes() == before
    assert not list(settings().spools.glob("*")), "the spool has a name"


@needs_proc
def test_what_a_process_holds_is_reported_during_a_block(database):
    with Spool(SCHEMA) as spool:
        spool.add(pa.table([["a", "b"]], schema=SCHEMA))
        with spools.reported():
            wait_for(lambda: spools.reported_bytes() == spools.held_bytes() > 0, 10, "the spool is reported")
        assert spools.reported_bytes() == 0


def test_reports_of_several_machines_add_up_and_those_of_killed_processes_expire(database):
    now = redis.now()
    reports = {"a:1": (now, 100), "b:1": (now, 20), "killed:7": (now - spools.EXPIRE_SECONDS - 1, 3000)}
    for process, report in reports.items():
        redis.client().hset(spools.KEY, process, json.dumps(report))
    assert spools.reported_bytes() == 120
    spools.report()
    spools.end_reporting()
    left: Any = redis.client().hkeys(spools.KEY)
    assert set(left) == {b"a:1", b"b:1"}


@needs_proc
def test_machines_add_up_however_wrong_their_clocks_are(database):
    with clocks.process(-clocks.HOUR, HOLDER) as behind, clocks.process(clocks.HOUR, HOLDER) as ahead:
        for holder in (behind, ahead):
            clocks.answer(holder)
        assert [clocks.answer(holder) for holder in (behind, ahead)] == ["2000"] * 2
        assert spools.reported_bytes() == 2000
        # It removes what killed processes have left.
        spools.end_reporting()
        assert spools.reported_bytes() == 2000


def test_an_import_does_not_need_redis_to_report(database, monkeypatch):
    from redis import Redis

    away = Redis.from_url("redis://127.0.0.1:1")
    monkeypatch.setattr(redis, "client", lambda: away)
    spools.report()
    spools.end_reporting()
