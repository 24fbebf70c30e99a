"""Compare searches with reading every row, in small and large catalogues, with and without a current index."""

import json
import random
import re
from collections.abc import Iterator
from itertools import cycle, product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event

from product_importer.catalog import service
from product_importer.catalog.models import SEGMENT_PREFIX, SKU_PART, Product
from product_importer.catalog.schemas import ProductQuery, ProductUpdate, sku_key
from product_importer.catalog.search import candidates, estimate, filters, indexer, product_query
from product_importer.catalog.search.estimate import Estimate
from product_importer.catalog.search.keyset import page_start
from product_importer.catalog.search.upkeep import Upkeep
from product_importer.core import db
from product_importer.core.errors import Unprocessable
from product_importer.core.ids import new_id

ROWS = 3_000
WORDS = ("Hammer", "HAMSTER", "50%", "under_score", "back\\slash", "Äpfel", "ab", "x", "Schraube", "100")


COLOURS = ("Teal", "TÜRKIS", "50%", "a_b", "back\\slash", "it's", "x", "XL", "two\x1eparts", "🟢 green")
# As JSON, as an operator, as a pattern, and with what parts values in the index.
NAMES = ("colour", "Colour", "a.b", "%", "__proto__", "0", 'x"y', "\\", "größe")


def attributes_of(number: int, dice: random.Random) -> dict[str, str]:
    """Return attributes of which some are common, some rare, and some equal those of other names."""
    if number % 4 == 0:
        return {}
    given = {name: dice.choice(COLOURS) for name in dice.sample(NAMES, k=number % 4)}
    return given | {"ean": f"40000{number:05}", "note": " ".join(dice.choices(WORDS, k=3))}


@pytest.fixture
def products(database) -> list[Product]:
    """Create products that differ enough for every kind of search, and return them."""
    dice = random.Random(7)
    made = [
        Product(
            id=UUID(identity),
            sku=f"{dice.choice('ABC')}-{number:05}",
            sku_key=sku_key(f"x{number:05}"),
            name=" ".join(dice.choices(WORDS, k=3)),
            description=" ".join(dice.choices(WORDS, k=6)),
            active=dice.random() > 0.1,
            attributes=attributes_of(number, dice),
        )
        for number, identity in enumerate(str(new_id()) for _ in range(ROWS))
    ]
    with db.session() as session:
        session.add_all(made)
    return made


@pytest.fixture(params=["small", "large"])
def scale(request, monkeypatch):
    """Search the same catalogue twice: as a small one, and with thresholds so low that it counts as large."""
    if request.param == "large":
        monkeypatch.setattr(estimate, "SAMPLE_ROWS", 500)
        monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
        monkeypatch.setattr(product_query, "MAX_COUNTED", 100)
        monkeypatch.setattr(product_query, "BOUNDED_SCAN_ROWS", 50)
        monkeypatch.setattr(product_query, "MAX_BOUNDED_SHARE", 0.3)


def catch_up() -> None:
    while db.run(indexer.collect) or db.run(indexer.build):
        indexer.clean_up()


def unindexed() -> None:
    """Index nothing."""


def collected() -> None:
    db.run(indexer.collect)


STATES = [unindexed, collected, catch_up]


def matches(product: Product, query: ProductQuery) -> bool:
    def has(text: str, term: str) -> bool:
        return term.lower() in text.lower()

    return (
        has(product.sku, query.sku)
        and has(product.name, query.name)
        and has(product.description, query.description)
        and (not query.q or any(has(text, query.q) for text in (product.sku, product.name, product.description)))
        and (query.active is None or product.active == query.active)
        and all(
            name in product.attributes and has(product.attributes[name], term)
            for name, term in query.attributes.items()
        )
    )


def listed(query: ProductQuery) -> list[str]:
    """Return the SKUs of the whole list, page by page, by cursor."""
    page = db.run(service.list_products, query)
    found = [product.sku for product in page.items]
    while page.next_cursor:
        following = query.model_copy(update={"cursor": page.next_cursor})
        following.model_fields_set.discard("page")
        page = db.run(service.list_products, following)
        found += [product.sku for product in page.items]
    return found


