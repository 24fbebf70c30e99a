"""Column names are data: they survive every path through an import, and none is run as code."""

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from product_importer.catalog.schemas import RESERVED
from product_importer.core import db
from product_importer.core.csv_injection import escape
from product_importer.core.edges import trim
from product_importer.imports import tasks
from tests.examples import examples

OURS = ["sku", "name", "description"]
ADDED = ["_line", "_code", "_reason"]

# Parts of names that SQL, a format string or a string literal could interpret.
SPECIAL = [
    *"%(){}'\"\\$;",
    "--",
    "%s",
    "%%",
    "%(names)s",
    "%(range_end)s",
    "%(after)s",
    "{}",
    "{row}",
    "{0}",
    ":names",
    "$1",
]
# All of Unicode except the characters that are forbidden in names.
letters = st.characters(exclude_categories=["C"]) | st.sampled_from("\t\n\r\v\f\x1c\x85")
# Outer spaces are removed from names.
names = st.lists(st.sampled_from(SPECIAL) | letters, min_size=1, max_size=6).map(lambda parts: trim("".join(parts)))
columns = st.lists(
    names.filter(lambda name: name and name.casefold() not in RESERVED), min_size=1, max_size=10, unique=True
)

# As text in the statement that lists duplicates, this would end it, run another one and begin a third.
BREAKS_OUT = (
    ",$$$$)])from product,(select 1 as line,1 as last)l where false;create table owned();"
    "select to_json(array[coalesce(attributes->>"
)


