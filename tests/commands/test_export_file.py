"""The command `export` as a process: formats, columns, and files that are complete or as before."""

import io
import subprocess
import sys
from pathlib import Path

import click
import openpyxl
import pyarrow.parquet as pq
import pytest

from product_importer.catalog.export_query import ExportQuery
from product_importer.catalog.schemas import ProductCreate
from product_importer.catalog.service import create_product
from product_importer.commands.cli import cli
from product_importer.core import db
from tests.application import ROOT
from tests.imports.conftest import run_import

__all__ = ["run_import"]

pytestmark = pytest.mark.processes


@pytest.fixture
def catalogue(database: None) -> None:
    for product in (
        {"sku": "a", "name": "A", "attributes": {"size, cm": "1", "note": "x" * 40_000}},
        {"sku": "b", "name": "B", "active": False},
    ):
        db.run(create_product, ProductCreate.model_validate(product))


def run(*words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "product_importer", "export", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)


def refused(*words: str) -> str:
    """Return the one line with which the command ends."""
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (1, b"")
    [line] = ended.stderr.decode().splitlines()
    assert line.startswith("product-importer: ")
    return line


def test_the_ending_chooses_the_format(catalogue, tmp_path):
    starts = {
        "a.csv": b"sku,",
        "a.TXT": b"sku,",
        "a": b"sku,",
        "a.jsonl": b"{",
        "a.ndjson": b"{",
        "a.PARQUET": b"PAR1",
    }
    for name, start in starts.items():
        ended = run(str(tmp_path / name))
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"2 products exported.\n")
        assert (tmp_path / name).read_bytes().startswith(start)
    assert {path.name for path in tmp_path.iterdir()} == starts.keys()
    assert "a.ods: its ending names no format of exports" in refused(str(tmp_path / "a.ods"))
    assert run(str(tmp_path / "a.ods"), "--format", "jsonl", "--active", "false").returncode == 0
    assert (tmp_path / "a.ods").read_bytes().startswith(b'{"sku":"b"')


def test_standard_output_takes_any_format(catalogue):
    assert run("-", "--columns", "sku").stdout == b"sku\r\na\r\nb\r\n"
    table = pq.read_table(io.BytesIO(run("-", "--format", "parquet").stdout))
    assert table["size, cm"].to_pylist() == ["1", None]


def test_columns_are_chosen_one_by_one(catalogue, tmp_path):
    target = tmp_path / "a.xlsx"
    assert run(str(target), "--columns", "size, cm", "--columns", "active").returncode == 0
    sheet = openpyxl.load_workbook(target).active
    assert [list(row) for row in sheet.values] == [["size, cm", "active"], ["1", True], [None, False]]
    assert "“colour”" in refused("-", "--columns", "colour")
    assert "columns: “sku” is named twice" in refused("-", "--columns", "sku", "--columns", "sku")


def test_an_existing_file_is_replaced_only_when_all_is_written(catalogue, tmp_path: Path):
    target = tmp_path / "a.xlsx"
    target.write_text("as before")
    assert "“note” of the product “a”" in refused(str(target))
    assert (target.read_text(), list(tmp_path.iterdir())) == ("as before", [target])
    assert run(str(target), "--active", "false").returncode == 0
    assert target.read_bytes().startswith(b"PK") and list(tmp_path.iterdir()) == [target]


def test_what_an_import_created_is_exported_alone(catalogue, run_import):
    job = run_import("sku,name,description\nb,B,changed\nc,C,\n")
    assert run("-", "--import", str(job.id), "--columns", "sku").stdout.split() == [b"sku", b"c"]


def test_a_wrong_option_is_reported_before_the_work(catalogue, tmp_path):
    assert "import: " in refused("-", "--import", "yesterday")
    assert "format: " in refused("-", "--format", "ods")
    assert "cannot be written" in refused(str(tmp_path / "missing" / "a.csv"))


def test_export_has_an_option_for_each_choice_of_the_route():
    options = {option.name for option in cli.commands["export"].params if isinstance(option, click.Option)}
    assert options == {field.alias or name for name, field in ExportQuery.model_fields.items()}
