"""Parquet files are read as text, within limits."""

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from product_importer.core.errors import Invalid, TooLarge, Unprocessable
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing import parquet_process
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.limited_process import LimitedProcess
from product_importer.imports.parsing.parquet import reader
from product_importer.imports.parsing.parquet.reader import ParquetRecords
from product_importer.imports.parsing.records import Unreadable
from tests.imports.parsing.reading import Rows, detected, rows_of
from tests.imports.parsing.test_exact_texts import imported

PARQUET = Format(kind="parquet")
CATALOGUE = {"sku": ["a", "b"], "name": ["A", "B"], "description": ["x", None], "price": [1.5, 2.0]}


def written(columns: dict[str, Any] | pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    parquet.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), target, **options)
    return target.getvalue()


def rows(content: bytes) -> Rows:
    found, errors = rows_of(content, PARQUET)
    assert errors == []
    return found


def column(values: list[Any], kind: pa.DataType) -> list[str]:
    return [row[0] for _, row in rows(written({"a": pa.array(values, kind)}))]


def test_all_row_groups_are_read_and_numbered():
    content = written({"a": [str(n) for n in range(12_000)]}, row_group_size=700)
    assert rows(content) == [(n + 1, [str(n)]) for n in range(12_000)]


@pytest.mark.parametrize(
    ("kind", "values", "texts"),
    [
        (pa.string(), ["", "Größe", None], ["", "Größe", ""]),
        (pa.large_string(), ["a", None], ["a", ""]),
        (pa.dictionary(pa.int8(), pa.string()), ["a", None, "a"], ["a", "", "a"]),
        (pa.bool_(), [True, False, None], ["true", "false", ""]),
        (pa.int64(), [12345678901234567, -1, None], ["12345678901234567", "-1", ""]),
        (pa.uint64(), [2**64 - 1], ["18446744073709551615"]),
        (pa.float64(), [1.1, 12345.0, 0.1 + 0.2], ["1.1", "12345", "0.30000000000000004"]),
        (pa.float64(), [float("nan"), None], ["", ""]),
        (pa.float32(), [1.1, 3.0], ["1.1", "3"]),
        (pa.float64(), [10.0, 100.0, 1e20, 1e-7], ["10", "100", "1e+20", "1e-7"]),
        (pa.float64(), [4006381333931.0, -1e14, 1e15, None], ["4006381333931", "-100000000000000", "1e+15", ""]),
        (pa.float32(), [4006381333931.0], ["4.0063814e+12"]),
        (pa.decimal128(20, 2), [Decimal("1.10"), Decimal("-7"), None], ["1.10", "-7.00", ""]),
        (pa.decimal256(60, 10), [Decimal("0.0000000001")], ["0.0000000001"]),
        (pa.date32(), [date(2026, 11, 28), None], ["2026-11-28", ""]),
        (pa.date64(), [date(1969, 1, 2)], ["1969-01-02"]),
        (pa.time64("us"), [time(10, 30), time(0, 0, 0, 120_000)], ["10:30:00", "00:00:00.12"]),
        (pa.timestamp("us"), [datetime(2026, 11, 28, 10, 30, 0, 500_000)], ["2026-11-28T10:30:00.5"]),
        (pa.timestamp("ns"), [datetime(2026, 11, 28), None], ["2026-11-28T00:00:00", ""]),
        (pa.timestamp("ms", "Europe/Berlin"), [datetime(2026, 1, 2, 3, tzinfo=UTC)], ["2026-01-02T03:00:00Z"]),
        (pa.list_(pa.int64()), [[1, None], [], None], ["[1,null]", "[]", ""]),
        (pa.struct({"x": pa.string(), "y": pa.decimal128(9, 2)}), [{"x": "ü", "y": Decimal("1.10")}],
         ['{"x":"ü","y":1.10}']),
        (pa.map_(pa.string(), pa.float64()), [[("k", 1.0), ("l", 0.5)], []], ['{"k":1,"l":0.5}', "[]"]),
        (pa.list_(pa.timestamp("us")), [[datetime(2026, 1, 2)]], ['["2026-01-02T00:00:00"]']),
        (pa.null(), [None, None], ["", ""]),
    ],
)  # fmt: skip
def test_each_type_has_its_text(kind, values, texts):
    # A row that is all blank is left out by the caller, not here.
    assert column(values, kind) == texts


