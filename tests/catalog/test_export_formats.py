"""The formats of exports by REST: content, chosen columns, limits, and what an abandoned export leaves."""

import io
import json
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from product_importer.api import api
from product_importer.catalog import export
from product_importer.catalog.export import Export
from product_importer.catalog.export_formats import parquet, records, workbook
from product_importer.catalog.export_query import ExportFormat
from product_importer.catalog.schemas import ProductFilter
from product_importer.core import db
from product_importer.core.errors import Unprocessable
from product_importer.core.settings import settings
from tests.access.records import entries
from tests.catalog.conftest import open_exports, problem
from tests.waiting import finish, wait_for

PRODUCTS: list[dict] = [
    {
        "sku": "007",
        "name": "=1+1",
        "description": " a\r\n\u2028",
        "attributes": {"size": "'=L", "a, b": "\U0001f44d"},
    },
    {"sku": "b", "name": '"B"', "description": "", "active": False, "attributes": {"colour": "red"}},
]


@pytest.fixture
def products(create) -> None:
    for product in PRODUCTS:
        create(**product)


def get(client, format: str, *columns: str, **filters: str) -> bytes:
    answer = client.get("/api/products/export", params={"format": format, "columns": columns, **filters})
    assert answer.status_code == 200, answer.text
    return answer.content


