"""Edits of rows by REST: what is judged, refused, stored, and applied with a dry run."""

import io
import json
from typing import Any
from uuid import UUID

import pytest

from product_importer.core import db
from product_importer.imports import service, tasks
from product_importer.imports.edits import patches
from product_importer.imports.progress import current
from tests.imports.conftest import row_errors, upload
from tests.imports.pipeline.test_runner import counts, csv_of, fetch

FILE = csv_of(
    "k-1,,black",  # line 2: no name
    "k-2,Cup,white",
    ",Plate,flat",  # line 4: no SKU
    "k-4,Fork",  # line 5: ragged
    "k-5,Knife,sharp",
    "k-5,Knife again,dull",
    '"k-6"x,Spoon,round',  # line 8: malformed
)


def edit(client: Any, job_id: UUID, **body: Any) -> Any:
    return client.patch(f"/api/jobs/{job_id}/rows", json=body)


def edited(client: Any, job_id: UUID, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    answer = edit(client, job_id, rows=list(rows))
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.fixture
def dry_run(client, run_import):
    """A finished dry run of `FILE` over a catalogue with one of its products."""
    run_import(csv_of("k-2,Cup,white"))
    job = run_import(FILE, dry_run="true")
    assert (job.status, counts(job)) == ("previewed", (1, 0, 1, 1, 4))
    return job.id


@pytest.mark.parametrize(
    ("line", "cells", "code", "after"),
    [
        (2, {"name": "Kettle"}, None, {"sku": "k-1", "name": "Kettle", "description": "black"}),
        (2, {"description": "red"}, "no_name", {"sku": "k-1", "name": "", "description": "red"}),
        (2, {"name": "x" * 1001}, "too_long", {"sku": "k-1", "name": "x" * 1001, "description": "black"}),
        (3, {"name": " "}, "no_name", {"sku": "k-2", "name": "", "description": "white"}),
        (3, {"name": "=1+1"}, None, {"sku": "k-2", "name": "=1+1", "description": "white"}),
        (4, {"sku": "4E+12"}, "scientific_sku", {"sku": "4E+12", "name": "Plate", "description": "flat"}),
        (5, {"description": "steel"}, None, {"sku": "k-4", "name": "Fork", "description": "steel"}),
        (6, {"sku": "k-7"}, None, {"sku": "k-7", "name": "Knife", "description": "sharp"}),
        (7, {"description": "blunt"}, None, {"sku": "k-5", "name": "Knife again", "description": "blunt"}),
        (8, {"sku": "k-6", "name": "Spoon"}, None, {"sku": "k-6", "name": "Spoon", "description": ""}),
        (8, {"name": "Spoon"}, "no_sku", {"sku": "", "name": "Spoon", "description": ""}),
    ],
)
def test_an_edited_row_is_judged_as_the_reader_judges_it(client, dry_run, line, cells, code, after):
    [row] = edited(client, dry_run, {"line": line, "cells": cells})
    assert (row["line"], row["code"], row["cells"], row["skipped"]) == (line, code, after, False)
    assert (row["reason"] is None) == (code is None)
    db.run(service.retry_import, dry_run)
    tasks.run_import(str(dry_run))
    assert dict(row_errors(dry_run)).get(line) == code


def test_a_dry_run_is_applied_with_its_edits(client, dry_run, products):
    edited(
        client,
        dry_run,
        {"line": 2, "cells": {"name": "Kettle"}},
        {"line": 3, "cells": {"description": "blue"}},
        {"line": 5, "skip": True},
        {"line": 6, "cells": {"sku": "K-2b", "name": "=Knife"}},
    )
    db.run(service.apply_import, dry_run)
    tasks.run_import(str(dry_run))
    job = current(dry_run)
    assert (job.status, job.total_rows, counts(job)) == ("completed", 6, (3, 1, 0, 0, 2))
    assert products() == {
        "k-1": ("Kettle", "black"),
        "k-2": ("Cup", "blue"),
        "K-2b": ("=Knife", "sharp"),
        "k-5": ("Knife again", "dull"),
    }
    assert row_errors(dry_run) == [(4, "no_sku"), (8, "malformed")]


def test_a_repeated_dry_run_counts_the_edited_rows(client, dry_run):
    edited(client, dry_run, {"line": 2, "cells": {"name": "Kettle"}}, {"line": 3, "cells": {"name": "Mug"}})
    db.run(service.retry_import, dry_run)
    tasks.run_import(str(dry_run))
    job = current(dry_run)
    assert (job.status, counts(job)) == ("previewed", (2, 1, 0, 1, 3))
    changes = client.get(f"/api/jobs/{dry_run}/changes").json()["items"]
    assert [(change["line"], change["outcome"]) for change in changes] == [
        (2, "created"),
        (3, "updated"),
        (7, "created"),
    ]


def test_an_applied_dry_run_still_sees_what_was_changed_since(client, run_import, products):
    """An edit that brings in another product does not take this check from the others."""
    run_import(csv_of("a,A,1", "b,B,1", "c,C,1"))
    job = run_import(csv_of("a,A,2", "x,B,2"), dry_run="true")
    edited(client, job.id, {"line": 3, "cells": {"sku": "B"}})
    run_import(csv_of("b,B,9"))
    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))
    assert (current(job.id).status, counts(current(job.id))) == ("completed", (0, 2, 0, 0, 0))
    assert products()["b"] == ("B", "2")

    job = run_import(csv_of("a,A,3", "x,B,3"), dry_run="true")
    edited(client, job.id, {"line": 3, "cells": {"sku": "B"}})
    run_import(csv_of("a,A,9"))
    answer = client.post(f"/api/jobs/{job.id}/apply")
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (409, "preview-outdated")


