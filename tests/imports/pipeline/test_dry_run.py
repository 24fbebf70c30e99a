"""A dry run shows exactly the changes of an import, and applying it makes them."""

from typing import Any

import pytest

from product_importer.core import db
from product_importer.core.errors import Conflict
from product_importer.imports import dry_runs, retention, service, tasks
from product_importer.imports.pipeline import dry_run
from product_importer.imports.progress import current
from product_importer.imports.reconciler import reconcile
from product_importer.imports.schemas import ChangesPage, ChangesQuery, ImportRead
from tests.imports.conftest import row_errors
from tests.imports.pipeline.test_runner import counts, csv_of, fetch

HEAD = "sku,name,description,colour"
BEFORE = csv_of("a,Apple,red,r", "b,Bread,brown,b", "c,Cake,sweet,s", header=HEAD)
FILE = csv_of("A,Apple,green,", "b,Bread,brown,b", "n,New,thing,x", "n,Newer,thing,x", ",no,sku,", header=HEAD)


def changes(job: ImportRead, **query: Any) -> ChangesPage:
    return db.run(dry_runs.list_changes, job.id, ChangesQuery(**query))


def apply(job: ImportRead) -> ImportRead:
    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))
    return current(job.id)


def tables() -> list[str]:
    return [name for (name,) in fetch("SELECT tablename FROM pg_tables WHERE tablename ~ '^import_preview_'")]


def test_a_dry_run_changes_nothing_and_counts_exactly(run_import):
    run_import(BEFORE)
    held = fetch("SELECT sku, name, description, attributes, version, xmin::text FROM product ORDER BY sku")
    events = fetch("SELECT count(*) FROM event")
    job = run_import(FILE, dry_run="true")
    assert (job.status, job.phase, job.percent, counts(job)) == ("previewed", "finished", 100.0, (1, 1, 1, 1, 1))
    assert fetch("SELECT sku, name, description, attributes, version, xmin::text FROM product ORDER BY sku") == held
    assert fetch("SELECT count(*) FROM event") == events
    assert row_errors(job.id) == [(4, "duplicate"), (6, "no_sku")]
    assert (job.undo, job.choices.dry_run, job.applied_at) == (None, True, None)


def test_a_dry_run_shows_each_change_field_by_field(run_import):
    run_import(BEFORE)
    page = changes(run_import(FILE, dry_run="true"))
    assert page.total == 2
    updated, created = page.items
    assert (updated.line, updated.sku, updated.outcome, updated.is_outdated) == (2, "a", "updated", False)
    assert [(c.field, c.before, c.after) for c in updated.changes] == [
        ("description", "red", "green"),
        ("colour", "r", None),
    ]
    assert (created.line, created.sku, created.outcome, created.product_id) == (5, "n", "created", None)
    assert [(c.field, c.before, c.after) for c in created.changes] == [
        ("name", None, "Newer"),
        ("description", None, "thing"),
        ("colour", None, "x"),
    ]


def test_the_changes_are_paged_and_filtered_by_outcome(run_import):
    run_import(csv_of(*(f"s{n:03},Name {n},x" for n in range(0, 100, 2))))
    job = run_import(csv_of(*(f"s{n:03},Other {n},x" for n in range(100))), dry_run="true")
    assert [item.line for item in changes(job, page=4, page_size=30).items] == list(range(92, 102))
    created = changes(job, outcome="created", page_size=200)
    assert (created.total, len(created.items), created.pages) == (50, 50, 1)
    assert {item.outcome for item in created.items} == {"created"}


def test_applying_makes_the_changes_that_were_shown(run_import, products):
    run_import(BEFORE)
    job = run_import(FILE, dry_run="true")
    shown = counts(job)
    done = apply(job)
    assert (done.status, counts(done)) == ("completed", shown)
    assert products() == {
        "a": ("Apple", "green"),
        "b": ("Bread", "brown"),
        "c": ("Cake", "sweet"),
        "n": ("Newer", "thing"),
    }
    assert row_errors(job.id) == [(4, "duplicate"), (6, "no_sku")]
    assert tables() == []
    assert done.undo.status == "possible"


def test_products_changed_since_are_reported_before_anything_is_merged(run_import, products):
    run_import(BEFORE)
    job = run_import(FILE, dry_run="true")
    run_import(csv_of("a,Apple,blue", "n,Somebody's,own"))
    before = products()
    with pytest.raises(Conflict) as raised:
        db.run(service.apply_import, job.id)
    assert (raised.value.kind, raised.value.extra["changed"]) == ("preview-outdated", 2)
    assert sorted(raised.value.extra["examples"]) == ["a", "n"]
    assert products() == before
    assert [item.is_outdated for item in changes(job).items] == [True, True]

    db.run(service.retry_import, job.id)
    tasks.run_import(str(job.id))
    again = current(job.id)
    assert (again.status, counts(again)) == ("previewed", (0, 2, 1, 1, 1))
    assert counts(apply(job)) == (0, 2, 1, 1, 1)
    assert products()["n"] == ("Newer", "thing")


