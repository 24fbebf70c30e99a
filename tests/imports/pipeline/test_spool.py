"""Rows are spooled in sorted runs, in the order of PostgreSQL's keys, and cut into ranges."""

import errno
import os
import shutil
import stat

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from product_importer.core import db
from product_importer.core.ids import new_id
from product_importer.core.settings import settings
from product_importer.imports import service, tasks
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.records import RowError
from product_importer.imports.pipeline import cuts, spool
from product_importer.imports.pipeline.error_buffer import SPOOLED_BYTES, ErrorBuffer
from product_importer.imports.pipeline.spool import Spool, SpoolFull, SpoolUnwritable
from product_importer.imports.progress import current
from tests.imports.conftest import upload

SCHEMA = pa.schema([("key", pa.string()), ("line", pa.int32())])
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
keys = st.one_of(st.sampled_from("abc"), texts.filter(bool))


def table(keys: list[str], first_line: int = 1) -> pa.Table:
    return pa.table([keys, list(range(first_line, first_line + len(keys)))], schema=SCHEMA)


def spooled(place: Spool, runs: list[list[str]]) -> list[tuple[str, int]]:
    """Add runs of keys, numbered by line; return all rows as they must be read again."""
    line = 1
    for run in runs:
        place.add(table(run, line))
        line += len(run)
    return sorted(zip([key for run in runs for key in run], range(1, line), strict=True))


def rows(found: pa.Table) -> list[tuple[str, int]]:
    return list(zip(found["key"].to_pylist(), found["line"].to_pylist(), strict=True))


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(keys, max_size=9), max_size=4), st.integers(1, 4), st.integers(1, 9))
def test_ranges_hold_each_row_once_in_the_order_of_keys_and_lines(monkeypatch, runs, batch_rows, range_rows):
    monkeypatch.setattr(spool, "BATCH_ROWS", batch_rows)
    monkeypatch.setattr(spool, "SAMPLE_EVERY", 2)
    monkeypatch.setattr(settings(), "batch_size", range_rows)
    with Spool(SCHEMA) as place:
        expected = spooled(place, runs)
        if not expected:
            return
        ranges = cuts.cut(place.sample())
        found = [rows(place.between(one.after, one.last)) for one in ranges]
    assert [row for part in found for row in part] == expected
    assert [one.number for one in ranges] == list(range(len(ranges)))
    ends = [one.last or "" for one in ranges[:-1]]
    assert ends == sorted(set(ends)) and ranges[-1].last is None


def test_ranges_have_about_the_batch_size():
    with Spool(SCHEMA) as place:
        for first in range(10):
            place.add(table([f"{number * 10 + first:06}" for number in range(5_000)]))
        ranges = cuts.cut(place.sample())
        sizes = [place.between(one.after, one.last).num_rows for one in ranges]
    assert len(ranges) == 50_000 // settings().batch_size
    assert max(sizes) < 1.5 * settings().batch_size


def test_wide_rows_are_cut_by_bytes(monkeypatch):
    monkeypatch.setattr(cuts, "MAX_RANGE_BYTES", 20_000)
    with Spool(SCHEMA) as place:
        place.add(table([f"{number:0200}" for number in range(1_000)]))
        assert len(cuts.cut(place.sample())) > 10


@given(st.lists(texts, unique=True, max_size=30))
def test_arrow_and_python_sort_keys_alike(found):
    assert spool.sort(table(found))["key"].to_pylist() == sorted(found)


def test_postgresql_sorts_keys_as_arrow_does(database):
    """Letters of each length in UTF-8; UTF-16 would sort the last two the other way round."""
    found = [
        "",
        "a",
        "B",
        "b",
        "~",
        "\x7f",
        "é",
        "ß",
        "\u07ff",
        "\u0800",
        "ﬀ",
        "\uffff",
        "\U00010000",
        "😀",
        "aé",
        "a😀",
    ]
    with db.engine().connect() as connection:
        query = 'SELECT key FROM unnest(%s::text[]) AS key ORDER BY key COLLATE "C"'
        ordered = [key for (key,) in connection.exec_driver_sql(query, (found,))]
    assert spool.sort(table(found[::-1]))["key"].to_pylist() == ordered


def test_a_spool_is_private_and_has_no_name():
    with Spool(SCHEMA) as place:
        place.add(table(["a"]))
        assert list(settings().spools.iterdir()) == []
        assert stat.S_IMODE(os.fstat(place.file.fileno()).st_mode) == 0o600
        assert stat.S_IMODE(settings().spools.stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_with_what_to_do(monkeypatch, number):
    def full(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with Spool(SCHEMA) as place:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(SpoolFull, match=f"room in {settings().spools} .* SPOOL_DIR"):
            place.add(table(["a"]))


def test_another_error_of_the_disk_is_not_called_a_full_one(monkeypatch):
    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    with Spool(SCHEMA) as place:
        monkeypatch.setattr(os, "write", broken)
        with pytest.raises(OSError, match="Input/output"):
            place.add(table(["a"]))


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_to_is_told_with_what_to_do(monkeypatch, number):
    def refused(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(SpoolUnwritable, match=f"{settings().spools}: {os.strerror(number)}.* SPOOL_DIR"):
        Spool(SCHEMA)


def test_an_import_without_a_folder_for_its_spool_fails_with_the_reason_and_can_be_retried(
    database, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("in the way")
    rows = "".join(f"s{number},Name,\n" for number in range(settings().batch_size + 1))
    job_id = upload(f"sku,name,description\n{rows}".encode())
    with monkeypatch.context() as patched:
        patched.setattr(settings(), "spool_dir", tmp_path / "file" / "spool")
        tasks.run_import(str(job_id))
    job = current(job_id)
    assert job.error is not None
    assert (job.status, job.error.code) == ("failed", "spool_unwritable")
    assert str(tmp_path) in job.error.message and "SPOOL_DIR" in job.error.message
    db.run(service.retry_import, job_id)
    tasks.run_import(str(job_id))
    assert current(job_id).created == settings().batch_size + 1


def test_a_spool_that_was_cut_short_is_an_error_and_no_rows_are_lost_in_silence():
    with Spool(SCHEMA) as place:
        place.add(table(["a", "b"]))
        os.ftruncate(place.file.fileno(), 8)
        with pytest.raises(OSError, match="shorter"):
            place.between("", None)


def test_many_rejected_rows_are_kept_though_the_folder_was_deleted(database):
    buffer = ErrorBuffer(new_id())
    shutil.rmtree(settings().spools, ignore_errors=True)
    wide = "x" * (SPOOLED_BYTES // 1_000)
    buffer.add(RowError(line, RowErrorCode.NO_SKU, "", [wide]) for line in range(1, 1_501))
    assert settings().spools.exists()
    with db.session() as session:
        buffer.copy(db.raw_connection(session))
        stored = session.scalar(text("SELECT count(*) FROM import_row_error"))
    buffer.close()
    assert stored == 1_500


def test_room_is_looked_at_before():
    spool.check_room(1_000)
    with pytest.raises(SpoolFull, match=r"needs about .* MB"):
        spool.check_room(1 << 60)
