"""The rows of a dry run, and the rejected ones of an import, as they are now: states, old values, counts, pages."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from product_importer.core import db
from product_importer.core.errors import Conflict, NotFound
from product_importer.imports import service, tasks
from product_importer.imports.edits import checking, fixing
from product_importer.imports.edits.check_schemas import CheckedRow, CheckQuery, CheckSummary, RowState
from product_importer.imports.edits.schemas import RowsEdit
from product_importer.imports.progress import current
from tests.imports.conftest import execute
from tests.imports.pipeline.test_runner import csv_of

HEADER = "sku,name,description,active,colour"
HELD = csv_of("c-1,Cup,white,yes,red", "c-2,Mug,blue,yes,", "c-3,Fork,steel,no,", header=HEADER)
FILE = csv_of(
    "C-1,Cup,black,no,green",  # line 2: updated
    "c-2,Mug,blue,yes,",  # line 3: unchanged
    "c-4,Plate,flat,yes,white",  # line 4: created
    "c-5,,x,yes,",  # line 5: no name
    "c-6,Pan,x,perhaps,",  # line 6: not active, not inactive
    "c-4,Plate again,flat,yes,white",  # line 7: the row of c-4 that is used
    ",,x,yes,",  # line 8: no SKU
    header=HEADER,
)


@pytest.fixture
def dry_run(run_import) -> UUID:
    run_import(HELD)
    job = run_import(FILE, dry_run="true")
    assert job.status == "previewed"
    return job.id


def rows(job_id: UUID, **query: object) -> list[CheckedRow]:
    return db.run(checking.list_rows, job_id, CheckQuery.model_validate(query)).items


def lines(job_id: UUID, **query: object) -> list[int]:
    return [row.line for row in rows(job_id, **query)]


def states(job_id: UUID) -> dict[str, int]:
    return {state: count for state, count in db.run(checking.summarize, job_id).states.items() if count}


def edit(
    job_id: UUID, *edits: dict[str, object], reasons: Sequence[object] = (), shown: tuple[int, ...] = ()
) -> list[CheckedRow]:
    given = RowsEdit.model_validate({"rows": list(edits), "reasons": list(reasons)})
    summary = db.run(checking.summarize, job_id)
    moved = db.run(checking.edit_and_list, job_id, given, shown)
    if not reasons and len(shown) == len(edits):
        # The page counts by what has moved.
        now = db.run(checking.summarize, job_id)
        assert with_reasons(summary.after(*moved)) == with_reasons(now)
    return moved.now


def with_reasons(summary: CheckSummary) -> CheckSummary:
    reasons = {code: count for code, count in summary.reasons.items() if count}
    return summary.model_copy(update={"reasons": reasons})


def test_rows_have_their_states_old_values_and_wrong_cells(dry_run):
    found = {row.line: row for row in rows(dry_run)}
    assert {line: row.state for line, row in found.items()} == {
        2: "update",
        3: "unchanged",
        4: "duplicate",
        5: "problem",
        6: "problem",
        7: "create",
        8: "problem",
    }
    assert found[2].before == {"description": "white", "active": "true", "colour": "red"}
    assert found[2].cells == {
        "sku": "C-1",
        "name": "Cup",
        "description": "black",
        "active": "false",
        "colour": "green",
    }
    assert (found[3].before, found[7].before) == ({}, {})
    assert [found[line].wrong for line in (5, 6, 8)] == [["name"], ["active"], ["sku"]]
    assert found[5].reason == "The name is empty."


def test_rows_are_counted_and_listed_by_state(dry_run):
    assert states(dry_run) == {"update": 1, "create": 1, "problem": 3, "unchanged": 1, "duplicate": 1}
    assert {state: lines(dry_run, state=state) for state in RowState} == {
        "update": [2],
        "create": [7],
        "problem": [5, 6, 8],
        "unchanged": [3],
        "duplicate": [4],
        "skipped": [],
    }
    summary = db.run(checking.summarize, dry_run)
    assert summary.reasons == {"no_name": 1, "bad_active": 1, "no_sku": 1}
    # A SKU is another one in each row.
    assert summary.settable == {"no_name": "name", "no_name_to_keep": "name", "bad_active": "active"}
    page = db.run(checking.list_rows, dry_run, CheckQuery(page=2, page_size=3))
    assert ([row.line for row in page.items], page.total, page.pages) == ([5, 6, 7], 7, 3)


def test_an_edited_row_is_in_the_state_that_it_has_now(dry_run):
    [fixed, wrong] = edit(
        dry_run, {"line": 5, "cells": {"name": "Pot"}}, {"line": 6, "cells": {"active": "maybe"}}, shown=(5, 6)
    )
    assert (fixed.state, fixed.edited, fixed.code) == ("create", ["name"], None)
    assert (wrong.state, wrong.edited, wrong.wrong) == ("problem", ["active"], ["active"])
    # An edit that makes another product of it shows that product's values.
    [other] = edit(dry_run, {"line": 5, "cells": {"sku": "C-3"}}, shown=(5,))
    assert (other.state, other.before) == ("update", {"name": "Fork", "description": "steel", "active": "false"})
    [back] = edit(
        dry_run, {"line": 2, "cells": {"description": "white", "active": "yes", "colour": "red"}}, shown=(2,)
    )
    assert back.state == "unchanged"
    assert states(dry_run) == {"update": 1, "create": 1, "problem": 2, "unchanged": 2, "duplicate": 1}
    assert lines(dry_run, state="update") == [5]
    assert lines(dry_run, state="unchanged") == [2, 3]
    assert lines(dry_run, edited=True) == [2, 5, 6]
    assert db.run(checking.summarize, dry_run).edited == 3
    # An edit that is taken back is none.
    edit(dry_run, {"line": 6, "cells": {"active": None}})
    assert lines(dry_run, edited=True) == [2, 5]


def test_rows_with_one_problem_are_set_or_left_out_together(dry_run):
    edit(dry_run, reasons=[{"code": "no_name", "cells": {"name": "Pot"}}, {"code": "no_sku", "skip": True}])
    assert states(dry_run) == {
        "update": 1,
        "create": 2,
        "problem": 1,
        "unchanged": 1,
        "duplicate": 1,
        "skipped": 1,
    }
    assert lines(dry_run, state="skipped") == [8]
    assert with_reasons(db.run(checking.summarize, dry_run)).reasons == {"bad_active": 1}
    db.run(service.apply_import, dry_run)
    tasks.run_import(str(dry_run))
    job = current(dry_run)
    assert (job.status, job.created, job.updated, job.rejected) == ("completed", 2, 1, 1)


def test_a_row_whose_product_was_changed_since_says_so(dry_run):
    execute("UPDATE product SET version = version + 1, name = 'Tub' WHERE sku = 'c-2'")
    execute("UPDATE product SET version = version + 1 WHERE sku = 'c-1'")
    found = {row.line: row for row in rows(dry_run)}
    assert [(line, row.is_known) for line, row in found.items() if row.is_outdated] == [(2, True), (3, False)]
    assert found[3].cells["name"] == "Tub"
    with pytest.raises(Conflict, match="The product of line 3 was changed since the dry run"):
        edit(dry_run, {"line": 3, "cells": {"name": "Other"}})


def test_blank_cells_that_keep_values_change_nothing(run_import):
    run_import(HELD)
    job = run_import(csv_of("c-1,,,,", "c-2,Mug,,,blue", header=HEADER), dry_run="true", blank="keep")
    assert [(row.state, row.before) for row in rows(job.id)] == [("unchanged", {}), ("update", {"colour": ""})]


def test_a_long_cell_is_cut_and_says_so(run_import):
    job = run_import(csv_of(f"c-1,Cup,{'x' * 6_000}"), dry_run="true")
    [row] = rows(job.id)
    assert (len(row.cells["description"]), row.cut) == (5_000, ["description"])


def test_rejected_rows_are_corrected_and_imported_again(run_import, products):
    run_import(HELD)
    job = run_import(FILE)
    assert lines(job.id) == [5, 6, 8]
    assert states(job.id) == {"problem": 3}
    [fixed] = edit(job.id, {"line": 5, "cells": {"name": "Pot"}}, shown=(5,))
    assert fixed.state == "create"
    assert states(job.id) == {"problem": 2, "create": 1}
    assert db.run(checking.summarize, job.id).good == 1
    assert db.run(fixing.find_linked, job.id) is None
    linked = db.run(fixing.fix_import, job.id)
    assert db.run(fixing.find_linked, job.id) == linked.id
    tasks.run_import(str(linked.id))
    assert products()["c-5"] == ("Pot", "x")
    assert lines(linked.id) == [6, 8]


def test_only_a_dry_run_and_a_completed_import_have_rows(run_import):
    job = run_import(HELD)
    assert rows(job.id) == []
    execute("UPDATE import_job SET status = 'failed' WHERE id = %s", str(job.id))
    with pytest.raises(Conflict, match="it has no rows to check"):
        rows(job.id)
    with pytest.raises(NotFound):
        rows(uuid4())