def test_products_changed_between_the_check_and_the_merge_are_kept_and_reported(run_import, products):
    run_import(BEFORE)
    job = run_import(FILE, dry_run="true")
    db.run(service.apply_import, job.id)
    run_import(csv_of("a,Apple,blue", "n,Somebody's,own"))
    tasks.run_import(str(job.id))
    done = current(job.id)
    assert (done.status, counts(done)) == ("completed", (0, 0, 1, 1, 3))
    assert (2, "changed_since_preview") in row_errors(job.id)
    assert (5, "changed_since_preview") in row_errors(job.id)
    assert products()["a"] == ("Apple", "blue")
    assert products()["n"] == ("Somebody's", "own")


@pytest.mark.parametrize("mode", ["create", "update"])
@pytest.mark.parametrize("blank", ["clear", "keep"])
@pytest.mark.parametrize("duplicates", ["last", "first", "reject"])
def test_with_all_options_a_dry_run_counts_the_same_as_the_import(run_import, mode, blank, duplicates):
    run_import(BEFORE)
    file = csv_of("a,,green,", "b,Bread,brown,b", "n,New,,", "N,Newer,,", "o,,x,", "c,Cake,,s", header=HEAD)
    job = run_import(file, dry_run="true", mode=mode, blank=blank, duplicates=duplicates)
    shown, reported = counts(job), row_errors(job.id)
    assert job.status == "previewed"
    listed = changes(job)
    assert (listed.total, len(listed.items)) == (job.created + job.updated, job.created + job.updated)
    assert (counts(apply(job)), row_errors(job.id)) == (shown, reported)


def test_a_dry_run_continues_after_a_killed_worker(run_import, monkeypatch):
    monkeypatch.setattr(dry_run, "index", killed)
    file = csv_of(*(f"s{n},Name,x" for n in range(500)))
    with pytest.raises(KeyboardInterrupt):
        run_import(file, dry_run="true")
    monkeypatch.undo()
    with db.engine().begin() as connection:
        job_id = connection.exec_driver_sql("UPDATE import_job SET lease_until = now() RETURNING id").scalar_one()
    tasks.run_import(str(job_id))
    job = current(job_id)
    assert (job.status, counts(job)) == ("previewed", (500, 0, 0, 0, 0))
    assert changes(job).total == 500


def killed(*_):
    raise KeyboardInterrupt


def test_the_table_of_a_dry_run_stays_until_it_is_over(run_import):
    job = run_import(FILE, dry_run="true")
    db.run(reconcile)
    assert tables() == [dry_run.name(job.id)]
    assert counts(apply(job)) == (3, 0, 0, 1, 1)
    assert tables() == []


def test_an_apply_does_not_wait_for_a_backup_that_reads_its_table(run_import):
    job = run_import(FILE, dry_run="true")
    with db.engine().begin() as backup:
        backup.exec_driver_sql(f"LOCK TABLE {dry_run.name(job.id)} IN ACCESS SHARE MODE")
        with pytest.raises(Conflict, match="backup"):
            db.run(service.retry_import, job.id)
        assert apply(job).status == "completed"
        assert tables() == [dry_run.name(job.id)]
    db.run(retention.prune)
    assert tables() == []


def test_a_stopped_apply_continues_with_the_changes_that_were_shown(run_import, products):
    run_import(BEFORE)
    job = run_import(FILE, dry_run="true")
    db.run(service.apply_import, job.id)
    db.run(service.cancel_import, job.id)
    run_import(csv_of("a,Apple,blue"))
    db.run(service.retry_import, job.id)
    tasks.run_import(str(job.id))
    done = current(job.id)
    assert (done.status, counts(done)) == ("completed", (1, 0, 1, 1, 2))
    assert (2, "changed_since_preview") in row_errors(job.id)
    assert products()["a"] == ("Apple", "blue")
    assert tables() == []


def test_only_a_dry_run_can_be_applied(run_import):
    job = run_import(BEFORE)
    with pytest.raises(Conflict) as raised:
        db.run(service.apply_import, job.id)
    assert raised.value.kind == "not-a-preview"
    with pytest.raises(Conflict):
        changes(job)
