"""The rejected rows of an import are imported again, with their edits, from the same file."""

import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from product_importer.catalog.schemas import sku_key
from product_importer.core import db
from product_importer.core.storage import storage
from product_importer.imports import retention, service, tasks
from product_importer.imports.options import parse
from product_importer.imports.progress import current
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from product_importer.imports.upload.receiver import IncomingUpload
from tests.examples import examples
from tests.imports.conftest import execute, row_errors
from tests.imports.edits.test_rows import FILE, edited
from tests.imports.pipeline.test_runner import counts, csv_of, fetch
from tests.imports.test_retry import again, run_until_cancelled
from tests.waiting import wait_for


def fix(client: Any, job_id: UUID) -> UUID:
    answer = client.post(f"/api/jobs/{job_id}/fix")
    assert answer.status_code == 202, answer.text
    linked = answer.json()
    assert (linked["status"], linked["parent_id"]) == ("pending", str(job_id))
    assert answer.headers["location"] == f"/api/jobs/{linked['id']}"
    return UUID(linked["id"])


def fixed(client: Any, job_id: UUID) -> ImportRead:
    linked = fix(client, job_id)
    tasks.run_import(str(linked))
    return current(linked)


def refused(client: Any, job_id: UUID) -> dict[str, Any]:
    answer = client.post(f"/api/jobs/{job_id}/fix")
    assert answer.status_code == 409
    problem: dict[str, Any] = answer.json()
    assert problem["type"].endswith("/not-fixable")
    return problem


def test_rejected_rows_are_imported_with_their_edits_and_the_others_rejected_again(client, run_import, products):
    job = run_import(FILE, mode="create")
    assert row_errors(job.id) == [(2, "no_name"), (4, "no_sku"), (5, "ragged"), (6, "duplicate"), (8, "malformed")]
    edited(
        client,
        job.id,
        {"line": 2, "cells": {"name": "Kettle"}},
        {"line": 4, "cells": {"sku": "K-2"}},
        {"line": 5, "skip": True},
    )
    linked = fixed(client, job.id)
    assert (linked.status, linked.total_rows, counts(linked)) == ("completed", 3, (1, 0, 0, 0, 2))
    assert (linked.choices, linked.filename, linked.sha256) == (job.choices, job.filename, job.sha256)
    assert row_errors(linked.id) == [(4, "exists"), (8, "malformed")]
    assert products() == {"k-1": ("Kettle", "black"), "k-2": ("Cup", "white"), "k-5": ("Knife again", "dull")}
    assert client.get(f"/api/jobs/{linked.id}/rejects").text.splitlines()[1].startswith("K-2,Plate,flat,4,exists")


def test_what_is_still_rejected_is_edited_in_the_linked_import(client, run_import, products):
    job = run_import(csv_of("a,,1", "b,B,2", "c,,3"))
    edited(client, job.id, {"line": 2, "cells": {"name": "A"}})
    linked = fixed(client, job.id)
    assert (counts(linked), row_errors(linked.id)) == ((1, 0, 0, 0, 1), [(4, "no_name")])
    edited(client, linked.id, {"line": 4, "cells": {"name": "C"}})
    last = fixed(client, linked.id)
    assert (last.parent_id, counts(last), last.undo.status) == (linked.id, (1, 0, 0, 0, 0), "possible")
    assert products() == {"a": ("A", "1"), "b": ("B", "2"), "c": ("C", "3")}
    assert "rejected 0 rows" in refused(client, last.id)["detail"]


def test_an_import_of_rejected_rows_has_an_undo_of_its_own(client, run_import, products):
    run_import(csv_of("a,Old,1"))
    job = run_import(csv_of("a,,2", ",B,3", "c,C,4"))
    edited(client, job.id, {"line": 2, "cells": {"name": "New"}}, {"line": 3, "cells": {"sku": "b"}})
    linked = fixed(client, job.id)
    assert counts(linked) == (1, 1, 0, 0, 0)
    assert refused(client, job.id)["job_id"] == str(linked.id)
    db.run(service.undo_import, linked.id)
    tasks.run_undo(str(linked.id))
    assert products() == {"a": ("Old", "1"), "c": ("C", "4")}
    assert counts(fixed(client, job.id)) == (1, 1, 0, 0, 0)


def test_a_row_that_continues_a_product_of_the_first_import_still_does(client, run_import, products):
    job = run_import("Handle,sku,name,description\nmug,m-1,Mug,x\nmug,m-2,,y\nmug,m-3,,z\npot,,Pot,p\n")
    assert row_errors(job.id) == [(3, "continuation"), (4, "continuation"), (5, "no_sku")]
    edited(client, job.id, {"line": 5, "cells": {"sku": "p-1"}})
    linked = fixed(client, job.id)
    assert row_errors(linked.id) == [(3, "continuation"), (4, "continuation")]
    assert products() == {"m-1": ("Mug", "x"), "p-1": ("Pot", "p")}


