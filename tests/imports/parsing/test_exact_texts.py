"""Texts of JSON and Parquet are imported as they are, whatever a spreadsheet would make of them."""

import io
import json

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyarrow import parquet

from product_importer.core.csv_injection import unescape
from product_importer.core.edges import trim
from product_importer.imports.columns.header import match
from product_importer.imports.parsing.exact_texts import as_cell, as_name
from product_importer.imports.parsing.text_formulas import unwrap

LOOKALIKE = st.one_of(st.text(), st.text("'= \"+x"), st.from_regex('\'*="[^"]?"', fullmatch=True))
PRODUCTS = [
    {
        "sku": "'=1+1",
        "name": '="00123"',
        "description": '="x"',
        "'=price": " ' spaced ",
        '="size"': "''@",
        "=sum": '\'="y"',
        "'tis": "'-",
    },
    {
        "sku": '="1"',
        "name": "'-n",
        "description": " '=2\n",
        "'=price": "'=3",
        '="size"': ' ="z" ',
        "=sum": '="',
        "'tis": "'90s",
    },
]
FIELDS = ("sku", "name", "description")


def imported(cell: str) -> str:
    """What an import makes of a cell."""
    return unescape(unwrap(cell))


def as_parquet() -> bytes:
    target = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(PRODUCTS), target)
    return target.getvalue()


FILES = {
    "jsonl": "".join(json.dumps(product) + "\n" for product in PRODUCTS).encode(),
    "json": json.dumps(PRODUCTS).encode(),
    "parquet": as_parquet(),
}


@given(text=LOOKALIKE)
@example(text="'=1")
@example(text='="1"')
@example(text='\'="1"')
def test_an_import_reads_a_cell_as_the_text_it_was_made_of(text):
    assert imported(as_cell(text)) == text


@given(name=LOOKALIKE.map(trim).filter(lambda name: name and name.casefold() not in (*FIELDS, "active")))
@example(name="'=1")
@example(name='="1"')
def test_an_attribute_has_the_name_of_its_key(name):
    header = match([*FIELDS, *map(unwrap, [as_name(f" {name}")])])
    assert next(iter(header.attributes.values())) in (name, f"{name} (2)")


@pytest.mark.processes
@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_texts_and_keys_are_stored_as_they_are(run_import, client, content):
    job = run_import(content)
    assert (job.status, job.created, job.warnings) == ("completed", 2, [])
    found = client.get("/api/products", params={"sort": "created_at"}).json()["items"]
    stored = {product["sku"]: {name: product[name] for name in FIELDS} | product["attributes"] for product in found}
    assert stored == {product["sku"]: product for product in PRODUCTS}


def test_rejected_texts_are_the_same_when_their_csv_is_imported(run_import, client):
    product = {**PRODUCTS[0], "name": ""}
    job = run_import(json.dumps(product))
    assert job.rejected == 1
    rejects = client.get(f"/api/jobs/{job.id}/rejects").text.replace(",,", ",N,", 1)
    assert run_import(rejects).created == 1
    [stored] = client.get("/api/products").json()["items"]
    assert {name: stored[name] for name in FIELDS} | stored["attributes"] == {**product, "name": "N"}
