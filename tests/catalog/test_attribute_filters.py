"""Lists and exports are filtered by attributes; wrong filters are clear errors, and names and texts are only data."""

from urllib.parse import urlencode

import pytest

from product_importer.catalog.attribute_filters import MAX_ATTRIBUTE_FILTERS
from product_importer.catalog.schemas import MAX_ATTRIBUTE_NAME, MAX_NAME
from product_importer.catalog.search import attribute_names, indexer
from product_importer.core import db
from tests.catalog.conftest import problem

HOSTILE = (
    "a.b", "%", "_", "'", '"', "\\", "a' OR '1'='1", "$.a", "{a,b}", "__proto__", "<reflex.Var>1", "größe", "0", "-1",
    "a&b=c", "a;b", "%(name)s", ":name", "attribute.x", "?",
)  # fmt: skip


def skus(client, **attributes: str) -> list[str]:
    """Return the SKUs of the products that match; the parameters are the names of attributes."""
    answer = client.get("/api/products", params={f"attribute.{name}": text for name, text in attributes.items()})
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["items"])
    return sorted(item["sku"] for item in answer.json()["items"])


def test_products_are_found_by_a_part_of_an_attribute(client, create):
    create("A", attributes={"colour": "Dark Teal", "size": "L"})
    create("B", attributes={"colour": "teal", "finish": "50%"})
    create("C", attributes={"finish": "teal"})
    create("D")
    assert skus(client, colour="TEAL") == ["A", "B"]
    assert skus(client, colour="teal", size="l") == ["A"]
    assert skus(client, finish="%") == ["B"]
    assert skus(client, colour="_") == []
    assert skus(client, Colour="teal") == []
    assert skus(client, colour="") == ["A", "B"]
    assert skus(client, none="") == []
    found = client.get("/api/products", params={"attribute.colour": "teal", "sku": "a", "active": "true"})
    assert [item["sku"] for item in found.json()["items"]] == ["A"]
    assert client.get("/api/products", params={"q": "teal"}).json()["total"] == 0


def test_letters_are_compared_without_their_case(client, create):
    create("A", attributes={"größe": "ÄRMEL ΣΊΓΜΑ"})
    assert skus(client, größe="ärmel σίγμα") == ["A"]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_name_and_the_text_of_an_attribute_are_data(client, create, name):
    create("A", attributes={name: f"x{name}y"})
    create("B", attributes={"other": f"x{name}y"})
    assert skus(client, **{name: name}) == ["A"]
    assert skus(client, **{name: ""}) == ["A"]
    assert skus(client, **{name: "zz"}) == []


def test_a_name_is_trimmed_as_that_of_an_attribute(client, create):
    create("A", attributes={"colour": "teal"})
    assert skus(client, **{" colour\u200b": "teal"}) == ["A"]


@pytest.mark.parametrize("path", ["/api/products", "/api/products/export"])
@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("attribute.=x", "attribute.", "must not be blank"),
        ("attribute.%20=x", "attribute. ", "must not be blank"),
        ("attribute=x", "attribute", "no such field"),
        ("attributes=x", "attributes", "no such field"),
        ("attribute.SKU=x", "attribute.SKU", "another column"),
        ("attribute.a%00b=x", "attribute.a\0b", "control characters"),
        ("attribute.a=x%00", "attribute.a", "NUL"),
        ("attribute.a=x&attribute.a=y", "attribute.a", "more than once"),
        ("attribute.a=x&attribute.%20a=y", "attribute. a", "more than once"),
        (f"attribute.{'n' * (MAX_ATTRIBUTE_NAME + 1)}=x", "", "at most 255 characters"),
        (f"attribute.a={'x' * (MAX_NAME + 1)}", "attribute.a", "at most 1000 characters"),
        ("Attribute.a=x", "Attribute.a", "no such field"),
    ],
)
def test_a_wrong_filter_is_a_clear_error(client, path, query, field, reason):
    body = problem(client.get(f"{path}?{query}"), 422, "invalid-fields")
    [error] = body["errors"]
    assert field in error["field"] and reason in error["message"], error


def test_so_many_attributes_are_filtered_at_once_and_no_more(client):
    given = {f"attribute.a{number}": "x" for number in range(MAX_ATTRIBUTE_FILTERS + 2)}
    body = problem(client.get("/api/products", params=given), 422, "invalid-fields")
    assert [error["message"] for error in body["errors"]] == ["At most 10 attributes can be filtered at once."] * 2
    names = list(given)[:MAX_ATTRIBUTE_FILTERS]
    assert client.get("/api/products", params=dict.fromkeys(names, "x")).status_code == 200


def test_no_other_route_takes_such_a_filter(client, create):
    product = create()
    for address in (f"/api/products/{product['id']}", "/api/jobs", "/api/webhooks"):
        assert client.get(f"{address}?attribute.colour=teal").status_code == 422
    assert client.delete("/api/products?confirm=true&attribute.colour=teal").status_code == 422
    assert client.get("/api/products").json()["total"] == 1


def test_an_export_has_the_products_that_the_list_has(client, create):
    create("A", attributes={"a.b": "Teal"})
    create("B", attributes={"a.b": "red"})
    answer = client.get("/api/products/export", params={"attribute.a.b": "TEAL", "columns": "sku"})
    assert answer.text.split() == ["sku", "A"]
    [recorded] = client.get("/api/audit?action=products_exported").json()["items"]
    assert recorded["details"]["filters"] == {"attribute.a.b": "TEAL"}


def test_cursors_lead_through_the_products_that_have_an_attribute(client, create):
    for number in range(5):
        create(f"SKU-{number}", attributes={"colour": "teal" if number != 2 else "red"})
    query, found = {"attribute.colour": "teal", "page_size": 2, "sort": "sku"}, []
    while True:
        page = client.get("/api/products", params=query).json()
        found += [item["sku"] for item in page["items"]]
        if not page["next_cursor"]:
            break
        query = {"attribute.colour": "teal", "page_size": 2, "cursor": page["next_cursor"]}
    assert found == ["SKU-0", "SKU-1", "SKU-3", "SKU-4"]


def test_the_document_describes_the_filters(client):
    paths = client.get("/api/openapi.json").json()["paths"]
    for path in ("/api/products", "/api/products/export"):
        [described] = [one for one in paths[path]["get"]["parameters"] if one["name"] == "attribute.NAME"]
        assert described["schema"]["maxProperties"] == MAX_ATTRIBUTE_FILTERS
        assert described["style"] == "form" and described["explode"]


def test_names_of_attributes_are_suggested_before_and_after_they_are_indexed(client, create, run_import):
    create("A", attributes={"Colour": "teal"})
    run_import("sku,name,description,size,a.b\n" + "".join(f"S{n},N,D,L,x\n" for n in range(1_200)))
    assert db.run(attribute_names.frequent) == ["a.b", "Colour", "size"]
    while db.run(indexer.collect) or db.run(indexer.build):
        pass
    assert db.run(attribute_names.frequent) == ["a.b", "Colour", "size"]


def test_only_the_most_frequent_names_are_suggested(client, create):
    for product in range(4):
        names = {f"n{product}-{number}": "x" for number in range(60)}
        create(f"P{product}", attributes=names | {"often": "x"})
    suggested = db.run(attribute_names.frequent)
    assert len(suggested) == attribute_names.MAX_NAMES and "often" in suggested


def test_an_address_with_blank_and_odd_parts_is_read(client):
    assert client.get(f"/api/products?{urlencode({'attribute.a b': ''})}&").status_code == 200
