"""Compare the catalogue with a plain dict after random changes by REST and imports."""

import csv
import io
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from product_importer.catalog.schemas import sku_key
from tests.catalog.conftest import events
from tests.examples import examples

skus = st.sampled_from(
    ["a", "A", " a ", "ab", "aB", "ſ", "S", "é", "e\u0301", "ß", "SS", "50%", "5_0", "=1", "'=1", "\\"]
)
names = st.sampled_from(["Mug", "mug ", "100% wool", "a_b", "'=x", "-5", "Größe"])
texts = st.sampled_from(["", " ", "=1+1", "'tis", "blue\r\nmug", "100%", "a\\b"])
attribute_names = st.sampled_from(
    ["colour", "Colour", "=cmd", "a.b", "%", "größe", '"', "\\'", "<b>", "__proto__", "0"]
)
attributes = st.dictionaries(
    attribute_names, st.sampled_from(["", "red", "'=x", "Größe", "50%", "5_0", "a\\b", "'", "\x1e", "Σ"]), max_size=3
)
terms = st.sampled_from(["", "a", "A", "%", "_", "\\", "mug", "MUG", "'=", "100%", "zz"])
sorts = st.sampled_from(["created_at", "-created_at", "sku", "-sku"])
REQUIRED = {"sku": skus, "name": names}
OPTIONAL = {"description": texts, "active": st.booleans(), "attributes": attributes}


@dataclass(frozen=True)
class Expected:
    """The expected fields of a product."""

    id: str
    sku: str
    name: str
    description: str = ""
    active: bool = True
    attributes: dict = field(default_factory=dict)
    version: int = 1

    def changed(self, **given) -> "Expected":
        after = replace(self, **cleaned(given))
        return replace(after, version=self.version + 1) if after != self else self


def cleaned(given: dict) -> dict:
    """Return fields as they are stored."""
    stripped = {name: value.strip() if name in ("sku", "name") else value for name, value in given.items()}
    if "attributes" in given:
        stripped["attributes"] = {name: value for name, value in given["attributes"].items() if value}
    return stripped


