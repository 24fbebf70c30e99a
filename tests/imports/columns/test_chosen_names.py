"""Attributes with names of one's choice: from the option to the product, and back by the file of rejected rows."""

import json

import pytest

from product_importer.core.errors import Unprocessable
from product_importer.imports.columns.header import match
from product_importer.imports.options import parse
from product_importer.imports.progress import current
from tests.imports.conftest import row_errors
from tests.imports.pipeline.test_runner import fetch

NAMES = ["sku", "name", "description", "Farbe", "Größe"]
FILE = "sku,name,description,Farbe,Größe\na,A,1,rot,XL\n,B,2,blau,S\n"


def rejects_of(client, job_id) -> str:
    return client.get(f"/api/jobs/{job_id}/rejects").text


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("attribute:", "must not be blank"),
        ("attribute: \u200b ", "must not be blank"),
        ("attribute:SKU", "another column of the product"),
        ("attribute:_line", "another column of the product"),
        ("attribute:a\0b", "control characters"),
        ("attribute:a\u202eb", "control characters or invisible ones"),
        ("attribute:" + "x" * 101, "at most 100 characters"),
        ("attributes", "Should be sku, name, description, active, attribute, attribute:NAME or ignore"),
        ("", "Should be sku"),
    ],
)
def test_a_target_that_is_not_possible_is_refused_with_its_reason(target, message):
    with pytest.raises(Unprocessable) as error:
        parse({"columns": json.dumps({"Farbe": target})})
    [found] = error.value.extra["errors"]
    assert found["field"] == "columns.Farbe"
    assert message in found["message"]


def test_a_chosen_name_is_trimmed_and_has_up_to_100_characters():
    name = "x" * 100
    columns = parse({"columns": {"a": "attribute: colour ", "b": f"attribute:{name}"}}).columns
    assert columns == {"a": "attribute:colour", "b": f"attribute:{name}"}


def test_a_header_has_the_chosen_names():
    header = match(NAMES, {"farbe": "attribute:colour"})
    assert header.fields == ("sku", "name", "description", "attribute:colour", "")
    assert header.attributes == {3: "colour", 4: "Größe"}


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        ({"Farbe": "attribute:x", "Größe": "attribute:x"}, ["columns.Farbe", "columns.Größe"]),
        ({"Farbe": "attribute:Größe"}, ["columns.Farbe"]),
    ],
)
def test_a_chosen_name_that_another_attribute_has_is_refused(columns, fields):
    with pytest.raises(Unprocessable, match="Choose another name") as error:
        match(NAMES, columns)
    assert [one["field"] for one in error.value.extra["errors"]] == fields


def test_columns_of_one_name_cannot_have_one_chosen_name():
    with pytest.raises(Unprocessable, match="Choose another name"):
        match([*NAMES, "Farbe"], {"Farbe": "attribute:colour"})


def test_a_number_that_makes_a_name_unique_avoids_chosen_names():
    header = match(["sku", "name", "description", "a", "a", "b"], {"b": "attribute:a (2)"})
    assert header.attributes == {3: "a", 4: "a (3)", 5: "a (2)"}


def test_columns_that_swap_their_names_are_accepted():
    header = match(NAMES, {"Farbe": "attribute:Größe", "Größe": "attribute:Farbe"})
    assert header.attributes == {3: "Größe", 4: "Farbe"}


def test_an_attribute_is_imported_and_shown_with_its_chosen_name(client, run_import):
    job = run_import(FILE, columns=json.dumps({"Farbe": "attribute:colour"}))
    assert fetch("SELECT attributes FROM product") == [({"colour": "rot", "Größe": "XL"},)]
    assert current(job.id).columns["Farbe"] == "attribute:colour"
    assert client.get(f"/api/jobs/{job.id}").json()["columns"]["Farbe"] == "attribute:colour"


def test_a_corrected_file_of_rejected_rows_gives_the_same_attributes(client, run_import):
    job = run_import(FILE, columns=json.dumps({"Farbe": "attribute:colour"}))
    rejects = rejects_of(client, job.id)
    assert rejects.startswith("sku,name,description,Farbe,Größe,_line")
    run_import(rejects.replace("\n,B", "\nb,B"))
    assert fetch("SELECT attributes FROM product WHERE sku = 'b'") == [({"colour": "blau", "Größe": "S"},)]


def test_a_row_is_edited_under_the_chosen_name(client, run_import):
    job = run_import(FILE, columns=json.dumps({"Farbe": "attribute:colour"}), dry_run="true")
    edit = {"rows": [{"line": 2, "cells": {"colour": "grün"}}]}
    answer = client.patch(f"/api/jobs/{job.id}/rows", json=edit)
    assert answer.status_code == 200, answer.text
    assert row_errors(job.id) == [(3, "no_sku")]


def test_a_renamed_first_column_still_tells_which_rows_continue_a_product(run_import):
    file = "Handle,sku,name,description\nh,a,A,1\nh,b,,\n"
    job = run_import(file, columns=json.dumps({"Handle": "attribute:group"}), continuation="fill")
    assert (job.created, job.rejected) == (2, 0)
    assert fetch("SELECT attributes FROM product WHERE sku = 'b'") == [({"group": "h"},)]
