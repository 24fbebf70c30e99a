"""The history of a product as its page shows it."""

from datetime import UTC, datetime
from uuid import uuid4

from product_importer.catalog.history.schemas import ChangedField, ChangeKind, HistoryEntry
from product_importer.catalog.last_change import LastChange, Writer
from product_importer.catalog.pages.product.view_models import entries_of
from product_importer.catalog.pages.view_models import LastChangeView


def entry(version: int, kind: ChangeKind, *changes: ChangedField, **more: str) -> HistoryEntry:
    given = {"by": None, "job_id": None, "filename": None, "action": None, **more}
    return HistoryEntry(
        at=datetime(2026, 11, 29, tzinfo=UTC), kind=kind, version=version, changes=list(changes), **given
    )


def test_versions_that_nobody_tells_of_are_gaps():
    kinds = ChangeKind.RESTORED, ChangeKind.DELETED, ChangeKind.UPDATED, ChangeKind.UPDATED, ChangeKind.CREATED
    found = entries_of([entry(*pair) for pair in zip((9, 8, 8, 6, 1), kinds, strict=True)])
    assert [one.gap for one in found] == ["", "", "A change before this is", "4 changes before this are", ""]
    assert entries_of([]) == []


def test_values_are_words_and_notes():
    job_id = "01a2262b-b9c5-7000-8195-9a311336dd15"
    changes = [
        ChangedField(field="active", before=True, after=False),
        ChangedField(field="attribute.name", before="", after="x" * 5_000),
        ChangedField(field="name", before="old", after=None),
    ]
    [shown] = entries_of([entry(2, ChangeKind.UPDATED, *changes, job_id=job_id, filename="a.csv")])
    assert (shown.words, shown.address) == ("Changed by the import of", f"/imports/{job_id}")
    assert [
        (one.name, one.before or one.before_note, (one.after or one.after_note)[:5]) for one in shown.changes
    ] == [
        ("Active", "Yes", "No"),
        ("name", "empty", "xxxxx"),
        ("Name", "old", "not k"),
    ]
    assert len(shown.changes[1].after) == 2_001
    assert not shown.summary
    [many] = entries_of([entry(2, ChangeKind.UPDATED, *changes * 3)])
    assert many.summary == "9 values"


def test_an_action_is_not_called_an_import():
    job = {"job_id": "01a2262b-b9c5-7000-8195-9a311336dd15", "filename": "Delete products", "action": "delete"}
    kinds = ChangeKind.UNDONE, ChangeKind.RESTORED, ChangeKind.DELETED, ChangeKind.UPDATED
    found = entries_of([entry(9 - number, kind, **job) for number, kind in enumerate(kinds)])
    assert [one.words for one in found] == [
        "Restored by the undo of the action",
        "Brought back by the undo of the action",
        "Deleted by the action",
        "Changed by the action",
    ]
    assert {one.filename for one in found} == {"Delete products"}


def test_the_form_says_which_kind_of_job_changed_a_product():
    at, id = datetime(2026, 11, 29, tzinfo=UTC), uuid4()
    by_action = LastChangeView.of(LastChange(at, Writer("ann", id, "Activate products", "activate")))
    assert (by_action.filename, by_action.address, by_action.is_action) == (
        "Activate products",
        f"/imports/{id}",
        True,
    )
    assert not LastChangeView.of(LastChange(at, Writer("ann", id, "a.csv"))).is_action