QUERIES: list[dict[str, Any]] = [
    {},
    {"name": "hammer"},
    {"name": "HAM"},
    {"name": "ab"},
    {"name": "x"},
    {"name": "50%"},
    {"name": "_"},
    {"name": "\\"},
    {"name": "äpfel"},
    {"name": "hammer ham"},
    {"name": "no such words"},
    {"sku": "a-0001"},
    {"sku": "00999", "name": "e"},
    {"description": "schraube", "name": "hamster", "active": False},
    {"q": "0123"},
    {"q": "apf"},
    {"active": False},
    *({f"attribute.{name}": term} for name, term in zip(NAMES, cycle(["teal", "", "xl"]))),
    *({"attribute.colour": term} for term in ("türkis", "_", "\\", "'", "two\x1eparts", "🟢", "50%")),
    {"attribute.ean": "400000123"},
    {"attribute.ean": "01234"},
    {"attribute.ean": "teal"},
    {"attribute.ean": "12"},
    {"attribute.note": "hamster 50%"},
    {"attribute.none": ""},
    {"attribute.note": "ham", "attribute.colour": "teal", "attribute.Colour": "a_"},
    {"attribute.note": "ab", "name": "hamster", "active": True},
    {"attribute.colour": "teal", "q": "0123"},
]


@pytest.mark.parametrize("state", STATES)
def test_every_search_finds_the_same_as_reading_every_row(products, scale, state):
    state()
    for sort, chosen in product(["-created_at", "sku", "name", "-updated_at"], QUERIES):
        query = ProductQuery(**chosen, sort=sort, page_size=200)
        found = listed(query)
        assert sorted(found) == sorted(made.sku for made in products if matches(made, query)), query
        page = db.run(service.list_products, query)
        if page.total_is_exact:
            assert page.total == len(found), query


def by_an_earlier_version() -> None:
    """Let processes of the version before attributes write some segments, and index one."""
    db.run(indexer.collect)
    with db.engine().begin() as connection:
        for (number,) in connection.exec_driver_sql("SELECT id FROM search_segment WHERE retired_at IS NULL").all():
            for column in ("attribute_names", "attribute_values"):
                connection.exec_driver_sql(f"ALTER TABLE product_search_{number} DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE search_segment SET attributes_indexed = NULL")


def half_indexed_by_an_earlier_version() -> None:
    """Let such a process index a segment of ours."""
    catch_up()
    with db.engine().begin() as connection:
        of_attributes = "tablename LIKE 'product_search%%' AND indexdef LIKE '%%attribute_%%'"
        for (name,) in connection.exec_driver_sql(f"SELECT indexname FROM pg_indexes WHERE {of_attributes}").all():
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql(
            "UPDATE search_segment SET attributes_indexed = false, attribute_names = NULL, letters = ''"
        )


@pytest.mark.parametrize("state", [by_an_earlier_version, half_indexed_by_an_earlier_version])
def test_segments_of_an_earlier_version_are_searched_and_replaced(products, scale, monkeypatch, state):
    monkeypatch.setattr(indexer, "STEP_ROWS", 1_000)
    state()
    work = Upkeep(lambda: False)
    while True:
        for chosen in ({"attribute.colour": "teal"}, {"attribute.note": "ab", "name": "ham"}, {"name": "hammer"}):
            query = ProductQuery(**chosen, page_size=200)
            assert sorted(listed(query)) == sorted(made.sku for made in products if matches(made, query)), chosen
        if not work.step():
            break
    with db.engine().connect() as connection:
        assert set(
            connection.exec_driver_sql(
                "SELECT is_indexed, attributes_indexed, 'note' = ANY (attribute_names) FROM search_segment "
                "WHERE retired_at IS NULL"
            ).all()
        ) == {(True, True, True)}


@pytest.mark.parametrize("state", STATES)
def test_a_change_is_found_at_once_in_every_state_of_the_index(products, scale, state):
    catch_up()
    changed, gone = products[10], products[20]
    db.run(service.update_product, changed.id, ProductUpdate(name="Zebrastreifen"))
    db.run(service.delete_product, gone.id)
    state()
    assert listed(ProductQuery(name="brastreif")) == [changed.sku]
    assert listed(ProductQuery(sku=changed.sku, name=changed.name)) == []
    assert listed(ProductQuery(sku=gone.sku)) == []
    assert db.run(service.list_products, ProductQuery()).total == ROWS - 1


