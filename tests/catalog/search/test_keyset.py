"""Cursors lead through a list while it changes; invalid ones are rejected."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.errors import Unprocessable
from product_importer.core.pagination import Cursor
from tests.catalog.conftest import problem

SORTS = [sign + name for name in ("created_at", "updated_at", "sku", "name") for sign in ("", "-")]


@pytest.fixture
def catalogue(create) -> list[dict]:
    """Create eleven products; many have the same name, and some the same time of change."""
    from product_importer.core import db

    made = [create(f"SKU-{n * 7 % 11:02}", f"Name {n % 3}") for n in range(11)]
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE product SET updated_at = date_trunc('second', updated_at)")
    return made


# More than any list here has.
MAX_PAGES = 1_000


def walk(client, meanwhile=lambda: None, **query) -> list[dict]:
    """Follow the cursors to the end, with a call of `meanwhile` before each page, and return the products."""
    found, page = [], client.get("/api/products", params=query).json()
    query.pop("sort", None)
    for _ in range(MAX_PAGES):
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        meanwhile()
        answer = client.get("/api/products", params=query | {"cursor": page["next_cursor"]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["page"] == page["page"] + 1
        page = answer.json()
    raise AssertionError("the cursors lead to no end")


@pytest.mark.parametrize("sort", SORTS)
def test_cursors_lead_through_the_whole_list_in_its_order(client, catalogue, sort):
    whole = client.get("/api/products", params={"sort": sort}).json()
    assert (whole["next_cursor"], len(whole["items"])) == (None, 11)
    for size in (1, 3, 10, 11):
        assert walk(client, sort=sort, page_size=size) == whole["items"]
    pages = [client.get(f"/api/products?sort={sort}&page_size=4&page={n}").json()["items"] for n in (1, 2, 3, 4)]
    assert [*pages[0], *pages[1], *pages[2]] == whole["items"] and pages[3] == []


@pytest.mark.parametrize("sort", SORTS)
def test_rows_created_and_deleted_meanwhile_neither_repeat_nor_hide_others(client, create, catalogue, sort):
    before = [product["id"] for product in client.get("/api/products", params={"sort": sort}).json()["items"]]
    numbers = iter(range(3))

    def create_and_delete() -> None:
        """Create a row at each end of the list, and delete the first one."""
        n = next(numbers, None)
        if n is None:
            return
        create(f"A-{n}", f"A {n}")
        create(f"Z-{n}", f"Z {n}")
        client.delete(f"/api/products/{before[0]}")

    found = [product["id"] for product in walk(client, create_and_delete, sort=sort, page_size=2)]
    assert len(set(found)) == len(found)
    assert [seen for seen in found if seen in before] == before


def test_filters_apply_with_a_cursor(client, catalogue):
    found = walk(client, name="name 1", page_size=2, sort="sku")
    assert [product["sku"] for product in found] == ["SKU-04", "SKU-05", "SKU-06", "SKU-07"]


def test_a_cursor_of_the_longest_name_is_accepted(client, create):
    for n in range(3):
        create(f"SKU-{n}", "\u001f\U0001f600\u001f" * 333 + "n")
    assert len(walk(client, sort="name", page_size=1)) == 3


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


ID = "0" * 32
GARBAGE = [
    "x", "!", "äöü", "\0", "=", "e30", "bnVsbA", "W10", "W1tbW1s", "[" * 5_000, "A" * 9_999, "A" * 10_001,
    forged("created_at", 2, ["nonsense"]), forged("created_at", 2, []), forged("created_at", 2, [ID, ID]),
    forged("created_at", 0, [ID]), forged("created_at", True, [ID]), forged("created_at", 2.5, [ID]),
    forged("created_at", "2", [ID]), forged("created_at", 2**60, [ID]), forged("created_at", 2, [1]),
    forged("created_at", 2, [None]), forged("created_at", 2, ID), forged("created_at", 2, {ID: 1}),
    forged("--created_at", 2, [ID]), forged("price", 2, [ID]), forged("", 2, [ID]), forged(["sku"], 2, ["a"]),
    forged("sku", 2, ["a\0"]), forged("sku", 2, ["\ud800"]), forged("name", 2, ["a"]),
    forged("updated_at", 2, ["yesterday", ID]), forged("updated_at", 2, ["2026-01-01", ID]),
    forged("updated_at", 2, ["9999-12-31T23:59:59-23:59", "x"]), forged("sku", 2, ["a"], ""),
    forged("sku", 2, ["a"], 1), forged("sku", 2, ["a"], "x", "y"),
]  # fmt: skip


@pytest.mark.parametrize("cursor", GARBAGE, ids=range(len(GARBAGE)))
def test_an_invalid_cursor_is_422(client, create, cursor):
    create()
    body = problem(client.get("/api/products", params={"cursor": cursor}), 422, "invalid-fields")
    assert [error["field"] for error in body["errors"]] == ["cursor"]


def test_the_earliest_and_latest_times_cause_no_server_error(client, create):
    create()
    for moment in ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"):
        cursor = forged("updated_at", 2, [moment, ID])
        assert client.get("/api/products", params={"cursor": cursor}).status_code in (200, 422)


def test_a_cursor_with_a_page_or_another_order_is_422(client, create):
    for n in range(3):
        create(f"SKU-{n}")
    cursor = client.get("/api/products?sort=sku&page_size=1").json()["next_cursor"]
    for other in ("page=1", "page=2", "sort=name", "sort=-sku", "sort=-created_at"):
        body = problem(client.get(f"/api/products?{other}&cursor={cursor}"), 422, "invalid-fields")
        assert body["errors"][0]["field"] == "cursor"
    assert client.get(f"/api/products?sort=sku&cursor={cursor}").json()["items"][0]["sku"] == "SKU-1"


FILTERS = ("name=name", "q=name", "active=true", "attribute.colour=teal", "attribute.colour=", "attribute.size=teal")


@pytest.mark.parametrize("filtered", FILTERS)
def test_a_cursor_belongs_to_the_filters_of_its_list(client, create, filtered):
    for n in range(3):
        create(f"SKU-{n}", attributes={"colour": "teal", "size": "teal"})
    cursor = client.get(f"/api/products?{filtered}&page_size=1&sort=sku").json()["next_cursor"]
    for other in ("", *FILTERS):
        answer = client.get(f"/api/products?{other}&page_size=1&cursor={cursor}")
        if other == filtered:
            assert answer.json()["items"][0]["sku"] == "SKU-1"
        else:
            assert "other filters" in problem(answer, 422, "invalid-fields")["errors"][0]["message"]
    unfiltered = client.get("/api/products?page_size=1").json()["next_cursor"]
    problem(client.get(f"/api/products?{filtered}&cursor={unfiltered}"), 422, "invalid-fields")


def test_a_cursor_of_an_earlier_version_leads_on(client, create):
    for n in range(2):
        create(f"SKU-{n}")
    answer = client.get(f"/api/products?name=name&cursor={forged('sku', 2, ['sku-0'])}")
    assert [item["sku"] for item in answer.json()["items"]] == ["SKU-1"]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(texts, st.integers(1, 2**53 - 1), st.lists(texts).map(tuple), texts)
def test_a_cursor_is_read_as_it_was_written(sort, page, after, filters):
    word = Cursor(sort, page, after, filters).encode()
    assert Cursor.decode(word) == Cursor(sort, page, after, filters)
    assert set(word) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text())
def test_any_text_is_a_cursor_or_rejected(word):
    with contextlib.suppress(Unprocessable):
        assert Cursor.decode(word).encode() == word
