"""Column mappings under names: saved, replaced, deleted, and applied to the columns of a file."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert

from product_importer.core import db
from product_importer.core.errors import Conflict, NotFound, Unprocessable
from product_importer.imports.columns.named_mappings import (
    MAX_MAPPINGS,
    apply_mapping,
    delete_mapping,
    find_mapping,
    list_mappings,
    save_mapping,
)
from product_importer.imports.models import NamedMapping
from tests.imports.shop_export import shop_export

SHOP = {"Handle": "sku", "Title": "name", "Body (HTML)": "description", "Vendor": "ignore"}


def saved() -> list[tuple[str, dict[str, str]]]:
    with db.session() as session:
        return [(mapping.name, dict(mapping.columns)) for mapping in list_mappings(session)]


def fill(count: int) -> None:
    rows = [{"name_key": f"shop {n}", "name": f"Shop {n}", "columns": SHOP} for n in range(count)]
    with db.engine().begin() as connection:
        connection.execute(insert(NamedMapping), rows)


def errors_of(name: str, columns: dict[str, str]) -> list[dict[str, str]]:
    with pytest.raises(Unprocessable) as raised:
        db.run(save_mapping, name, columns)
    assert saved() == []
    return raised.value.extra["errors"]


def test_mappings_are_listed_by_name_as_they_were_spelt(database):
    db.run(save_mapping, " zeta ", {"Code": "sku"})
    db.run(save_mapping, "Älteste", {"Code": "name"})
    db.run(save_mapping, "Shopify – Geschäft", SHOP)
    db.run(save_mapping, "alpha", {" Code ": "active"})
    assert [name for name, _ in saved()] == ["alpha", "Shopify – Geschäft", "zeta", "Älteste"]
    assert dict(saved())["Shopify – Geschäft"] == SHOP
    assert dict(saved())["alpha"] == {"Code": "active"}


def test_a_name_in_another_case_replaces_the_mapping_and_its_spelling(database):
    before = db.run(save_mapping, "Straße", {"Code": "sku", "Price": "attribute"}).updated_at
    after = db.run(save_mapping, "\u00a0STRASSE\u200b", {"Nr": "sku"}).updated_at
    assert saved() == [("STRASSE", {"Nr": "sku"})]
    assert before and after and before < after
    assert db.run(find_mapping, "straße").columns == {"Nr": "sku"}


def test_a_mapping_is_deleted_by_its_name_in_any_case(database):
    db.run(save_mapping, "Shopify", SHOP)
    db.run(save_mapping, "Shopify 2", SHOP)
    db.run(delete_mapping, " shopIFY")
    assert [name for name, _ in saved()] == ["Shopify 2"]
    for call in (delete_mapping, find_mapping):
        for name in ("Shopify", "", "\0", "\ud800"):
            with pytest.raises(NotFound):
                db.run(call, name)


@pytest.mark.parametrize("name", ["", "  \u200b ", "a" * 101, "a\nb", "a\0b", "\ud800", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_refused(database, name):
    [error] = errors_of(name, SHOP)
    assert (error["field"], "1 to 100" in error["message"]) == ("name", True)


def test_the_longest_name_is_possible(database):
    db.run(save_mapping, "ß" * 100, SHOP)
    assert saved() == [("ß" * 100, SHOP)]


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({}, "columns"),
        ({"_line": "ignore"}, "columns"),
        ({f"c{n}": "ignore" for n in range(2_001)}, "columns"),
        ({"Code": "price"}, "columns.Code"),
        ({"Code": "attribute\0"}, "columns.Code"),
        ({"Code": "sku", "Nr": "sku"}, "columns.Code"),
        ({"Code": "sku", " CODE": "ignore"}, "columns.Code"),
        ({"Co\0de": "sku"}, "columns.Co\0de"),
        ({"Co\ud800": "sku"}, "columns.Co\ud800"),
    ],
)
def test_columns_that_no_import_could_use_are_refused(database, columns, field):
    assert errors_of("Shop", columns)[0]["field"] == field


def test_many_wrong_columns_are_named_up_to_a_bound(database):
    assert len(errors_of("Shop", {f"c{n}": "sku" for n in range(500)})) == 20


def test_the_columns_of_rejected_rows_are_not_saved(database):
    db.run(save_mapping, "Shop", {"Code": "sku", "_line": "ignore", "_Code": "ignore"})
    assert saved() == [("Shop", {"Code": "sku"})]


def test_one_more_than_the_maximum_is_refused_but_a_saved_one_can_be_replaced(database):
    fill(MAX_MAPPINGS)
    with pytest.raises(Conflict, match="200 column mappings already"):
        db.run(save_mapping, "One more", SHOP)
    db.run(save_mapping, "SHOP 7", {"Code": "sku"})
    assert (len(saved()), dict(saved())["SHOP 7"]) == (MAX_MAPPINGS, {"Code": "sku"})
    db.run(delete_mapping, "Shop 1")
    db.run(save_mapping, "One more", SHOP)
    assert len(saved()) == MAX_MAPPINGS


def test_people_who_save_at_once_do_not_exceed_the_maximum(database):
    fill(MAX_MAPPINGS - 1)

    def save(number: int) -> bool:
        try:
            db.run(save_mapping, f"At once {number}", SHOP)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, range(8))) == [False] * 7 + [True]
    assert len(saved()) == MAX_MAPPINGS


def test_people_who_save_the_same_name_at_once_get_one_mapping(database):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: db.run(save_mapping, "Shop" if n % 2 else "SHOP", {f"Code {n}": "sku"}), range(8)))
    assert len(saved()) == 1


def test_a_mapping_is_applied_to_the_columns_that_a_file_has():
    applied = apply_mapping(
        {"Handle": "sku", "Title": "name", "Body": "description", "Vendor": "ignore"},
        [" HANDLE ", "title\u200b", "Price", "'-Body"],
    )
    assert applied.columns == {"HANDLE": "sku", "title": "name"}
    assert applied.missing == ["Body", "Vendor"]
    assert apply_mapping({"-Body": "name"}, ["'-BODY"]).columns == {"'-BODY": "name"}


def test_a_mapping_by_name_imports_another_file_of_the_same_shop(database, run_import):
    db.run(save_mapping, "Shopify", SHOP | {"No longer there": "active"})
    with db.session() as session:
        columns = dict(find_mapping(session, "shopify").columns)
    content = shop_export()
    names = content.decode().splitlines()[0].split(",")
    applied = apply_mapping(columns, names)
    assert applied.missing == ["No longer there"]
    job = run_import(content, columns=applied.columns)
    assert (job.created, job.columns["Handle"], job.columns["Vendor"]) == (7, "sku", "ignore")


def test_an_attribute_keeps_the_name_that_was_chosen_for_it(client, run_import):
    db.run(save_mapping, "Shop", {"Code": "sku", "Title": "name", "Text": "description", "Col": "attribute:Colour"})
    applied = apply_mapping(db.run(find_mapping, "Shop").columns, ["code", "title", "text", "col"])
    run_import(b"code,title,text,col\na,A,x,red\n", columns=applied.columns)
    [product] = client.get("/api/products").json()["items"]
    assert product["attributes"] == {"Colour": "red"}