class Catalogue:
    """A REST client that imports files with the extra columns `names`."""

    def __init__(self, client, names: list[str]):
        self._client = client
        self._names = names
        self.header = [*OURS, *map(escape, names)]

    def import_rows(self, *rows: list[str], **options: str) -> dict[str, Any]:
        """Import rows, and return the ended import."""
        content = written([self.header, *rows])
        answer = self._client.post(
            "/api/upload-csv", files={"file": ("names.csv", content, "text/csv")}, data=options
        )
        assert answer.status_code == 202, answer.text
        return self.run(answer.json()["job_id"])

    def act(self, job: dict[str, Any], action: str) -> dict[str, Any]:
        """Request an action on an import, run it, and return the import."""
        answer = self._client.post(f"/api/jobs/{job['id']}/{action}")
        assert answer.status_code == 202, answer.text
        return self.run(job["id"], tasks.run_undo if action == "undo" else tasks.run_import)

    def run(self, job_id: str, task=tasks.run_import) -> dict[str, Any]:
        task(job_id)
        return self._client.get(f"/api/jobs/{job_id}").json()

    def row(self, sku: str, value: str, name: str = "Name") -> list[str]:
        """Return a row with a different value in each extra column."""
        return [sku, name, "", *(value and f"{value}{number}" for number, _ in enumerate(self._names))]

    def attributes(self) -> dict[str, dict[str, str]]:
        """Return the products' attributes by SKU."""
        return {item["sku"]: item["attributes"] for item in self._client.get("/api/products").json()["items"]}

    def expected(self, value: str) -> dict[str, str]:
        return {name: f"{value}{number}" for number, name in enumerate(self._names)}

    def changes(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the changes of a dry run with one product."""
        [item] = self._client.get(f"/api/jobs/{job['id']}/changes").json()["items"]
        return item["changes"]

    def rejects(self, job: dict[str, Any], **query: str) -> tuple[list[str], list[list[str]]]:
        header, *rows = read(self._client.get(f"/api/jobs/{job['id']}/rejects", params=query).content)
        return header, rows

    def export(self) -> bytes:
        return self._client.get("/api/products/export").content


def written(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def outcome(job: dict[str, Any]) -> tuple[int, ...]:
    assert job["status"] in ("completed", "previewed"), job["error"]
    return tuple(job[count] for count in ("created", "updated", "unchanged", "duplicates", "rejected"))


def expect_rejects(catalogue: Catalogue, job: dict[str, Any], code: str, *rows: list[str], **query: str) -> None:
    """Check that the rejects are these rows, in the file's own columns, with this code."""
    header, found = catalogue.rejects(job, **query)
    assert header == [*catalogue.header, *ADDED]
    assert [row[: -len(ADDED)] for row in found] == list(rows)
    assert {row[-2] for row in found} == {code}


@settings(
    max_examples=examples(6),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(columns)
@example(["Discount %", "100% (net)", "{}", "{row}", "%(range_end)s", "'; DROP TABLE product; --", "$$", "\\"])
@example(["=1+1", "'=1+1", "''", "-", "@a", "＝", '"', "a\nb", "column 4", "name (2)"])
def test_column_names_survive_every_path_through_an_import(client, names):
    with db.engine().begin() as connection:
        connection.exec_driver_sql("TRUNCATE product")
    catalogue = Catalogue(client, names)
    row, expected = catalogue.row, catalogue.expected

    job = catalogue.import_rows(row("a", "lost"), row("a", "one"), row("b", "two"))
    assert outcome(job) == (2, 0, 0, 1, 0)
    expect_rejects(catalogue, job, "duplicate", row("a", "lost"), duplicates="true")
    assert catalogue.attributes() == {"a": expected("one"), "b": expected("two")}

    job = catalogue.import_rows(row("a", "x"), row("c", "three"), mode="create")
    assert outcome(job) == (1, 0, 0, 0, 1)
    expect_rejects(catalogue, job, "exists", row("a", "x"))

    job = catalogue.import_rows(row("a", "four"), row("d", "x"), mode="update")
    assert outcome(job) == (0, 1, 0, 0, 1)
    expect_rejects(catalogue, job, "not_found", row("d", "x"))
    assert catalogue.attributes() == {"a": expected("four"), "b": expected("two"), "c": expected("three")}

    job = catalogue.import_rows(row("e", "x"), row("e", "y"), row("f", "five"), duplicates="reject")
    assert outcome(job) == (1, 0, 0, 0, 2)
    expect_rejects(catalogue, job, "duplicate_sku", row("e", "x"), row("e", "y"))

    job = catalogue.import_rows(row("a", ""), row("g", "x", name=""), blank="keep")
    assert outcome(job) == (0, 0, 1, 0, 1)
    expect_rejects(catalogue, job, "no_name_to_keep", row("g", "x", name=""))

    before = catalogue.attributes()
    dry_run = catalogue.import_rows(row("a", "six"), dry_run="true")
    assert outcome(dry_run) == (0, 1, 0, 0, 0)
    assert [(change["field"], change["before"], change["after"]) for change in catalogue.changes(dry_run)] == [
        (name, f"four{number}", f"six{number}") for number, name in enumerate(names)
    ]
    assert outcome(catalogue.act(dry_run, "apply")) == (0, 1, 0, 0, 0)
    assert catalogue.attributes() == before | {"a": expected("six")}
    assert catalogue.act(dry_run, "undo")["undo"]["restored"] == 1
    assert catalogue.attributes() == before

    exported = read(catalogue.export())
    assert exported[0] == [*OURS, "active", *map(escape, sorted(names))]
    again = client.post("/api/upload-csv", files={"file": ("export.csv", catalogue.export(), "text/csv")})
    assert outcome(catalogue.run(again.json()["job_id"])) == (0, 0, len(before), 0, 0)
    # A blank cell removes an attribute.
    assert outcome(catalogue.import_rows(row("a", ""))) == (0, 1, 0, 0, 0)
    assert catalogue.attributes() == before | {"a": {}}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.characters(categories=["Cc", "Cf", "Cn", "Co"]).filter(lambda letter: not letter.isspace()))
def test_an_invisible_name_is_rejected(client, letter):
    content = written([[*OURS, f"a{letter}b"], ["a", "b", "c", "d"]])
    answer = client.post("/api/upload-csv", files={"file": ("names.csv", content, "text/csv")})
    assert (answer.status_code, answer.json()["type"]) == (400, "/api/problems/not-csv")
    assert client.get("/api/jobs").json()["total"] == 0


@pytest.mark.parametrize("options", [{}, {"duplicates": "first"}, {"mode": "create"}, {"dry_run": "true"}])
def test_an_sku_is_never_run_as_sql(client, options):
    catalogue = Catalogue(client, ["%(range_end)s"])
    job = catalogue.import_rows(catalogue.row(BREAKS_OUT, "x"), catalogue.row(BREAKS_OUT, "y"), **options)
    with db.engine().begin() as connection:
        owned = connection.exec_driver_sql("SELECT to_regclass('owned')").scalar()
        connection.exec_driver_sql("DROP TABLE IF EXISTS owned")
    assert owned is None
    assert outcome(job) == (1, 0, 0, 1, 0)
    winner = "x" if options.get("duplicates") == "first" else "y"
    loser = "y" if winner == "x" else "x"
    expect_rejects(catalogue, job, "duplicate", catalogue.row(BREAKS_OUT, loser), duplicates="true")


def test_a_percent_sign_in_a_column_name_is_kept(client):
    catalogue = Catalogue(client, ["Discount %"])
    job = catalogue.import_rows(catalogue.row("a", "x"), catalogue.row("A", "y"))
    assert outcome(job) == (1, 0, 0, 1, 0)
    assert catalogue.attributes() == {"A": {"Discount %": "y0"}}
