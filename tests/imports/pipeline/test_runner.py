"""Whole imports on real servers."""

import pytest

from product_importer.core import db
from product_importer.core.settings import settings
from tests.imports.conftest import row_errors


def csv_of(*rows: str, header: str = "sku,name,description") -> str:
    return "\n".join([header, *rows]) + "\n"


def counts(job) -> tuple[int, int, int, int, int]:
    return job.created, job.updated, job.unchanged, job.duplicates, job.rejected


def fetch(query: str):
    with db.engine().connect() as connection:
        return connection.exec_driver_sql(query).fetchall()


def test_a_file_becomes_products(run_import, products):
    job = run_import(csv_of("A-1,Hammer,Heavy", 'b-2,"Saw, fine","with ""teeth""\nand handle"', "ß,Ünïcode\\,\t"))
    assert (job.status, job.percent, job.total_rows, counts(job)) == ("completed", 100.0, 3, (3, 0, 0, 0, 0))
    assert products() == {
        "A-1": ("Hammer", "Heavy"),
        "b-2": ("Saw, fine", 'with "teeth"\nand handle'),
        "ß": ("Ünïcode\\", "\t"),
    }


def test_the_same_file_again_changes_nothing(run_import):
    file = csv_of(*(f"S{n},Name {n},Text {n}" for n in range(3_500)))
    run_import(file)
    before = fetch("SELECT id, xmin::text, version, updated_at FROM product ORDER BY id")
    job = run_import(file)
    assert counts(job) == (0, 0, 3_500, 0, 0)
    assert fetch("SELECT id, xmin::text, version, updated_at FROM product ORDER BY id") == before


def test_skus_in_another_case_match_and_products_keep_their_spelling(run_import, products):
    run_import(csv_of("Sku-A,a,1", "sku-B,b,2"))
    job = run_import(csv_of("sKU-a,a,1", " SKU-B ,changed,2"))
    assert counts(job) == (0, 1, 1, 0, 0)
    assert products() == {"Sku-A": ("a", "1"), "sku-B": ("changed", "2")}


def test_in_one_file_the_last_row_of_a_sku_wins_and_the_others_are_reported(run_import, products):
    job = run_import(csv_of("a,first,1", "b,only,2", "A,second,3", "a,third,4"))
    assert counts(job) == (2, 0, 0, 2, 0)
    assert products() == {"a": ("third", "4"), "b": ("only", "2")}
    assert row_errors(job.id) == [(2, "duplicate"), (4, "duplicate")]
    assert fetch("SELECT reason, row->>1 FROM import_row_error WHERE line = 2") == [
        ("Line 5 has the same SKU and was used instead.", "first")
    ]


def test_bad_rows_are_counted_and_stored_with_line_code_and_reason(run_import, products):
    job = run_import(
        csv_of("a,A,1", ",none,2", "c,,3", "d,D", 'e,"E"x,5', "f,F\0,6", "", f"{'g' * 300},G,7", "h,H,8")
    )
    assert (job.status, job.total_rows, counts(job)) == ("completed", 8, (2, 0, 0, 0, 6))
    assert row_errors(job.id) == [
        (3, "no_sku"),
        (4, "no_name"),
        (5, "ragged"),
        (6, "malformed"),
        (7, "nul"),
        (9, "too_long"),
    ]
    assert set(products()) == {"a", "h"}


def test_a_file_of_bad_rows_only_completes(run_import):
    job = run_import(csv_of(",x,y", ",x,y"))
    assert (job.status, counts(job)) == ("completed", (0, 0, 0, 0, 2))


def test_a_file_without_rows_completes(run_import):
    job = run_import("sku,name,description\n")
    assert (job.status, job.total_rows, job.percent) == ("completed", 0, 100.0)


def test_other_columns_become_attributes_and_a_blank_cell_removes_one(run_import):
    run_import(csv_of("a,A,1,red,XL", "b,B,2,,", header="sku,name,description,colour,size"))
    assert fetch("SELECT attributes FROM product ORDER BY sku") == [({"colour": "red", "size": "XL"},), ({},)]
    job = run_import(csv_of("a,A,1,,steel", "b,B,2,,", header="sku,name,description,colour,material"))
    assert counts(job) == (0, 1, 1, 0, 0)
    assert fetch("SELECT attributes FROM product ORDER BY sku") == [({"size": "XL", "material": "steel"},), ({},)]


def test_an_absent_column_changes_nothing(run_import):
    run_import(csv_of("a,A,1,no,red", header="sku,name,description,active,colour"))
    job = run_import(csv_of("a,A,1"))
    assert counts(job) == (0, 0, 1, 0, 0)
    job = run_import(csv_of("a,A,2"))
    assert counts(job) == (0, 1, 0, 0, 0)
    assert fetch("SELECT active, attributes, version FROM product") == [(False, {"colour": "red"}, 2)]


def test_columns_in_any_order_find_their_fields(run_import, products):
    run_import(csv_of("1,red,Hammer,a", header="Description,colour,NAME,Sku"))
    assert products() == {"a": ("Hammer", "1")}


@pytest.mark.parametrize("rows", [1, 3_500])
def test_no_range_and_no_spool_is_left(run_import, rows):
    assert run_import(csv_of(*(f"a{n},A,1" for n in range(rows)))).created == rows
    assert fetch("SELECT count(*) FROM import_range") == [(0,)]
    assert list(settings().spools.iterdir()) == []


def test_one_event_is_recorded_at_the_end(run_import):
    job = run_import(csv_of("a,A,1", "a,A,2"))
    [(event_type, payload)] = fetch("SELECT event_type, payload FROM event")
    assert event_type == payload["event_type"] == "import_completed"
    assert payload["job_id"] == str(job.id)
    assert payload["counts"] == {
        "total": 2,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "duplicates": 1,
        "rejected": 0,
    }


def test_an_import_whose_file_was_deleted_fails(database, run_import):
    from product_importer.core.storage import storage
    from product_importer.imports import tasks
    from product_importer.imports.progress import current
    from tests.imports.conftest import upload

    job_id = upload(csv_of("a,A,1").encode())
    storage().delete(f"{job_id}.csv")
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert (job.status, job.error.code) == ("failed", "upload_missing")
    assert fetch("SELECT event_type FROM event") == [("import_failed",)]