def test_every_search_is_right_after_every_step_of_the_index(products, monkeypatch):
    """Some products wait, some are in segments that are not indexed yet, and some of those have changed since."""
    monkeypatch.setattr(estimate, "SAMPLE_ROWS", 500)
    monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
    monkeypatch.setattr(indexer, "MIN_CHANGES", 100)
    monkeypatch.setattr(indexer, "STEP_ROWS", 400)
    with db.engine().begin() as connection:
        connection.exec_driver_sql("DELETE FROM product_change")
        for part in range(10):
            condition = f"right(sku_key, 1) = '{part}'"
            connection.exec_driver_sql(f"UPDATE product SET version = version + 1 WHERE {condition}")
    work, moments, changed = Upkeep(lambda: False), 0, products[:: ROWS // 20]
    while work.step():
        moments += 1
        made = changed[moments]
        made.name = f"Zebra {moments}"
        db.run(service.update_product, made.id, ProductUpdate(name=made.name))
        for chosen in (
            {"name": "zebra"},
            {"name": "ab"},
            {"sku": "-001"},
            {"q": "schraube"},
            {"q": "zz"},
            {"q": "x"},
        ):
            for sort in ("-created_at", "name"):
                query = ProductQuery(**chosen, sort=sort, page_size=200)
                found = sorted(listed(query))
                assert found == sorted(made.sku for made in products if matches(made, query)), (moments, query)
    assert moments >= 10


ENDINGS = ("a", "ß", "ж", "–", "電", ".", " ", "-", "%", "\n", "\\", "]", "^", "\x01", "\x7f", "", "\U0001f600")


def test_searches_that_name_segments_are_not_kept_among_all_statements(products, monkeypatch):
    """The index gets new segments all the time, and each statement kept for one would take memory for ever."""
    monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
    catch_up()
    for term in ("Hammer", "Schraube", "under_score"):
        listed(ProductQuery(name=term))
    kept = [str(compiled) for compiled in candidates.TRANSACTION["compiled_cache"].values()]
    assert any(SEGMENT_PREFIX in statement for statement in kept), "no search has used the index"
    assert len(kept) <= 50 * 1.5
    others = map(str, db.engine()._compiled_cache.values())
    assert not [statement for statement in others if SEGMENT_PREFIX in statement]


@pytest.fixture
def two_letters(database, monkeypatch) -> list[str]:
    """Create products with `qz` before every kind of character, among many without; return these names."""
    monkeypatch.setattr(estimate, "estimate", lambda *_: Estimate(0))
    monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
    names = [f"{start}{pair}{ending}" for start in ("", "é ", "b") for pair in ("Qz", "Äж") for ending in ENDINGS]
    with db.session() as session:
        session.add_all(
            Product(id=UUID(str(new_id())), sku=f"S{n}", sku_key=f"s{n}", name=name)
            for n, name in enumerate([*names, *(f"Other {n}" for n in range(3_000))])
        )
    catch_up()
    return names


@pytest.mark.parametrize("term", ["qz", "QZ", "äж", "zq", "q", "жß"])
@pytest.mark.parametrize("field", ["name", "q"])
def test_one_or_two_letters_are_found_before_any_character(two_letters, field, term):
    found = [
        product.name for product in db.run(service.list_products, ProductQuery(**{field: term}, page_size=200)).items
    ]
    assert sorted(found) == sorted(name for name in two_letters if term.lower() in name.lower())


@pytest.mark.parametrize("field", ["sku", "name", "q"])
def test_two_letters_are_found_by_the_index(two_letters, field):
    plan = planned(ProductQuery(**{field: "zq"}))
    assert "Bitmap Index Scan on product_search_" in plan
    assert "Seq Scan on product_search_" not in plan


def test_two_letters_read_no_text_that_does_not_have_them(two_letters):
    """An index scan without trigrams returns every row."""
    plan = planned(ProductQuery(name="zq"), "ANALYZE, FORMAT JSON")
    [read] = {rows for kind, rows in nodes(json.loads(plan)[0]["Plan"]) if kind == "Bitmap Index Scan"}
    assert read == 0


def test_with_too_many_letters_two_are_found_by_reading_the_segment(two_letters):
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE product SET description = chr(19968 + substr(sku, 2)::int)")
    catch_up()
    with db.engine().begin() as connection:
        [(letters,)] = connection.exec_driver_sql("SELECT letters FROM search_segment WHERE retired_at IS NULL")
    assert letters is None
    plan = planned(ProductQuery(name="qz"))
    assert "Seq Scan on product_search_" in plan and "Bitmap Index Scan on product_search_" not in plan
    assert {item.name for item in db.run(service.list_products, ProductQuery(name="電")).items} == {
        name for name in two_letters if "電" in name
    }


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        ({"sku": "01234"}, "sku_parts"),
        ({"sku": "-0-9-"}, "sku_parts"),
        ({"sku": "-12"}, "sku_name_description"),
        ({"name": "_sco"}, "sku_name_description"),
        ({"name": "50%"}, "sku_name_description"),
        ({"attribute.ean": "01234"}, "attribute_names_attribute_values"),
        ({"attribute.a.b": ""}, "attribute_names_attribute_values"),
        ({"attribute.colour": "xl"}, "attribute_names_attribute_values"),
    ],
)
@pytest.mark.parametrize("sort", ["-created_at", "name"])
def test_few_matches_are_found_by_the_index_and_not_by_a_full_scan(products, monkeypatch, chosen, index, sort):
    monkeypatch.setattr(product_query, "MAX_INDEXED", 50)
    monkeypatch.setattr(estimate, "estimate", lambda *_: Estimate(0))
    catch_up()
    plan = planned(ProductQuery(**chosen, sort=sort))
    assert re.search(rf"Bitmap Index Scan on product_search_\w*{index}", plan), plan
    assert "Seq Scan on product " not in plan