@given(values=st.lists(st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))), min_size=1))
def test_texts_are_read_as_they_are(values):
    """Those that look like an escape for spreadsheets are escaped once more, which the import removes."""
    assert list(map(imported, column(values, pa.string()))) == [value or "" for value in values]


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_floating_point_number_keeps_its_value(values):
    assert list(map(float, column(values, pa.float64()))) == values


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (pa.binary(), [b"x"], "binary"),
        (pa.binary(4), [b"abcd"], "fixed_size_binary"),
        (pa.list_(pa.binary()), [[b"x"]], "binary"),
        (pa.list_(pa.struct({"t": pa.timestamp("ns")})), [[{"t": datetime(2026, 1, 1)}]], "inside a list"),
    ],
)
def test_a_column_that_is_no_text_is_refused_by_name(kind, values, words):
    with pytest.raises(Unreadable, match="“photo”") as raised:
        ParquetRecords(io.BytesIO(written({"photo": pa.array(values, kind)})))
    assert words in raised.value.message


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "brotli", "lz4"])
def test_every_codec_and_a_dictionary_are_read(codec):
    content = written({"a": ["x" * 100, "y"] * 9_000, "b": pa.array(["l"] * 18_000)}, compression=codec)
    assert rows(content)[-1] == (18_000, ["y", "l"])


def test_a_long_text_that_many_rows_share_is_read_in_small_chunks():
    content = written({"a": ["x" * 1_000_000] * 60})
    assert len(content) < 100_000
    sizes = [len(chunk) for chunk in ParquetRecords(io.BytesIO(content)).chunks()]
    assert (sum(sizes), max(sizes) * 1_000_000 <= reader.MAX_CHUNK_BYTES) == (60, True)


def test_a_row_that_is_too_long_is_rejected():
    content = written({"a": ["x", "y" * (4 * 1024 * 1024 + 1), "z"], "b": ["1"] * 3})
    found, [error] = rows_of(content, PARQUET)
    assert (found, error.line, error.code) == ([(1, ["x", "1"]), (3, ["z", "1"])], 2, "too_long")


def test_a_nul_is_seen():
    [chunk] = ParquetRecords(io.BytesIO(written({"a": ["x\0", "y"]}))).chunks()
    assert chunk.has_nul()


@pytest.mark.processes
def test_a_parquet_file_is_imported(run_import, client):
    job = run_import(written(CATALOGUE), "catalogue.csv")
    assert (job.status, job.created, job.format.kind, job.format.container) == ("completed", 2, "parquet", "plain")
    [first, second] = client.get("/api/products?sort=sku").json()["items"]
    assert (first["sku"], first["attributes"], second["attributes"]) == ("a", {"price": "1.5"}, {"price": "2"})


@pytest.mark.processes
def test_options_about_text_are_refused():
    with pytest.raises(Unprocessable) as raised:
        detected(written(CATALOGUE), ImportOptions(delimiter=";"))
    assert "Parquet" in raised.value.detail


@pytest.mark.processes
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content[:200],
        lambda content: content[:4] + bytes(len(content) - 8) + content[-4:],
        lambda content: content[:-8] + b"\xff\xff\xff\x7f" + content[-4:],
        lambda content: content[:-8] + b"\xff\xff\xff\xff" + content[-4:],
        lambda content: content.replace(b"description", b"descr\xff\xfetion"),
        lambda content: content[:30] + b"\xff" * 60 + content[90:],
        lambda content: b"PAR1\x15" + bytes(3),
    ],
)
def test_a_damaged_file_is_refused_and_nothing_is_left(client, damage):
    content = damage(written(CATALOGUE | {"more": ["x" * 200, "y" * 200]}, compression="none"))
    answer = client.post("/api/upload-csv", files={"file": ("a.parquet", content)})
    assert answer.status_code == 400, answer.text
    assert list(storage().keys()) == []


@pytest.mark.processes
def test_a_bomb_is_refused_by_its_unpacked_size(monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 3)
    monkeypatch.setattr(parquet_process, "READER", LimitedProcess("product_importer.imports.parsing.parquet_head"))
    with pytest.raises(TooLarge, match="3 MB"):
        detected(written(CATALOGUE | {"more": ["x" * 2_000_000] * 2}))


@pytest.mark.processes
def test_a_page_that_fills_the_memory_ends_only_the_process(monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 4_000)
    monkeypatch.setattr(parquet_process, "READER", LimitedProcess("product_importer.imports.parsing.parquet_head"))
    # Without Arrow's own schema, the reader does not know that the texts in the lists are one.
    same = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), ["x" * 1_000_000])
    lists = pa.ListArray.from_arrays(pa.array(range(5_001), pa.int32()), same)
    content = written({"sku": lists}, store_schema=False)
    assert len(content) < 500_000
    with pytest.raises(Invalid, match="memory"):
        detected(content)


@pytest.mark.processes
def test_too_many_columns_are_refused():
    with pytest.raises(Invalid) as raised:
        detected(written({f"c{number}": ["1"] for number in range(2_001)}))
    assert raised.value.kind == "too-many-columns"