def test_rows_that_a_linked_import_fills_are_no_warning_about_the_whole_file(client, run_import, products):
    file = "Handle,sku,name,description\nmug,m-1,Mug,x\nmug,m-2,,y\npot,p-1,,z\n"
    job = run_import(file, continuation="fill")
    assert ([warning.code for warning in job.warnings], row_errors(job.id)) == (["filled_down"], [(4, "no_name")])
    edited(client, job.id, {"line": 4, "cells": {"name": "Pot"}})
    assert fixed(client, job.id).warnings == []
    assert products()["p-1"] == ("Pot", "z")


def test_an_applied_dry_run_is_fixed_as_an_import(client, run_import, products):
    job = run_import(csv_of("a,,1", "b,B,2", ",C,3"), dry_run="true")
    edited(client, job.id, {"line": 2, "cells": {"name": "A"}})
    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))
    edited(client, job.id, {"line": 4, "cells": {"sku": "c"}})
    linked = fixed(client, job.id)
    assert (linked.status, linked.choices.dry_run, counts(linked)) == ("completed", False, (1, 0, 0, 0, 0))
    assert products() == {"a": ("A", "1"), "b": ("B", "2"), "c": ("C", "3")}


def test_later_edits_of_the_first_import_do_not_reach_the_linked_one(client, run_import, products):
    job = run_import(csv_of("a,,1", "b,,2"))
    edited(client, job.id, {"line": 2, "cells": {"name": "Before"}})
    linked = fix(client, job.id)
    edited(client, job.id, {"line": 2, "cells": {"name": "After"}}, {"line": 3, "cells": {"name": "After"}})
    tasks.run_import(str(linked))
    assert products() == {"a": ("Before", "1")}


def test_what_has_no_rejected_rows_or_no_file_cannot_be_fixed(client, run_import):
    assert "completed" in refused(client, run_import(csv_of("a,A,1")).id)["detail"]
    assert "previewed" in refused(client, run_import(csv_of("a,,1"), dry_run="true").id)["detail"]
    job = run_import(csv_of("a,,1", "b,B,1"))
    execute("UPDATE import_job SET finished_at = now() - interval '8 days'")
    db.run(retention.prune)
    assert "deleted" in refused(client, job.id)["detail"]
    assert client.patch(f"/api/jobs/{job.id}/rows", json={"rows": [{"line": 2, "skip": True}]}).status_code == 409


def test_the_file_is_kept_until_neither_import_needs_it_and_the_edits_go_with_it(client, run_import):
    job = run_import(csv_of("a,,1", "b,,2"))
    edited(client, job.id, {"line": 2, "cells": {"name": "A"}})
    linked = fixed(client, job.id)
    old = "UPDATE import_job SET finished_at = now() - interval '8 days' WHERE id = %s"
    execute(old, str(job.id))
    db.run(retention.prune)
    db.run(receiver.delete_orphans)
    assert (current(job.id).file_available, current(linked.id).file_available) == (False, True)
    assert fetch("SELECT DISTINCT job_id FROM import_row_patch") == [(linked.id,)]
    edited(client, linked.id, {"line": 3, "cells": {"name": "B"}})
    last = fixed(client, linked.id)
    assert counts(last) == (1, 0, 0, 0, 0)
    for job_id in (linked.id, last.id):
        execute(old, str(job_id))
    db.run(retention.prune)
    assert (list(storage().keys()), fetch("SELECT count(*) FROM import_row_patch")) == ([], [(0,)])


def test_a_file_that_no_import_needs_any_more_is_deleted_whoever_let_go_of_it_first(client, run_import, monkeypatch):
    """Two processes may each have left it to the other."""
    monkeypatch.setattr(receiver, "ORPHANED_SECONDS", -1)
    job = run_import(csv_of("a,,1"))
    fixed(client, job.id)
    execute("UPDATE import_job SET file_deleted_at = now() WHERE id = %s", str(job.id))
    db.run(receiver.delete_orphans)
    assert len(list(storage().keys())) == 1
    execute("UPDATE import_job SET file_deleted_at = now()")
    db.run(receiver.delete_orphans)
    assert list(storage().keys()) == []


def test_the_same_file_may_be_uploaded_while_its_rejected_rows_are_imported(client, run_import):
    job = run_import(csv_of("a,,1"))
    fix(client, job.id)
    with IncomingUpload("catalogue.csv") as incoming:
        incoming.write(csv_of("a,,1").encode())
        assert incoming.accept(parse({}), refuse_running=True).parent_id is None


RUN = "import sys; from product_importer.imports import tasks; tasks.run_import(sys.argv[1])"
MANY = csv_of(*(f"s{n:04},{'' if n % 3 else f'Name {n}'},x" for n in range(9_000)))


def test_a_linked_import_that_is_stopped_goes_on_with_the_same_edits(client, run_import, monkeypatch):
    """It has several ranges; what was merged before is not merged again."""
    job = run_import(MANY)
    assert counts(job) == (3_000, 0, 0, 0, 6_000)
    answer = client.patch(f"/api/jobs/{job.id}/rows", json={"reasons": [{"code": "no_name", "cells": {"name": "N"}}]})
    assert (answer.json()["total"], answer.json()["rejected"]) == (6_000, 0)
    linked = fix(client, job.id)
    stopped = run_until_cancelled(linked, monkeypatch)
    assert 0 < stopped.created < 6_000
    done = again(linked)
    assert (done.status, counts(done)) == ("completed", (6_000, 0, 0, 0, 0))
    assert fetch("SELECT count(*), count(*) FILTER (WHERE name = 'N') FROM product") == [(9_000, 6_000)]