@pytest.mark.parametrize("field", ["name", "description", "q", "sku"])
@pytest.mark.parametrize("term", ["Ωμέγα", "ωΜΈ", "日本語の本", "Äж", "Ж"])
def test_letters_that_trigrams_may_lack_are_found(database, monkeypatch, field, term):
    """pg_trgm has only those of ASCII where LC_CTYPE is C. Then the texts are read, and no parts of SKUs are made."""
    monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
    monkeypatch.setattr(estimate, "estimate", lambda *_: Estimate(0))
    with db.session() as session:
        session.add_all(
            Product(id=UUID(str(new_id())), sku=f"{text}{n}", sku_key=f"s{n}", name=text, description=text)
            for n, text in enumerate(["Ωμέγα", "日本語の本", "Äжäж", "Äquator", *["Other"] * 3_000])
        )
    catch_up()
    found = db.run(service.list_products, ProductQuery(**{field: term})).items
    assert [item.name for item in found] == [
        text for text in ("Äжäж", "日本語の本", "Ωμέγα") if term.lower() in text.lower()
    ]
    plan = planned(ProductQuery(**{field: term}))
    with db.engine().connect() as connection:
        has_all_letters = connection.exec_driver_sql("SELECT show_trgm('ω') <> '{}'").scalar()
    if len(term) > 1 and (has_all_letters or (field == "sku" and len(term) >= SKU_PART)):
        assert "Bitmap Index Scan on product_search_" in plan
    else:
        assert "Seq Scan on product_search_" in plan and "product_sku_parts" not in plan


def nodes(plan: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the kind and the rows of each node of a plan."""
    yield plan["Node Type"], plan["Actual Rows"]
    for below in plan.get("Plans", []):
        yield from nodes(below)


def planned(query: ProductQuery, options: str = "VERBOSE FALSE") -> str:
    """Return the plan of a search's last statement."""
    statements = []

    def note(_connection, cursor, statement, parameters, *_):
        statements.append(cursor.mogrify(statement, parameters).decode())

    with db.session() as session:
        connection = session.connection()
        event.listen(connection, "after_cursor_execute", note)
        product_query.Search(session, query, page_start(query)).run()
        event.remove(connection, "after_cursor_execute", note)
        explained = connection.exec_driver_sql(f"EXPLAIN ({options}) " + statements[-1].replace("%", "%%")).scalars()
        return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in explained)