def test_an_edit_adds_to_earlier_ones_and_null_takes_one_back(client, dry_run):
    edited(client, dry_run, {"line": 2, "cells": {"name": "Kettle", "description": "red"}, "skip": True})
    [row] = edited(client, dry_run, {"line": 2, "cells": {"name": None}})
    assert (row["skipped"], row["code"]) == (True, None)
    [row] = edited(client, dry_run, {"line": 2, "skip": False})
    assert (row["skipped"], row["code"], row["cells"]["description"]) == (False, "no_name", "red")


def test_all_rows_of_one_reason_are_edited_but_not_those_that_were_corrected(client, run_import):
    job = run_import(csv_of(*(f"s{n},,x" for n in range(250)), ",no,sku"), dry_run="true")
    edited(client, job.id, {"line": 5, "cells": {"name": "Mine"}}, {"line": 252, "cells": {"sku": "s", "name": ""}})
    answer = edit(client, job.id, reasons=[{"code": "no_name", "cells": {"name": "Unnamed"}}]).json()
    assert (answer["total"], answer["rejected"], len(answer["items"])) == (250, 0, 100)
    assert [row["line"] for row in answer["items"][:4]] == [2, 3, 4, 6]
    assert edit(client, job.id, reasons=[{"code": "no_name", "skip": True}]).json() == {
        "items": [],
        "total": 0,
        "rejected": 0,
    }
    names = fetch("SELECT cells->>'name', count(*) FROM import_row_patch GROUP BY 1 ORDER BY 1")
    assert names == [("Mine", 1), ("Unnamed", 250)]


def test_rows_of_one_reason_are_left_out(client, dry_run):
    answer = edit(client, dry_run, reasons=[{"code": "no_sku", "skip": True}]).json()
    assert [(row["line"], row["skipped"], row["code"]) for row in answer["items"]] == [(4, True, None)]
    db.run(service.apply_import, dry_run)
    tasks.run_import(str(dry_run))
    assert current(dry_run).total_rows == 6


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"rows": [{"line": 1, "skip": True}]}, "rows.0.line", "No row"),
        ({"rows": [{"line": 2, "skip": True}, {"line": 2, "skip": True}]}, "rows.1.line", "twice"),
        ({"rows": [{"line": 2, "cells": {"Name": "x"}}]}, "rows.0.cells.Name", "Did you mean “name”"),
        ({"rows": [{"line": 2, "cells": {"name": "a\0"}}]}, "rows.0.cells.name", "NUL"),
        ({"rows": [{"line": 2, "cells": {"name": "x" * 100_001}}]}, "rows.0.cells.name", "100000"),
        ({"rows": [{"line": 2, "skip": None}]}, "rows.0.skip", "boolean"),
        ({"rows": [{"line": "2"}] * 1_001}, "rows", "at most 1000"),
        ({"lines": []}, "lines", "Known fields: rows, reasons"),
        ({"reasons": [{"code": "no_sku", "cells": {"nam": "x"}}]}, "reasons.0.cells.nam", "Did you mean “name”"),
        ({"reasons": [{"code": "blank_name", "skip": True}]}, "reasons.0.code", "no_name"),
    ],
)
def test_what_cannot_be_edited_is_refused_with_its_field(client, dry_run, body, field, words):
    answer = edit(client, dry_run, **body)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == field and words in error["message"]
    assert fetch("SELECT count(*) FROM import_row_patch") == [(0,)]


