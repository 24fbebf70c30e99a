"""An object that holds the products in one of its fields is refused with the way to them."""

import pytest

from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.json.wrappers import path_to_array
from tests.imports.parsing.json.test_reader import refusal
from tests.imports.parsing.reading import detected

WRAPPED = {
    "in one line": ('{"total": 1, "products": [{"sku": 1}], "next": null}', "products"),
    "indented": ('{\n "next": {"url": ["{", {}]},\n "products" :\n [\n {"sku": 1}\n ]\n}', "products"),
    "a line for each": ('{"products": [\n{"sku": 1},\n{"sku": 2}\n]}', "products"),
    "after marks of joined files": ('\ufeff\ufeff{"products": [\n{"sku": 1}\n]}', "products"),
    "deeper in one line": ('{"data": {"products": [{"sku": 1}]}}', "data.products"),
    "deeper and indented": ('{"data": {\n"shop": {"id": 1},\n"products": {"edges": [\n{}]}}}', "data.products.edges"),
    "longer than a product": (f'{{"products": [{{"a": 1, "sku": "{"x" * 5_000_000}"}}]}}', "products"),
    "longer than a line": (f'{{"ok": true, "products": [{{"sku": "{"x" * 17_000_000}"}}]}}', "products"),
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("shape", WRAPPED)
def test_an_object_around_the_products_is_refused_with_the_way_to_them(shape, encoding):
    content, path = WRAPPED[shape]
    advice = f"Upload only that array: the command `jq '.{path}' FILE` writes it."
    error = refusal(content.encode(encoding))
    assert (error.kind, error.detail) == (
        "not-csv", f"The products are in the field “{path}” of one object. {advice}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"products": [{"sku": 1}]}]', "only that array: the command `jq '.[].products' FILE` writes it."),
        ('{"the \'products\'": [\n{"sku": 1}]}', "field “the 'products'” of one object. Upload only that array."),
    ],
)
def test_the_command_for_the_products_is_right_or_left_out(content, words):
    assert refusal(content).detail.endswith(words)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "{}", "{} {", "[", '[{"a": [{}]}]', '{"a": [1, {}]}', '{"a": [', '{"a": 1', '{"a": nul', '{"a" [{}]',
        '{"\\ud8": [{}]}', '{"SKU": 1, "a": [{}]}', '{"b": {"Name ": 1, "a": [{}]}}', '{"a":' * 9_000,
        '{"a": ' + "[" * 9_000, '{"a": {}}, {"b": [{}]}',
    ],
)  # fmt: skip
def test_no_way_leads_to_what_is_no_array_of_products(text):
    assert path_to_array(text, {"sku", "name"}) == []


def test_one_product_with_a_list_of_objects_is_no_wrapper():
    assert detected(b'{"Handle": 1, "more": {"images": [{"url": "x"}]}}')[1] == ["Handle", "more"]
    assert detected(b'{"SKU": 1, "images": [{"url": "x"}]}')[1] == ["SKU", "images"]
    content = b'{"id": 1, "images": [{"url": "x"}]}'
    assert detected(content, ImportOptions(columns={"id": "sku"}))[1] == ["id", "images"]
