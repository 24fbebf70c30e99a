"""Suggestions for the column names in exports of shop systems."""

import csv
import io
import time

import pytest

from product_importer.imports.columns.suggestions import suggest
from product_importer.imports.columns.synonyms import SYNONYMS
from tests.imports.shop_export import shop_export

EXPORTS = {
    "Shopify": (
        "Handle,Title,Body (HTML),Vendor,Published,Option1 Name,Variant SKU,SEO Title,SEO Description,Status",
        "Variant SKU,Title,Body (HTML),Published",
    ),
    "WooCommerce": (
        "ID,Type,SKU,Name,Published,Is featured?,Visibility in catalog,Short description,Description,Parent",
        "SKU,Name,Description,Published",
    ),
    "WordPress": ("post_title,post_name,post_content,post_excerpt,_sku", "_sku,post_title,post_content,"),
    "Magento": (
        "sku,product_type,name,description,short_description,product_online,url_key,meta_title,meta_description",
        "sku,name,description,product_online",
    ),
    "Akeneo": (
        "uuid,identifier,enabled,family,label-en_US,description-de_DE-ecommerce",
        "identifier,label-en_US,description-de_DE-ecommerce,enabled",
    ),
    "Medusa": (
        "Product Id,Product Handle,Product Title,Product Subtitle,Product Description,Product Status,Variant Title,"
        "Variant SKU",
        "Variant SKU,Product Title,Product Description,Product Status",
    ),
    "BigCommerce": (
        "Item Type,Product ID,Product Name,Product Code/SKU,Brand Name,Product Description,Product Visible?",
        "Product Code/SKU,Product Name,Product Description,Product Visible?",
    ),
    "German": ("Artikel-Nr.,Bezeichnung,Beschreibung,Preis,Aktiv", "Artikel-Nr.,Bezeichnung,Beschreibung,Aktiv"),
    "Artikelnummer": ("Artikelnummer,Titel,Preis", "Artikelnummer,Titel,,"),
    "misspelt": ("Item Numbr,Tilte,Descripton,price", "Item Numbr,Tilte,Descripton,"),
    "body_html": ("Item number,body_html,Product Name", "Item number,Product Name,body_html,"),
    "nothing near": ("Farbe,Größe,,_", ",,,"),
}


@pytest.mark.parametrize(("names", "expected"), EXPORTS.values(), ids=EXPORTS)
def test_the_columns_of_known_exports_are_recognized(names, expected):
    meant = {field: name for field, name in zip(SYNONYMS, expected.split(","), strict=True) if name}
    assert suggest(names.split(",")) == meant


@pytest.mark.parametrize(
    ("name", "is_suggested"),
    [
        ("sku,name,description", False),
        ("sku;name;description", False),
        ("sku\tname|description", False),
        ("sku" + " of the shop" * 9, False),
        ("SKU Name  Description", False),
        ("sku:name:description", False),
        ("SKU, new", True),
    ],
)
def test_a_whole_line_is_never_suggested(name, is_suggested):
    assert suggest([name]) == ({"sku": name} if is_suggested else {})


def test_an_empty_column_is_suggested_last():
    names, *rows = csv.reader(io.StringIO(shop_export().decode(), newline=""))
    meant = {"sku": "Handle", "name": "Title", "description": "Body (HTML)", "active": "Published"}
    assert suggest(names, rows) == meant
    assert suggest(names)["sku"] == "Variant SKU"
    at = names.index("Variant SKU")
    filled = [[*row[:at], f"V-{number}", *row[at + 1 :]] for number, row in enumerate(rows)]
    assert suggest(names, filled) == meant | {"sku": "Variant SKU"}


def test_an_empty_column_is_suggested_if_there_is_no_other():
    assert suggest(["Variant SKU"], [[""], []]) == {"sku": "Variant SKU"}


def test_a_column_with_other_words_is_not_suggested_for_active():
    names = ["Status", "is_enabled"]
    assert suggest(names, [["active", "1"], ["", ""]])["active"] == "is_enabled"
    assert suggest(names, [["active", "2"], ["draft", ""]]) == {}
    assert suggest(names, [["inactive", "2"]]) == {"active": "Status"}


def test_a_column_is_suggested_for_one_wanted_field():
    assert suggest(["Title"], wanted=["name"]) == {"name": "Title"}
    assert suggest(["Title"], wanted=["sku"]) == {}
    assert suggest(["Name of the description", "Title"]) == {
        "name": "Title",
        "description": "Name of the description",
    }


def test_a_header_of_very_many_columns_is_compared_quickly():
    begun = time.monotonic()
    suggest([f"column {number} {'x' * 200}" for number in range(20_000)])
    assert time.monotonic() - begun < 2