def test_an_applied_dry_run_with_edits_that_is_stopped_goes_on_with_them(client, run_import, monkeypatch):
    job = run_import(MANY, dry_run="true")
    client.patch(f"/api/jobs/{job.id}/rows", json={"reasons": [{"code": "no_name", "cells": {"name": "N"}}]})
    db.run(service.apply_import, job.id)
    assert 0 < run_until_cancelled(job.id, monkeypatch).created < 9_000
    done = again(job.id)
    assert (done.status, counts(done)) == ("completed", (9_000, 0, 0, 0, 0))


@pytest.mark.processes
def test_a_linked_import_whose_worker_is_killed_is_taken_over_with_the_same_edits(client, run_import):
    run_import(csv_of("s9999,Last,y"))
    job = run_import(MANY + "s9999,,x\n")
    client.patch(f"/api/jobs/{job.id}/rows", json={"reasons": [{"code": "no_name", "cells": {"name": "N"}}]})
    linked = fix(client, job.id)
    done = f"SELECT count(*) FROM import_range WHERE job_id = '{linked}' AND done_at IS NOT NULL"
    with db.engine().begin() as connection:
        # The worker cannot write the last range.
        connection.exec_driver_sql("SELECT FROM product WHERE sku_key = 's9999' FOR UPDATE")
        worker = subprocess.Popen([sys.executable, "-c", RUN, str(linked)])
        try:
            wait_for(lambda: fetch(done)[0][0] > 0, 60, "a range is written")
        finally:
            worker.kill()
            worker.wait()
    assert current(linked).status == "processing"
    execute("UPDATE import_job SET lease_until = now() - interval '1 s' WHERE id = %s", str(linked))
    tasks.run_import(str(linked))
    ended = current(linked)
    assert (ended.status, counts(ended)) == ("completed", (6_000, 1, 0, 0, 0))
    assert fetch("SELECT count(*), count(*) FILTER (WHERE name = 'N') FROM product") == [(9_001, 6_001)]
    assert fetch(f"SELECT fence FROM import_job WHERE id = '{linked}'") == [(2,)]


rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", "b", "c", "d", ""]), st.sampled_from(["", "N", "=M"]), st.sampled_from("xy")
    ),
    min_size=1,
    max_size=8,
)
patches = st.dictionaries(
    st.integers(0, 7),
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {}, optional={"sku": st.sampled_from(["a", "e", ""]), "name": st.sampled_from(["", "P", "'=Q"])}
        ),
    ),
)


def outcome_of(rows: list[tuple[str, str, str]], catalogue: dict[str, tuple[str, str, str]]) -> set[int]:
    """Change the catalogue, SKU by key, as an import of the rows does; return the places of the rejected rows."""
    rejected = {place for place, (sku, name, _) in enumerate(rows) if not (sku and name)}
    last = {sku_key(row[0]): row for place, row in enumerate(rows) if place not in rejected}
    for key, (sku, name, description) in last.items():
        # A product keeps the spelling of its SKU.
        catalogue[key] = (catalogue.get(key, (sku,))[0], name, description)
    return rejected


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows, patches)
def test_fixed_imports_agree_with_a_dict(client, run_import, products, rows, patches):
    execute("TRUNCATE product")
    catalogue: dict[str, tuple[str, str, str]] = {}
    # The last column keeps blank rows from being left out.
    job = run_import("sku,name,description,mark\n" + "".join(f"{','.join(row)},!\n" for row in rows))
    rejected = outcome_of(rows, catalogue)
    assert [line for line, code in row_errors(job.id) if code != "duplicate"] == [
        place + 2 for place in sorted(rejected)
    ]
    if not rejected:
        return
    edits = [
        {"line": place + 2, **({"skip": True} if cells is None else {"cells": cells})}
        for place, cells in patches.items()
        if place in rejected
    ]
    judged = client.patch(f"/api/jobs/{job.id}/rows", json={"rows": edits}).json()["items"]
    linked = fixed(client, job.id)
    again_rows = {place: rows[place] for place in sorted(rejected) if patches.get(place, {}) is not None}
    for place, cells in patches.items():
        if cells is not None and place in again_rows:
            sku, name, description = again_rows[place]
            again_rows[place] = (cells.get("sku", sku), cells.get("name", name), description)
    places = list(again_rows)
    still = {places[at] for at in outcome_of(list(again_rows.values()), catalogue)}
    assert (linked.status, linked.total_rows, linked.rejected) == ("completed", len(again_rows), len(still))
    assert [line for line, code in row_errors(linked.id) if code != "duplicate"] == [
        place + 2 for place in sorted(still)
    ]
    assert {row["line"] for row in judged if row["code"]} <= {place + 2 for place in still}
    assert products() == {sku: (name, description) for sku, name, description in catalogue.values()}
