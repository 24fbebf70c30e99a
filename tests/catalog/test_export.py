"""Export the catalogue: every format can be imported again, CSV by REST and by command."""

import csv
import io
import sys
import threading
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from product_importer.catalog import export
from product_importer.catalog.export import Export
from product_importer.catalog.export_query import ExportFormat
from product_importer.catalog.schemas import RESERVED, ProductCreate, ProductFilter, sku_key
from product_importer.catalog.service import create_product
from product_importer.commands.cli import main
from product_importer.core import db
from product_importer.core.edges import trim
from tests.catalog.conftest import open_exports
from tests.examples import examples
from tests.waiting import wait_for

DIFFICULT: list[dict] = [
    {"sku": "007", "name": "=1+1", "description": ' "quoted", \r\n and\rbroken\n ', "attributes": {"=cmd": "-5"}},
    {"sku": "'=x", "name": "''@y", "description": "\t=1", "active": False, "attributes": {"'+a": "'", 'ä, "ö"': " "}},
    {"sku": "1e5", "name": "+49 30", "description": "", "attributes": {"column 3": "x", "a (2)": "\r", "a": "\n"}},
    {"sku": "\\.", "name": "\ufeffName", "description": "'tis"},
    {"sku": "0012345678901234567890", "name": "TRUE", "description": "NULL", "attributes": {"a": "\U0001f44d\u2028"}},
    {"sku": "_x000D_", "name": "_x0041_x0042_", "description": "_x005F_x000D_\x01\x0b\x1f\x7f\ufffe\uffff"},
    {
        "sku": "<r>",
        "name": "<r>a<b</r>",
        "description": "</t>&amp;]]>",
        "attributes": {"<&>": "2026-01-01", "b": "1.0"},
    },
]
# Longer than a cell of Excel may be.
LONG = {
    "sku": "=" + "x" * 254,
    "name": "@" * 1_000,
    "description": "-" * 100_000,
    "attributes": {"a": "=" * 100_000},
}
# The formats that an import reads.
IMPORTED = list(ExportFormat)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def stored() -> list[tuple]:
    with db.engine().connect() as connection:
        columns = "id, sku, sku_key, name, description, active, attributes, version, updated_at"
        return list(map(tuple, connection.exec_driver_sql(f"SELECT {columns} FROM product ORDER BY sku_key")))


def empty() -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product")


def exported(format: ExportFormat = ExportFormat.CSV, columns: Sequence[str] = (), **criteria) -> bytes:
    return b"".join(Export(ProductFilter(**criteria), columns, format))


def round_trip(run_import, format: ExportFormat) -> None:
    """Check that an import of the export changes nothing, and that it restores an empty catalogue."""
    content, before = exported(format), stored()
    again = run_import(content, f"products.{format}")
    assert (again.status, again.unchanged, again.total_rows) == ("completed", len(before), len(before))
    assert stored() == before
    empty()
    fresh = run_import(content, f"products.{format}")
    assert (fresh.status, fresh.created) == ("completed", len(before))
    assert [row[1:7] for row in stored()] == [row[1:7] for row in before]


@pytest.mark.parametrize("format", IMPORTED)
def test_difficult_products_survive_export_and_import(create, run_import, format):
    for product in DIFFICULT if format == ExportFormat.XLSX else [*DIFFICULT, LONG]:
        create(**product)
    round_trip(run_import, format)


text = st.text(
    st.one_of(
        st.sampled_from("'=+-@\t\r\n\",\\ aA_x0<"), st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    ),
    max_size=8,
)
shown = text.filter(trim)
labels = shown.filter(lambda name: "".join(name.split()).isprintable() and trim(name).casefold() not in RESERVED)


def has_each_name_once(given_product: dict) -> bool:
    given_names = list(given_product.get("attributes", {}))
    return len(set(map(str.strip, given_names))) == len(given_names)


product = st.fixed_dictionaries(
    {"sku": shown, "name": shown, "description": text, "active": st.booleans()},
    optional={"attributes": st.dictionaries(labels, text, max_size=3)},
).filter(has_each_name_once)


