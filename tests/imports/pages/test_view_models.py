"""The view models of imports and of a dry run's changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from product_importer.imports.pages import labels
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.schemas import ImportChoices, ImportRead, ImportUndo

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COUNTS = ("created", "updated", "unchanged", "duplicates", "rejected")
UNDO = ImportUndo(status="undone", until=NOW, removed=1200, restored=3, kept=1)


def read(**fields: Any) -> ImportRead:
    given: dict[str, Any] = dict.fromkeys((*COUNTS, "rows_read"), 0) | {
        "id": uuid4(),
        "filename": "a.csv",
        "size_bytes": 1,
        "sha256": "",
        "status": "completed",
        "phase": "finished",
        "percent": 100,
        "total_rows": 0,
        "error": None,
        "warnings": [],
        "choices": ImportChoices(),
        "format": Format(),
        "columns": {},
        "file_available": True,
        "undo": None,
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": NOW + timedelta(seconds=3),
        "applied_at": None,
        "started_by": None,
    }
    return ImportRead.model_validate(given | fields)


def seen(**fields: Any) -> ImportView:
    return ImportView.of(read(**fields))


def test_a_stopped_import_says_how_many_rows_are_in_the_catalogue():
    assert seen(status="cancelled", created=100_000, unchanged=20_000, rejected=5, total_rows=500_000).stopped == (
        "Stopped: 120,000 of 500,000 rows are in the catalogue."
    )
    assert seen(status="failed", rejected=5, total_rows=None).stopped == (
        "Stopped: no rows of the file are in the catalogue."
    )
    assert "dry run" in seen(status="cancelled", created=5, choices=ImportChoices(dry_run=True)).stopped
    assert seen().stopped == ""


def test_the_offered_actions_depend_on_the_state_and_the_file():
    assert seen(status="failed").can_retry
    assert not seen(status="failed", file_available=False).can_retry
    assert seen(status="failed", file_available=False).file_gone
    assert not seen(status="cancelled", undo=UNDO).can_retry
    assert (seen(status="previewed").can_apply, seen(status="previewed").can_retry) == (True, True)
    assert (seen().can_apply, seen().can_retry) == (False, False)


def test_an_import_that_is_being_undone_cannot_be_cancelled():
    shown = seen(undo=UNDO.model_copy(update={"status": "pending"}))
    assert (shown.is_running, shown.undo.status, shown.doing) == (False, "pending", "Took 3 s")


def test_the_result_of_an_undo_names_kept_products_only_if_there_are_any():
    assert seen(undo=UNDO).undo.result == "1,200 removed, 3 restored, 1 kept because changed since"
    assert seen(undo=UNDO.model_copy(update={"kept": 0})).undo.result == "1,200 removed, 3 restored"


def test_the_history_shows_only_changed_options():
    assert seen().changed_options == []
    chosen = ImportChoices(mode="create", duplicates="reject", blank="keep", continuation="fill", dry_run=True)
    assert seen(choices=chosen).changed_options == [
        "dry run",
        "only new",
        "duplicates rejected",
        "blanks keep values",
        "variants filled",
    ]
    assert seen(choices=chosen, applied_at=NOW).changed_options[0] == "dry run, applied"


def test_columns_are_listed_by_what_they_are_used_for():
    shown = seen(columns={"SKU": "sku", "Title": "name", "Vendor": "attribute", "": "attribute", "_line": "ignore"})
    assert [(fact.label, fact.value) for fact in shown.columns] == [("sku", ""), ("name", "Title")]
    assert shown.other_columns == ["2 columns kept as attributes: Vendor, (no name)", "1 column ignored: _line"]


def test_formats_have_readable_labels():
    assert labels.read_as(Format()) == "Read as UTF-8, commas"
    assert labels.read_as(Format(encoding="cp1252", delimiter=";")) == "Read as Windows-1252, semicolons"
    assert labels.read_as(Format(container="gzip", delimiter="\t")) == "Read as UTF-8, tabs, unpacked from gzip"
    assert labels.read_as(Format(container="zip", part="a.csv")).endswith("commas, found in a zip as “a.csv”")
    assert labels.read_as(Format(container="xz")) == "Read as UTF-8, commas, unpacked from xz"
    assert labels.read_as(Format(kind="jsonl")) == "Read as JSON Lines"
    assert labels.read_as(Format(kind="json", container="tar", part="a")) == "Read as JSON, found in a tar as “a”"
    assert labels.read_as(Format(kind="parquet")) == "Read as Parquet"
    assert labels.read_as(Format(container="xlsx", part="Prices")) == "Read as an Excel workbook, its sheet “Prices”"
    assert labels.read_as(Format(header_line=4)) == "Read as UTF-8, commas, header in line 4"
    assert labels.read_as(Format(header_line=0)).endswith(", no header")
    assert labels.read_as(Format(kind="xls", part="Old")) == "Read as an old Excel workbook (.xls), its sheet “Old”"
    assert labels.read_as(Format(kind="ods")) == "Read as an OpenDocument workbook (.ods)"
    assert labels.encoding("koi8-r") == "KOI8-R"


def test_a_warning_says_how_often_and_where():
    def shown(count: int | None, line: int | None) -> str:
        warning = {"code": "text_formulas", "message": "Read as text.", "count": count, "first_line": line}
        [view] = seen(warnings=[warning]).warnings
        assert view.message == "Read as text."
        return view.where

    assert shown(1, 2) == "Once, in line 2."
    assert shown(1_200, 3_400) == "1,200 times, first in line 3,400."
    assert (shown(None, None), shown(None, 4)) == ("", "")