@pytest.mark.parametrize(
    ("sort", "total", "is_exact"),
    [("-created_at", 100, False), ("-sku", 100, True), ("created_at", 120, False), ("name", 120, False)],
)
def test_matches_far_down_the_list_are_found_by_the_index_and_not_by_a_scan(
    products, monkeypatch, sort, total, is_exact
):
    """The hundred oldest products share a part of their SKU. A sample may estimate any number of them: here 120."""
    monkeypatch.setattr(estimate, "SAMPLE_ROWS", 500)
    monkeypatch.setattr(product_query, "MAX_INDEXED", 50)
    monkeypatch.setattr(product_query, "MAX_COUNTED", 50)
    monkeypatch.setattr(product_query, "BOUNDED_SCAN_ROWS", 100)
    monkeypatch.setattr(estimate, "estimate", lambda *_: Estimate(120))
    catch_up()
    page = db.run(service.list_products, ProductQuery(sku="-000", sort=sort))
    assert (page.total, page.total_is_exact) == (total, is_exact)
    assert len(page.items) == 50 and page.next_cursor


def test_unindexed_changes_count_only_if_they_match(products, monkeypatch):
    monkeypatch.setattr(product_query, "MAX_INDEXED", 50)
    monkeypatch.setattr(product_query, "MAX_COUNTED", 50)
    monkeypatch.setattr(estimate, "estimate", lambda *_: Estimate(0))
    catch_up()
    with db.engine().begin() as connection:
        connection.exec_driver_sql("UPDATE product SET description = 'Other' WHERE sku_key < 'x00100'")
    page = db.run(service.list_products, ProductQuery(sku="-000"))
    assert (page.total, page.total_is_exact, len(page.items)) == (100, False, 50)
    last = db.run(service.list_products, ProductQuery(sku="-000", page=2))
    assert (last.total, last.total_is_exact, len(last.items)) == (100, True, 50)
    after_the_end = db.run(service.list_products, ProductQuery(sku="-000", page=9))
    assert (after_the_end.total, after_the_end.total_is_exact, after_the_end.items) == (100, True, [])
    gone = db.run(service.list_products, ProductQuery(sku="-000", description="schraube", page_size=200))
    assert (gone.total, gone.total_is_exact, gone.items) == (0, True, [])


def test_the_estimated_total_is_near_and_marked_as_an_estimate(products, monkeypatch):
    monkeypatch.setattr(estimate, "SAMPLE_ROWS", 1_500)
    monkeypatch.setattr(product_query, "MAX_INDEXED", 100)
    page = db.run(service.list_products, ProductQuery(name="hammer"))
    truth = sum("hammer" in product.name.lower() for product in products)
    assert not page.total_is_exact
    assert truth * 0.6 < page.total < truth * 1.4


NUMBERED = """
INSERT INTO product (id, sku, sku_key, name, description)
SELECT gen_random_uuid(), n, n, 'Name ' || n, ''
FROM (SELECT lpad(number::text, 6, '0') AS n FROM generate_series({first}, {last}) AS number) AS made
"""


@pytest.fixture
def numbered(database, monkeypatch) -> int:
    """Create products whose names are numbers, in their order on the disk, and return how many."""
    monkeypatch.setattr(estimate, "SAMPLE_ROWS", 200)
    monkeypatch.setattr(product_query, "MAX_INDEXED", 200)
    with db.engine().begin() as connection:
        connection.exec_driver_sql(NUMBERED.format(first=1, last=20_000))
    catch_up()
    return 20_000