class Catalogue(RuleBasedStateMachine):
    client: Any = None
    run_import: Any = None

    @initialize()
    def begin(self):
        from product_importer.core import db

        with db.engine().begin() as connection:
            connection.exec_driver_sql("TRUNCATE product, event, import_job CASCADE")
        self.expected: dict[str, Expected] = {}
        self.recorded: list[tuple[str, str | None]] = []

    @rule(given=st.fixed_dictionaries(REQUIRED, optional=OPTIONAL))
    def create(self, given):
        answer = self.client.post("/api/products", json=given)
        held = self.expected.get(sku_key(given["sku"]))
        if held:
            assert (answer.status_code, answer.json()["product_id"]) == (409, held.id)
            return
        assert answer.status_code == 201, answer.text
        self.expected[sku_key(given["sku"])] = Expected(answer.json()["id"], **cleaned(given))
        self.recorded.append(("product_created", answer.json()["id"]))

    @precondition(lambda self: self.expected)
    @rule(
        data=st.data(),
        given=st.fixed_dictionaries({}, optional=REQUIRED | OPTIONAL),
        stale=st.booleans(),
        method=st.sampled_from(["PUT", "PATCH"]),
    )
    def update(self, data, given, stale, method):
        key = data.draw(st.sampled_from(sorted(self.expected)))
        held = self.expected[key]
        headers = {"If-Match": f'"{held.version + stale}"'}
        answer = self.client.request(method, f"/api/products/{held.id}", json=given, headers=headers)
        new_key = sku_key(given.get("sku", held.sku))
        if stale:
            assert answer.status_code == 412 and answer.json()["current"]["version"] == held.version
        elif new_key != key and new_key in self.expected:
            assert (answer.status_code, answer.json()["product_id"]) == (409, self.expected[new_key].id)
        else:
            after = held.changed(**given)
            assert (answer.status_code, answer.json()["version"]) == (200, after.version)
            del self.expected[key]
            self.expected[new_key] = after
            if after != held:
                self.recorded.append(("product_updated", held.id))

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def delete(self, data):
        key = data.draw(st.sampled_from(sorted(self.expected)))
        held = self.expected.pop(key)
        assert self.client.delete(f"/api/products/{held.id}").status_code == 204
        self.recorded.append(("product_deleted", held.id))

    @rule()
    def delete_all(self):
        answer = self.client.delete("/api/products?confirm=true")
        assert answer.json() == {"deleted": len(self.expected)}
        self.expected.clear()
        self.recorded.append(("products_deleted", None))

    @rule(rows=st.lists(st.tuples(skus, names, texts, st.sampled_from(["", "red"])), max_size=5))
    def import_file(self, rows):
        text = io.StringIO(newline="")
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("sku", "name", "description", "colour"), *rows])
        job = self.run_import(text.getvalue())
        last = {sku_key(unescaped(row[0])): [unescaped(value) for value in row] for row in rows}
        created = updated = 0
        for key, (sku, name, description, colour) in last.items():
            held = self.expected.get(key)
            if held is None:
                created += 1
                given = cleaned({"sku": sku, "name": name, "attributes": {"colour": colour}})
                self.expected[key] = Expected(self.id_of(key), description=description, **given)
            else:
                new = held.changed(
                    name=name, description=description, attributes={**held.attributes, "colour": colour}
                )
                updated += new != held
                self.expected[key] = new
        assert (job.status, job.created, job.updated) == ("completed", created, updated)
        assert (job.unchanged, job.duplicates) == (len(last) - created - updated, len(rows) - len(last))
        self.recorded.append(("import_completed", None))

    def id_of(self, key: str) -> str:
        items = self.client.get("/api/products?page_size=200").json()["items"]
        return next(item["id"] for item in items if sku_key(item["sku"]) == key)

    @rule(
        filters=st.fixed_dictionaries({}, optional={"sku": terms, "name": terms, "description": terms, "q": terms}),
        in_attributes=st.dictionaries(
            attribute_names, st.sampled_from(["", "ED", "größe", "%", "_", "\\", "'", "\x1e", "Σ"]), max_size=2
        ),
        active=st.sampled_from([None, True, False]),
        sort=sorts,
        size=st.integers(1, 4),
    )
    def list(self, filters, in_attributes, active, sort, size):
        query = {**filters, "page_size": size} | ({} if active is None else {"active": active})
        query |= {f"attribute.{name}": term for name, term in in_attributes.items()}
        expected = [
            product
            for product in self.expected.values()
            if matches(product, filters, active) and has_attributes(product, in_attributes)
        ]
        by = sku_key if sort.endswith("sku") else str
        expected.sort(
            key=lambda product: by(product.sku if sort.endswith("sku") else product.id), reverse=sort[0] == "-"
        )
        found, page = [], self.client.get("/api/products", params=query | {"sort": sort}).json()
        while True:
            assert (page["total"], page["total_is_exact"]) == (len(expected), True)
            found += page["items"]
            if page["next_cursor"] is None:
                break
            page = self.client.get("/api/products", params=query | {"cursor": page["next_cursor"]}).json()
        assert [product["id"] for product in found] == [product.id for product in expected]

    @invariant()
    def application_agrees_with_dict(self):
        if not hasattr(self, "expected"):
            return
        items = self.client.get("/api/products?page_size=200").json()["items"]
        names = Expected.__dataclass_fields__
        assert {
            sku_key(item["sku"]): Expected(**{name: item[name] for name in names}) for item in items
        } == self.expected
        assert [(event["event_type"], event.get("product_id")) for event in events()] == self.recorded


def unescaped(cell: str) -> str:
    """Return the value that an import reads in a cell, for the cells of this test."""
    return cell[1:] if cell.startswith("'=") else cell


def matches(product: Expected, filters: dict, active: bool | None) -> bool:
    texts = {name: getattr(product, name).lower() for name in ("sku", "name", "description")}
    anywhere = filters.get("q", "").lower()
    return (
        all(term.lower() in texts[name] for name, term in filters.items() if name != "q")
        and any(anywhere in text for text in texts.values())
        and active in (None, product.active)
    )


def has_attributes(product: Expected, terms: dict[str, str]) -> bool:
    held = product.attributes
    return all(name in held and term.lower() in held[name].lower() for name, term in terms.items())


def test_random_changes_by_rest_and_imports_agree_with_a_dict(client, run_import):
    Catalogue.client, Catalogue.run_import = client, staticmethod(run_import)
    run_state_machine_as_test(
        Catalogue,
        settings=settings(
            max_examples=examples(12),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