def test_a_row_is_judged_without_an_edit(client, dry_run):
    [row] = edited(client, dry_run, {"line": 2})
    assert (row["code"], row["reason"], row["cells"]["sku"]) == ("no_name", "The name is empty.", "k-1")
    assert fetch("SELECT count(*) FROM import_row_patch") == [(0,)]
    assert fetch("SELECT count(*) FROM audit_event WHERE action = 'import_rows_edited'") == [(0,)]


def test_who_edited_how_many_rows_is_recorded(client, dry_run):
    before = fetch("SELECT count(*) FROM audit_event")
    edit(client, dry_run, rows=[{"line": 2, "skip": True}, {"line": 3}], reasons=[{"code": "no_sku", "skip": True}])
    [entry] = fetch(
        "SELECT action, object_id, object_name, details FROM audit_event ORDER BY at DESC, id DESC LIMIT 1"
    )
    assert entry == ("import_rows_edited", dry_run, "catalogue.csv", {"rows": 2})
    assert fetch("SELECT count(*) FROM audit_event") == [(before[0][0] + 1,)]


def test_half_a_surrogate_pair_is_refused(client, dry_run):
    body = '{"rows": [{"line": 2, "cells": {"name": "\\ud800"}}]}'
    answer = client.patch(f"/api/jobs/{dry_run}/rows", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_patches_are_limited(client, dry_run, monkeypatch):
    monkeypatch.setattr(patches, "MAX_PATCHES", 1)
    edited(client, dry_run, {"line": 2, "skip": True})
    answer = edit(client, dry_run, rows=[{"line": 3, "skip": True}])
    assert (answer.status_code, "at most 1 edited rows" in answer.json()["detail"]) == (422, True)
    monkeypatch.setattr(patches, "MAX_CHARACTERS", 10)
    answer = edit(client, dry_run, rows=[{"line": 2, "cells": {"name": "Kettle 1"}}])
    assert (answer.status_code, "at most 10 characters" in answer.json()["detail"]) == (422, True)
    assert fetch("SELECT line, cells FROM import_row_patch") == [(2, {})]


def test_only_rejected_rows_of_a_completed_import_can_be_edited(client, run_import):
    job = run_import(FILE)
    [row] = edited(client, job.id, {"line": 2, "cells": {"name": "Kettle"}})
    assert row["code"] is None
    for line in (3, 6):
        assert edit(client, job.id, rows=[{"line": line, "skip": True}]).status_code == 422
    good = run_import(csv_of("a,A,1"))
    waiting = upload(FILE.encode(), dry_run="true")
    for job_id in (good.id, waiting):
        answer = edit(client, job_id, rows=[{"line": 2, "skip": True}])
        assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (409, "not-editable")


def test_a_reason_that_other_rows_or_the_catalogue_give_stays_while_it_is_not_touched(client, run_import):
    run_import(csv_of("a,A,1"))
    job = run_import(csv_of("A,A,2", "b,B,1", "b,B,2"), mode="create", duplicates="reject")
    assert row_errors(job.id) == [(2, "exists"), (3, "duplicate_sku"), (4, "duplicate_sku")]
    rows = [{"line": line, "cells": {"description": "new"}} for line in (2, 3)]
    assert [row["code"] for row in edited(client, job.id, *rows)] == ["exists", "duplicate_sku"]
    rows = [{"line": line, "cells": {"sku": f"n{line}"}} for line in (2, 3)]
    assert [row["code"] for row in edited(client, job.id, *rows)] == [None, None]


def test_a_row_that_continues_the_product_above_stays_one_until_it_has_a_name(client, run_import):
    job = run_import("Handle,sku,name,description\nmug,m-1,Mug,x\nmug,m-2,,y\n", dry_run="true")
    assert [row["code"] for row in edited(client, job.id, {"line": 3, "cells": {"sku": "m-3"}})] == ["continuation"]
    assert [row["code"] for row in edited(client, job.id, {"line": 3, "cells": {"Handle": "cup"}})] == ["no_name"]
    assert [row["code"] for row in edited(client, job.id, {"line": 3, "cells": {"name": "Mug 2"}})] == [None]


def test_a_row_continues_an_edited_one_that_could_not_be_read(client, run_import, products):
    keys = ("Handle", "sku", "name", "description")
    lines = [json.dumps(dict(zip(keys, row, strict=True))) for row in (("a", "a", "A", ""), ("mug", "m-2", "", "y"))]
    lines.insert(1, '{"Handle": "mug", "sku": "m-1", "sku": "m-0", "name": "Mug", "description": ""}')
    job = run_import("\n".join(lines), "rows.jsonl", dry_run="true", continuation="fill")
    (line, code), (_, next_code) = row_errors(job.id)
    assert (code, next_code) == ("repeated_key", "no_name")
    edited(client, job.id, {"line": line, "cells": {"Handle": "mug", "sku": "m-1", "name": "Mug"}})
    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))
    assert products() == {"a": ("A", ""), "m-1": ("Mug", ""), "m-2": ("Mug", "y")}