def sheet_of(content: bytes) -> list[list[tuple[str, Any]]]:
    """Return the type and the value of each cell."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return [[(cell.data_type, cell.value) for cell in row] for row in sheet.iter_rows()]


def left_behind() -> list[str]:
    return [path.name for path in settings().spools.glob("export-*")]


def expect_all_freed() -> None:
    # PostgreSQL ends a session a moment after its connection is closed.
    wait_for(lambda: open_exports() == 0, 10, "the export's session is over")
    assert left_behind() == []


@pytest.mark.parametrize(
    ("format", "media_type", "start"),
    [
        ("csv", "text/csv; charset=utf-8", b"sku,"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("jsonl", "application/jsonl", b"{"),
        ("parquet", "application/vnd.apache.parquet", b"PAR1"),
    ],
)
def test_a_format_has_its_type_and_name(client, products, format, media_type, start):
    answer = client.get(f"/api/products/export?format={format}")
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"] == f'attachment; filename="products.{format}"'
    assert answer.content.startswith(start)
    expect_all_freed()


def test_json_lines_hold_the_columns_as_they_are_stored(client, products):
    assert get(client, "jsonl").decode() == (
        r'{"sku":"007","name":"=1+1","description":" a\r\n\u2028","active":true,'
        '"a, b":"\U0001f44d","colour":null,"size":"\'=L"}\n'
        r'{"sku":"b","name":"\"B\"","description":"","active":false,"colour":"red"}'
        "\n"
    )
    assert get(client, "jsonl", q="nothing") == b""


def test_parquet_holds_texts_booleans_and_nulls(client, products):
    table = pq.read_table(io.BytesIO(get(client, "parquet")))
    required = [pa.field(name, pa.string(), nullable=False) for name in ("sku", "name", "description")]
    active = pa.field("active", pa.bool_(), nullable=False)
    assert table.schema == pa.schema(
        [*required, active, *(pa.field(n, pa.string()) for n in ("a, b", "colour", "size"))]
    )
    fields = ("sku", "name", "description", "active")
    assert table.to_pylist() == [
        {**{field: product.get(field, True) for field in fields}, "a, b": None, "colour": None, "size": None}
        | product["attributes"]
        for product in PRODUCTS
    ]
    assert pq.read_table(io.BytesIO(get(client, "parquet", q="nothing"))).num_rows == 0


def test_row_groups_of_parquet_are_bounded(client, create, monkeypatch):
    for number in range(7):
        create(f"SKU-{number}", description="x" * 1_000)
    monkeypatch.setattr(parquet, "GROUP_ROWS", 3)

    def groups() -> list[int]:
        found = pq.ParquetFile(io.BytesIO(get(client, "parquet")))
        assert found.read()["sku"].to_pylist() == [f"SKU-{number}" for number in range(7)]
        return [found.metadata.row_group(group).num_rows for group in range(found.num_row_groups)]

    assert groups() == [3, 3, 1]
    monkeypatch.setattr(parquet, "BATCH_CELLS", 8)
    assert groups() == [2, 2, 3]
    monkeypatch.setattr(parquet, "BATCH_CHARACTERS", 500)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 500)
    assert groups() == [1] * 7


def test_a_workbook_holds_texts_and_booleans(client, products):
    """What looks like a formula is a text, and has an apostrophe before it only where an import would remove one."""
    assert sheet_of(get(client, "xlsx")) == [
        [("s", name) for name in ("sku", "name", "description", "active", "a, b", "colour", "size")],
        [
            ("s", "007"), ("s", "=1+1"), ("s", " a_x000D_\n\u2028"), ("b", True),
            ("s", "\U0001f44d"), ("n", None), ("s", "''=L"),
        ],
        [("s", "b"), ("s", '"B"'), ("n", None), ("b", False), ("n", None), ("s", "red"), ("n", None)],
    ]  # fmt: skip
    assert len(sheet_of(get(client, "xlsx", q="nothing"))) == 1


@pytest.mark.parametrize("format", ExportFormat)
def test_columns_are_chosen_and_ordered(client, products, format):
    columns = ("a, b", "active", "sku")
    content = get(client, format, *columns)
    expected: list[list[Any]] = [["a, b", "active", "sku"], ["\U0001f44d", True, "007"], [None, False, "b"]]
    match format:
        case ExportFormat.CSV:
            assert content.decode() == '"a, b",active,sku\r\n\U0001f44d,true,007\r\n,false,b\r\n'
        case ExportFormat.XLSX:
            assert [[value for _, value in row] for row in sheet_of(content)] == expected
        case ExportFormat.JSONL:
            assert [list(json.loads(line).items()) for line in content.splitlines()] == [
                list(zip(columns, expected[1], strict=True)),
                [("active", False), ("sku", "b")],
            ]
        case ExportFormat.PARQUET:
            table = pq.read_table(io.BytesIO(content))
            assert [table.column_names, *map(list, zip(*table.to_pydict().values(), strict=True))] == expected


def test_only_fixed_columns_can_be_chosen(client, products):
    assert get(client, "csv", "description") == b'description\r\n" a\r\n\xe2\x80\xa8"\r\n""\r\n'
    assert get(client, "jsonl", "name", q="007") == b'{"name":"=1+1"}\n'


def test_a_column_that_only_other_products_have_is_blank(client, products):
    assert get(client, "csv", "sku", "colour", sku="007") == b"sku,colour\r\n007,\r\n"


def test_an_unknown_column_is_refused_with_those_that_exist(client, products):
    for format in ExportFormat:
        answer = client.get("/api/products/export", params={"format": format, "columns": ["sku", "color"]})
        [error] = problem(answer, 422, "invalid-fields")["errors"]
        assert error == {
            "field": "columns",
            "message": "No product has a column “color”. Did you mean “colour”? "
            "Possible are sku, name, description, active, a, b, colour, size.",
        }
    expect_all_freed()


@pytest.mark.parametrize(
    "query",
    ["columns=sku&columns=sku", "columns=", "columns=%00", "format=xls", "format=csv&format=csv", "column=sku"],
)
def test_an_invalid_choice_is_refused(client, query):
    assert problem(client.get(f"/api/products/export?{query}"), 422, "invalid-fields")["errors"]


def test_the_error_of_an_unknown_column_names_a_bounded_number(client, create, monkeypatch):
    create(attributes={"a": "1", "b": "2"})
    monkeypatch.setattr(export, "MAX_NAMED_COLUMNS", 5)
    answer = client.get("/api/products/export?columns=q")
    assert "Possible are sku, name, description, active, a and 1 more." in answer.json()["detail"]


def test_the_limits_of_a_workbook_are_excels():
    assert (workbook.MAX_ROWS, workbook.MAX_CHARACTERS, records.MAX_COLUMNS) == (2**20, 2**15 - 1, 2**14)


def test_too_many_rows_for_a_sheet_are_refused(client, create, monkeypatch):
    for number in range(3):
        create(f"SKU-{number}")
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    detail = problem(client.get("/api/products/export?format=xlsx"), 422, "invalid-fields")["detail"]
    assert "holds 3 rows" in detail and "format csv" in detail
    assert len(sheet_of(get(client, "xlsx", sku="SKU-1"))) == 2
    monkeypatch.setattr(workbook, "MAX_ROWS", 4)
    assert len(sheet_of(get(client, "xlsx"))) == 4


@pytest.mark.parametrize("character", ["x", "\r", "\U0001f44d"])
def test_a_text_too_long_for_a_cell_is_refused(client, create, character):
    """Excel counts what it shows, in units of UTF-16: not the bytes of an escape, and two for an emoji."""
    most = workbook.MAX_CHARACTERS // (2 if character > "\uffff" else 1)
    create("fits", attributes={"note": "<" + character * (most - 1)})
    assert len(sheet_of(get(client, "xlsx"))) == 2
    create("long", attributes={"note": character * (most + 1)})
    detail = problem(client.get("/api/products/export?format=xlsx"), 422, "invalid-fields")["detail"]
    assert "“note” of the product “long”" in detail and "format csv" in detail
    expect_all_freed()
    assert len(sheet_of(get(client, "xlsx", "sku"))) == 3


def test_a_text_too_long_for_a_cell_is_refused_before_anything_is_written(create):
    create("long", attributes={"note": "x" * (workbook.MAX_CHARACTERS + 1)})
    with pytest.raises(Unprocessable, match="“note” of the product “long”"):
        Export(ProductFilter(), (), ExportFormat.XLSX)
    expect_all_freed()


@pytest.mark.parametrize("format", ExportFormat)
def test_whether_an_export_is_possible_is_known_before_it(create, monkeypatch, format):
    create(attributes={"a": "1", "b": "2"})
    db.run(export.check, ProductFilter(), format)
    monkeypatch.setattr(records, "MAX_COLUMNS", 5)
    if format in (ExportFormat.XLSX, ExportFormat.PARQUET):
        with pytest.raises(Unprocessable, match="6 columns"):
            db.run(export.check, ProductFilter(), format)
    else:
        db.run(export.check, ProductFilter(), format)


@pytest.mark.parametrize("format", ["xlsx", "parquet"])
def test_too_many_columns_are_refused(client, create, monkeypatch, format):
    create(attributes={"a": "1", "b": "2"})
    monkeypatch.setattr(records, "MAX_COLUMNS", 5)
    detail = problem(client.get(f"/api/products/export?format={format}"), 422, "invalid-fields")["detail"]
    assert "6 columns; at most 5" in detail
    assert get(client, "jsonl") and get(client, format, "sku", "a")


def test_a_workbook_is_sent_when_the_database_is_free_again(create, run_import):
    run_import("sku,name,description\n" + "".join(f"K{n},N,D\n" for n in range(3_000)))
    prepared = Export(ProductFilter(), (), ExportFormat.XLSX)
    steps = 1
    while not prepared.is_prepared:
        prepared.prepare()
        steps += 1
    assert (steps, prepared.rows, len(left_behind())) == (4, 3_000, 1)
    wait_for(lambda: open_exports() == 0, 10, "the export's session is over")
    assert next(prepared).startswith(b"PK")
    prepared.close()
    assert left_behind() == []


@pytest.mark.parametrize("format", ExportFormat)
def test_a_client_that_goes_frees_everything(run_import, monkeypatch, format):
    run_import("sku,name,description\n" + "".join(f"K{n},N,D\n" for n in range(500)))
    monkeypatch.setattr(export, "ROWS_PER_PIECE", 1)
    monkeypatch.setattr(parquet, "GROUP_ROWS", 1)
    sent: list[dict[str, Any]] = []
    asked, steps = [], []
    prepare = Export.prepare

    def counted(prepared: Export) -> None:
        steps.append(1)
        prepare(prepared)

    monkeypatch.setattr(Export, "prepare", counted)

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return {"type": "http.request", "body": b""} if len(asked) == 1 else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    query = f"format={format}".encode()
    scope = {"type": "http", "method": "GET", "path": "/api/products/export", "query_string": query, "headers": []}
    finish(api(scope, receive, send))
    expect_all_freed()
    assert len(sent) < 100 and len(steps) < 5
    # What was read until then is recorded.
    [recorded] = entries("products_exported")
    assert recorded.details["format"] == format and recorded.details["rows"] < 500
