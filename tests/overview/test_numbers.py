"""What the overview counts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from product_importer.catalog.schemas import ProductFilter
from product_importer.core import db
from product_importer.imports import actions, tasks
from product_importer.imports import service as imports
from product_importer.imports.action_schemas import ProductAction
from product_importer.imports.error_codes import RowErrorCode
from product_importer.overview import numbers, service
from product_importer.overview.numbers import DAYS, Numbers
from tests.imports.conftest import execute, upload

HEAD = "sku,name,description\n"
THREE = f"{HEAD}A-1,Mug,x\nA-2,Cup,x\nA-3,Jug,x\n"
WRONG = f"{HEAD}B-1,Mug,x\n,Cup,x\nB-3,,x\nB-4,,x\n"


def run(content: str, filename: str = "catalogue.csv", **options: str) -> UUID:
    """Import a file to its end, and return the import's id."""
    job_id = upload(content.encode(), filename, **options)
    tasks.run_import(str(job_id))
    return job_id


def read(zone: str = "UTC") -> Numbers:
    return db.run(numbers.read_numbers, zone)


def sums(found: Numbers) -> tuple[int, int, int]:
    return tuple(sum(getattr(day, name) for day in found.days) for name in ("created", "updated", "rejected"))


def reasons(found: Numbers) -> dict[str, int]:
    return {reason.code: reason.number for reason in found.reasons}


def test_an_empty_database_has_nothing_but_days(database):
    found = read()
    assert (found.catalogue.total, found.catalogue.inactive, found.running, found.reasons) == (0, 0, 0, [])
    assert (found.completed, found.failed, sums(found)) == (0, 0, (0, 0, 0))
    assert len(found.days) == DAYS and found.days[-1].day == datetime.now(UTC).date()


def test_products_are_counted_by_what_they_are(database):
    run(f"{HEAD.strip()},active\nA-1,Mug,x,yes\nA-2,Cup,x,no\nA-3,Jug,x,no\n")
    assert (read().catalogue.total, read().catalogue.inactive, read().catalogue.is_exact) == (3, 2, True)


def test_many_inactive_products_are_estimated(database, monkeypatch: pytest.MonkeyPatch):
    run(f"{HEAD.strip()},active\nA-1,Mug,x,no\nA-2,Cup,x,no\nA-3,Jug,x,no\n")
    monkeypatch.setattr(numbers, "MAX_COUNTED", 2)
    found = read().catalogue
    assert (found.is_exact, found.total) == (False, 3) and 2 <= found.inactive <= 3


def test_the_rows_of_today_are_those_of_imports_that_have_ended_and_of_those_that_run(database):
    run(THREE)
    run(THREE.replace("Mug", "Bowl"))
    run(WRONG)
    found = read()
    assert (found.days[-1].created, found.days[-1].updated, found.days[-1].rejected) == (4, 1, 3)
    assert (found.completed, found.failed) == (3, 0)
    running = upload(THREE.encode())
    execute("UPDATE import_job SET status = 'processing', created = 20 WHERE id = %s", str(running))
    found = read()
    assert (found.running, found.waiting) == (1, 0)
    assert found.days[-1].created == 24


def test_those_that_wait_are_counted_by_themselves(database):
    for number in range(25):
        upload(THREE.encode(), f"{number}.csv")
    execute("UPDATE import_job SET status = 'processing' WHERE filename LIKE '2%%'")
    assert (read().running, read().waiting) == (6, 19)


def test_a_dry_run_counts_once_it_is_applied(database):
    job_id = run(WRONG, dry_run="true")
    found = read()
    assert (sums(found), found.completed, found.reasons) == ((0, 0, 0), 0, [])
    db.run(imports.apply_import, job_id)
    tasks.run_import(str(job_id))
    found = read()
    assert (sums(found), found.completed) == ((1, 0, 3), 1)
    assert reasons(found) == {RowErrorCode.NO_NAME: 2, RowErrorCode.NO_SKU: 1}


def test_what_was_undone_is_in_no_day(database):
    job_id = run(THREE)
    db.run(imports.undo_import, job_id)
    tasks.run_undo(str(job_id))
    found = read()
    assert (sums(found), found.catalogue.total) == ((0, 0, 0), 0)


def test_a_day_is_that_of_the_reader(database):
    job_id = run(THREE)
    tokyo = read("Asia/Tokyo")
    begins = numbers.day_starts("Asia/Tokyo")[-2]
    assert (tokyo.days[-1].created, tokyo.days[-1].day) == (3, begins.date())
    execute("UPDATE import_job SET finished_at = %s WHERE id = %s", begins - timedelta(seconds=1), str(job_id))
    assert [day.created for day in read("Asia/Tokyo").days[-2:]] == [3, 0]
    execute("UPDATE import_job SET finished_at = %s WHERE id = %s", begins, str(job_id))
    assert [day.created for day in read("Asia/Tokyo").days[-2:]] == [0, 3]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe"])
def test_days_follow_each_other_without_a_gap_also_where_clocks_change(zone: str):
    starts = numbers.day_starts(zone)
    assert len(starts) == DAYS + 1
    assert all((after.date() - before.date()).days == 1 for before, after in pairwise(starts))


@pytest.mark.parametrize(
    ("given", "zone"), [("Europe/Berlin", "Europe/Berlin"), ("Mars/Olympus", "UTC"), ("", "UTC"), ("../etc", "UTC")]
)
def test_a_zone_that_does_not_exist_is_read_as_utc(given: str, zone: str):
    assert service.known_zone(given) == zone


def test_reasons_are_added_up_over_imports_and_lead_to_the_newest(database):
    run(WRONG)
    newest = run(f"{HEAD},Bowl,x\n")
    found = read().reasons
    assert [(reason.code, reason.number) for reason in found] == [(RowErrorCode.NO_NAME, 2), (RowErrorCode.NO_SKU, 2)]
    assert {reason.code: reason.job_id for reason in found}[RowErrorCode.NO_SKU] == newest


def test_duplicates_are_not_rejected_rows(database):
    run(f"{HEAD}A-1,Mug,x\nA-1,Cup,x\n")
    assert read().reasons == []


def test_a_retried_import_counts_its_rejected_rows_once(database):
    job_id = run(WRONG)
    execute("UPDATE import_job SET status = 'failed' WHERE id = %s", str(job_id))
    db.run(imports.retry_import, job_id)
    tasks.run_import(str(job_id))
    assert reasons(read()) == {RowErrorCode.NO_NAME: 2, RowErrorCode.NO_SKU: 1}


def test_the_newest_imports_come_first(database):
    ids = [run(THREE, f"{number}.csv") for number in range(7)]
    assert [job.id for job in db.run(service.read_overview, "UTC").recent] == ids[:1:-1]


def test_actions_count_with_imports_and_what_they_update_with_rows(database):
    run(THREE)
    for given in ({"action": "deactivate"}, {"action": "delete"}):
        action = ProductAction.model_validate(given)
        job = db.run(actions.start_action, ProductFilter(sku="A-"), action)
        tasks.run_import(str(job.id))
    found = read()
    assert (found.completed, sums(found)) == (3, (3, 3, 0))
    assert next(job.filename for job in db.run(service.read_overview, "UTC").recent) == "Delete products"