@pytest.mark.parametrize("format", IMPORTED)
@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(product, min_size=1, max_size=6, unique_by=lambda given: sku_key(str(given["sku"]))))
@example([{"sku": "a", "name": "b", "description": "", "active": True, "attributes": {"'=": "x", "=": "y"}}])
def test_any_products_survive_export_and_import(run_import, format, products):
    empty()
    for given_product in products:
        db.run(create_product, ProductCreate.model_validate(given_product))
    round_trip(run_import, format)


def test_columns_are_the_fields_and_then_each_attribute_in_use(client, create):
    create("a", "A", description="d", attributes={"size": "L"})
    create("b", "B", active=False, attributes={"colour": "red", "size": ""})
    answer = client.get("/api/products/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="products.csv"'
    assert answer.content == (
        b"sku,name,description,active,colour,size\r\na,A,d,true,,L\r\nb,B,,false,red,\r\n"
    )  # fmt: skip


def test_a_filter_narrows_rows_and_columns(client, create):
    create("a", "A", attributes={"size": "L"})
    create("b", "B", active=False, attributes={"colour": "red"})
    assert client.get("/api/products/export?active=false").text.splitlines() == [
        "sku,name,description,active,colour",
        "b,B,,false,red",
    ]
    assert client.get("/api/products/export?q=nothing").text == "sku,name,description,active\r\n"


def test_an_empty_catalogue_is_exported_as_a_header(client, run_import):
    assert client.get("/api/products/export").text == "sku,name,description,active\r\n"
    assert run_import("sku,name,description,active\r\n").total_rows == 0


def test_changes_during_an_export_are_not_in_it(create, monkeypatch):
    """Columns and rows are read in the same snapshot."""
    monkeypatch.setattr(export, "ROWS_PER_PIECE", 2)
    for n in range(5):
        create(f"SKU-{n}", attributes={"a": "1"})
    pieces = iter(Export(ProductFilter()))
    written = next(pieces) + next(pieces)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("""UPDATE product SET name = 'new', attributes = '{"b": "2"}'""")
    create("SKU-5", attributes={"c": "3"})
    header, *body = rows((written + b"".join(pieces)).decode())
    assert header[4:] == ["a"]
    assert [row[:2] + row[4:] for row in body] == [[f"SKU-{n}", "Name", "1"] for n in range(5)]


def test_an_export_streams_at_once_in_constant_memory(run_import):
    file = "sku,name,description\n" + "".join(f"K{n:05},N,{'d' * 100}\n" for n in range(5_000))
    assert run_import(file).created == 5_000
    export = Export(ProductFilter())
    sizes = [len(piece) for piece in export]
    assert sizes[0] == len("sku,name,description,active")
    assert (export.rows, len(sizes)) == (5_000, 7)


@pytest.mark.parametrize("format", ExportFormat)
@pytest.mark.parametrize("is_closed", [True, False])
def test_an_abandoned_export_closes_its_connection(create, format, is_closed):
    create()
    before = threading.active_count()
    export = Export(ProductFilter(), (), format)
    assert open_exports() == 1
    if is_closed:
        export.close()
    del export
    # PostgreSQL ends the session a moment after the connection is closed.
    wait_for(lambda: open_exports() == 0, 10, "the export's session is over")
    assert threading.active_count() == before


@pytest.fixture
def quiet_logs(monkeypatch):
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)


def test_the_command_writes_a_file_and_says_how_many(create, tmp_path, capsys, quiet_logs):
    for n in range(3):
        create(f"SKU-{n}", "Größe\nL")
    target = tmp_path / "out.csv"
    assert main(["export", str(target)]) == 0
    assert target.read_bytes() == exported()
    assert list(tmp_path.iterdir()) == [target]
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "3 products exported.\n")


def test_the_command_writes_to_standard_output(create, capsysbinary, quiet_logs):
    create("a", "Größe", description="1\r\n2")
    create("b", active=False)
    assert main(["export", "-", "--active", "true", "--name", "gR"]) == 0
    captured = capsysbinary.readouterr()
    assert captured.out == 'sku,name,description,active\r\na,Größe,"1\r\n2",true\r\n'.encode()
    assert captured.err == b"1 product exported.\n"


def test_the_command_reports_errors(create, tmp_path, quiet_logs):
    with pytest.raises(SystemExit, match="cannot be written"):
        main(["export", str(tmp_path / "missing" / "out.csv")])
    with pytest.raises(SystemExit, match="active: "):
        main(["export", "-", "--active", "perhaps"])
    assert sys.stdout.writable()