def met_by_the_sample(digits: int) -> str:
    """Return the beginning of a name that most sampled rows share: without its last `digits` digits."""
    met = (
        f"SELECT left(name, -{digits}) FROM product TABLESAMPLE SYSTEM (1) REPEATABLE (1) "
        "GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    )
    with db.engine().begin() as connection:
        return connection.exec_driver_sql(met).scalar_one()


@pytest.mark.parametrize("sort", ["-created_at", "sku", "name"])
@pytest.mark.parametrize(
    "second_sample", [400, 20_000], ids=["the second sample overestimates, too", "the second sample is exact"]
)
def test_a_few_clustered_matches_are_counted_exactly(numbered, monkeypatch, sort, second_sample):
    """Products of a new brand fill a page of the table, so a sample with this page greatly overestimates them."""
    monkeypatch.setattr(estimate, "LARGE_SAMPLE_ROWS", second_sample)
    brand = ProductQuery(name=met_by_the_sample(digits=2), sort=sort)
    with db.session() as session:
        assert estimate.estimate(session, brand, numbered, few=numbered).total > 2_000
    page = db.run(service.list_products, brand)
    assert (page.total, page.total_is_exact, len(page.items)) == (100, True, 50)


@pytest.mark.parametrize("sort", ["-created_at", "name"])
def test_many_clustered_matches_are_scanned_and_not_looked_up_by_the_index(numbered, sort):
    page = db.run(service.list_products, ProductQuery(name=met_by_the_sample(digits=3), sort=sort))
    assert not page.total_is_exact
    assert 900 < page.total < 1_100


def test_unindexed_changes_are_not_compared_row_by_row_despite_old_statistics(numbered):
    """After an import the statistics are outdated, and a nested loop would compare each match with each change."""
    with db.engine().begin() as connection:
        connection.exec_driver_sql(NUMBERED.format(first=20_001, last=21_000))
    plan = planned(ProductQuery(name="Name 0215"))
    assert "product_change" in plan
    assert "Join Filter" not in plan


@pytest.mark.parametrize("sort", ["-created_at", "sku", "name"])
def test_pages_by_number_are_right_near_both_ends_of_the_list(products, sort):
    order = [product.id for product in listed_rows(sort)]
    pages = db.run(service.list_products, ProductQuery(sort=sort, page_size=70)).pages
    for number in (1, 2, pages // 2, pages - 1, pages, pages + 1):
        page = db.run(service.list_products, ProductQuery(sort=sort, page_size=70, page=number))
        assert [item.id for item in page.items] == order[(number - 1) * 70 : number * 70]
        assert (page.next_cursor is not None) == (number < pages)


def listed_rows(sort: str) -> list:
    found, page = [], db.run(service.list_products, ProductQuery(sort=sort, page_size=200))
    while True:
        found += page.items
        if not page.next_cursor:
            return found
        page = db.run(service.list_products, ProductQuery(cursor=page.next_cursor, page_size=200))


def test_a_page_number_too_high_is_rejected_with_advice_to_use_a_cursor(products, monkeypatch):
    monkeypatch.setattr(product_query, "MAX_SKIPPED", 1_000)
    with pytest.raises(Unprocessable, match="next_cursor"):
        db.run(service.list_products, ProductQuery(page=25))
    assert db.run(service.list_products, ProductQuery(page=60)).items


def test_a_search_that_takes_too_long_is_ended_with_a_clear_error(client, products, monkeypatch):
    from product_importer.core.db import engine

    monkeypatch.setattr(product_query, "TIMEOUT_SECONDS", 1)
    with engine().begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION slow(text) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT pg_sleep(2)::text'"
        )
    try:
        from sqlalchemy import func
        from sqlmodel import col

        monkeypatch.setattr(filters, "match_texts", lambda *_: [func.slow(col(Product.name)).is_not(None)])
        answer = client.get("/api/products?name=x")
    finally:
        with engine().begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION slow(text)")
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "search-too-slow")
    assert "longer than 1 s" in answer.json()["detail"]


texts = st.text(st.sampled_from("aAbBäÄ%_\\ -1"), min_size=1, max_size=5)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, min_size=1, max_size=8), texts)
def test_any_term_in_any_text_is_literal(database, names, term):
    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product")
    with db.session() as session:
        session.add_all(Product(sku=str(n), sku_key=str(n), name=name) for n, name in enumerate(names))
    found = db.run(service.list_products, ProductQuery(name=term)).items
    assert {item.sku for item in found} == {str(n) for n, name in enumerate(names) if term.lower() in name.lower()}


skus = st.text(st.sampled_from("0Aa-_İß"), min_size=1, max_size=12)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(skus, min_size=1, max_size=8, unique_by=sku_key), skus)
def test_any_part_of_an_sku_is_found_by_the_index(database, given_skus, term):
    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product")
    with db.session() as session:
        session.add_all(Product(sku=sku, sku_key=sku_key(sku), name="x") for sku in given_skus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product_query, "MAX_INDEXED", 0)
        read = {item.sku for item in db.run(service.list_products, ProductQuery(sku=term)).items}
        patch.setattr(indexer, "MIN_CHANGES", 1)
        catch_up()
        page = db.run(service.list_products, ProductQuery(sku=term))
    assert read == {item.sku for item in page.items} >= {sku for sku in given_skus if term in sku}
    assert page.total == len(page.items)
