"""Options that mean nothing for the kind of a file are refused by name, and not ignored."""

import gzip
import io

import pyarrow as pa
import pytest
from pyarrow import parquet

from product_importer.core.storage import storage
from tests.imports.parsing.books.made_books import ods, xls, xlsb, xlsx

SHEETS = {"Prices": [["sku", "name", "description"], ["a", "b", "c"]]}
LINES = b'{"sku": "a", "name": "b", "description": "c"}\n'
TEXT_OPTIONS = {"encoding": "utf-8", "delimiter": ",", "header_line": "1"}


def as_parquet() -> bytes:
    target = io.BytesIO()
    parquet.write_table(pa.table({"sku": ["a"], "name": ["b"], "description": ["c"]}), target)
    return target.getvalue()


BOOKS = {"xlsx": xlsx(SHEETS), "xls": xls(SHEETS), "xlsb": xlsb(SHEETS), "ods": ods(SHEETS)}
OTHERS = {"jsonl": LINES, "json": b"[" + LINES + b"]", "packed jsonl": gzip.compress(LINES), "parquet": as_parquet()}
CASES = [
    *[(kind, content, {"encoding": "utf-8", "delimiter": ","}) for kind, content in BOOKS.items()],
    *[(kind, content, TEXT_OPTIONS | {"sheet": "Prices"}) for kind, content in OTHERS.items()],
]


@pytest.mark.parametrize(("content", "options"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_meaningless_option_is_named_with_422(client, content, options):
    answer = client.post("/api/upload-csv", files={"file": ("a", content)}, data=options)
    assert answer.status_code == 422, answer.text
    assert {error["field"] for error in answer.json()["errors"]} == set(options)
    assert all(error["message"].endswith("Leave it out.") for error in answer.json()["errors"])
    assert list(storage().keys()) == []


@pytest.mark.processes
@pytest.mark.parametrize("content", BOOKS.values(), ids=BOOKS)
def test_a_sheet_of_a_workbook_means_something(client, content):
    answer = client.post("/api/upload-csv", files={"file": ("a", content)}, data={"sheet": "prices"})
    assert answer.status_code == 202, answer.text