def test_cells_of_a_row_that_the_catalogue_rejects_are_shown_as_they_would_be_imported(client, run_import):
    run_import(csv_of("a,A,1"))
    job = run_import(csv_of("a,''=B,'=1"), mode="create")
    [row] = edited(client, job.id, {"line": 2})
    assert (row["code"], row["cells"]) == ("exists", {"sku": "a", "name": "'=B", "description": "=1"})


def test_a_row_without_changes_is_found_unless_its_product_was_changed(client, run_import):
    file = "sku,name,description,active,colour,size\na,A,1,no,red,\nb,B,2,yes,,4\n"
    run_import(file)
    job = run_import(file, dry_run="true")
    [row] = edited(client, job.id, {"line": 2, "cells": {"size": "5"}})
    assert row["cells"] == {
        "sku": "a",
        "name": "A",
        "description": "1",
        "active": "false",
        "colour": "red",
        "size": "5",
    }
    run_import(csv_of("b,B,3"))
    answer = edit(client, job.id, rows=[{"line": 3, "cells": {"size": "5"}}])
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (409, "preview-outdated")


def test_a_nul_in_a_cell_that_is_not_edited_stays_wrong(client, run_import):
    job = run_import("sku,name,description\na,A\0,x\0\n", dry_run="true")
    assert [row["code"] for row in edited(client, job.id, {"line": 2, "cells": {"name": "A"}})] == ["nul"]
    assert [row["code"] for row in edited(client, job.id, {"line": 2, "cells": {"description": "x"}})] == [None]


def test_a_row_without_any_value_left_is_left_out(client, dry_run):
    cells = {"sku": "", "name": " ", "description": ""}
    [row] = edited(client, dry_run, {"line": 2, "cells": cells})
    assert (row["skipped"], row["code"]) == (True, None)
    db.run(service.retry_import, dry_run)
    tasks.run_import(str(dry_run))
    assert (current(dry_run).total_rows, current(dry_run).rejected) == (6, 3)


def test_rows_of_json_and_of_a_workbook_are_edited_by_the_lines_they_report(client, run_import, products):
    lines = [{"sku": "a", "name": "", "description": "1"}, {"sku": "b", "name": "B", "description": "2"}]
    job = run_import(json.dumps(lines), "rows.json", dry_run="true")
    [(line, _)] = row_errors(job.id)
    edited(client, job.id, {"line": line, "cells": {"name": "A"}})
    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))

    openpyxl = pytest.importorskip("openpyxl")
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (("sku", "name", "description"), ("c", None, "3"), (None, None, None), ("d", "D", "4")):
        book.active.append(row)
    book.save(content)
    job = run_import(content.getvalue(), "rows.xlsx", dry_run="true")
    edited(client, job.id, {"line": 2, "cells": {"name": "C"}}, {"line": 4, "cells": {"name": "DD"}})
    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))
    assert products() == {"a": ("A", "1"), "b": ("B", "2"), "c": ("C", "3"), "d": ("DD", "4")}
