"""Changes are shown from the outcomes of a dry run alone; applying and repeating it forget the right things."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from product_importer.core import db
from product_importer.core.db import raw_connection
from product_importer.core.errors import Conflict
from product_importer.imports import dry_runs, service
from product_importer.imports.pipeline import dry_run
from product_importer.imports.schemas import ChangesQuery, FieldChange, ImportChange
from tests.imports.conftest import execute, row_errors, upload
from tests.imports.pipeline.test_runner import csv_of, fetch

# Six rows, of which the reader rejects the one without a SKU.
FILE = csv_of(
    "A,Apple,green,no,",
    "b,Bread,brown,,b",
    "n,New,,,",
    "n,Newer,thing,,x",
    ",no,sku,,",
    "c,,,,",
    header="sku,name,description,active,colour",
)
PRODUCT = """
INSERT INTO product (id, sku, sku_key, name, description, attributes, version) VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
OUTCOMES: list[tuple[Any, ...]] = [
    ("a", 2, UUID(int=1), 3, "updated", "A", "Apple", "green", False, "{}"),
    ("b", 3, UUID(int=2), 1, "unchanged", None, None, None, None, None),
    ("c", 7, None, None, "no_name_to_keep", None, None, None, None, None),
    ("n", 5, None, None, "created", "n", "Newer", "thing", True, '{"colour": "x"}'),
]

COLUMNS = (
    "sku_key",
    "line",
    "product_id",
    "version",
    "outcome",
    "sku",
    "name",
    "description",
    "active",
    "attributes",
)


def dry_run_of(outcomes: list[tuple[Any, ...]], **options: str) -> UUID:
    """Upload the file, and return its dry run as a worker leaves it: with these outcomes, and ranges."""
    job_id = upload(FILE.encode(), dry_run="true", **options)
    execute(PRODUCT, str(UUID(int=1)), "a", "a", "Apple", "red", '{"colour": "r", "size": "1"}', 3)
    execute(PRODUCT, str(UUID(int=2)), "b", "b", "Bread", "brown", '{"colour": "b"}', 1)
    with db.session() as session:
        table = dry_run.create(raw_connection(session), job_id)
        places = ", ".join(["%s"] * len(COLUMNS))
        for outcome in outcomes:
            session.connection().exec_driver_sql(
                f"INSERT INTO {table} ({', '.join(COLUMNS)}) VALUES ({places})",
                tuple(str(value) if isinstance(value, UUID) else value for value in outcome),
            )
        dry_run.index(raw_connection(session), table)
    execute("INSERT INTO import_range VALUES (%s, 0, 'b', 7, now()), (%s, 1, NULL, 8, now())", *[str(job_id)] * 2)
    for line, code in ((4, "duplicate"), (6, "no_sku"), (7, "no_name_to_keep")):
        execute("INSERT INTO import_row_error VALUES (%s, %s, %s, '', '[]')", str(job_id), line, code)
    execute(
        "UPDATE import_job SET status = 'previewed', phase = 'finished', percent = 100, preview_table = %s, "
        "rows_read = 6, total_rows = 6, good_rows = 5, unidata = '15.0.0', created = 1, updated = 1, unchanged = 1, "
        "duplicates = 1, rejected = 2, started_at = now(), finished_at = now()",
        table,
    )
    return job_id


def changes(job_id: UUID, **query: Any) -> list[ImportChange]:
    return db.run(dry_runs.list_changes, job_id, ChangesQuery(**query)).items


def test_changes_are_shown_from_the_values_given(database):
    updated, created = changes(dry_run_of(OUTCOMES))
    assert (updated.line, updated.sku, updated.product_id, updated.is_outdated) == (2, "a", UUID(int=1), False)
    assert updated.changes == [
        FieldChange(field="description", before="red", after="green"),
        FieldChange(field="active", before=True, after=False),
        FieldChange(field="colour", before="r", after=None),
    ]
    assert (created.line, created.sku, created.product_id, created.is_outdated) == (5, "n", None, False)
    assert [change.after for change in created.changes] == ["Newer", "thing", True, "x"]


def test_a_blank_cell_that_keeps_the_value_is_no_change(database):
    outcomes = [("a", 2, UUID(int=1), 3, "updated", "A", "", "green", None, "{}")]
    [updated] = changes(dry_run_of(outcomes, blank="keep"))
    assert [change.field for change in updated.changes] == ["description"]


def test_changes_are_filtered_by_outcome(database):
    job_id = dry_run_of(OUTCOMES)
    assert [change.line for change in changes(job_id, outcome="created")] == [5]
    assert changes(job_id, page=2, page_size=2) == []


def test_a_product_changed_since_is_outdated_and_stops_the_apply(database):
    job_id = dry_run_of(OUTCOMES)
    execute("UPDATE product SET version = 4 WHERE sku_key = 'a'")
    execute(PRODUCT, str(uuid4()), "N", "n", "Somebody's", "", "{}", 1)
    assert [change.is_outdated for change in changes(job_id)] == [True, True]
    with pytest.raises(Conflict) as raised:
        db.run(service.apply_import, job_id)
    assert (raised.value.kind, raised.value.extra["changed"]) == ("preview-outdated", 2)
    assert sorted(raised.value.extra["examples"]) == ["N", "a"]


JOB = """
SELECT status, phase, percent, rows_read, total_rows, good_rows, unidata, created, updated, unchanged, duplicates,
    rejected, started_at, preview_table
FROM import_job
"""


def test_an_apply_begins_in_the_same_ranges_and_keeps_what_the_reader_rejected(database):
    job_id = dry_run_of(OUTCOMES)
    db.run(service.apply_import, job_id)
    assert fetch(JOB) == [("pending", "waiting", 0.0, 6, 6, 5, "15.0.0", 0, 0, 0, 0, 1, None, dry_run.name(job_id))]
    assert row_errors(job_id) == [(6, "no_sku")]
    assert fetch("SELECT number, last_key, first_number, done_at FROM import_range ORDER BY 1") == [
        (0, "b", 7, None),
        (1, None, 8, None),
    ]


def test_a_repeated_dry_run_begins_anew(database):
    job_id = dry_run_of(OUTCOMES)
    db.run(service.retry_import, job_id)
    assert fetch(JOB) == [("pending", "waiting", 0.0, 0, None, None, None, 0, 0, 0, 0, 0, None, None)]
    assert row_errors(job_id) == []
    assert fetch("SELECT count(*) FROM import_range") == [(0,)]
    assert fetch("SELECT tablename FROM pg_tables WHERE tablename ~ '^import_preview_'") == []
