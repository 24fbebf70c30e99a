"""A draft's file is received, inspected and kept, until its import takes it over."""

import asyncio
import threading
from typing import cast
from uuid import UUID

import pytest

from product_importer.core import db
from product_importer.core.errors import Conflict, Invalid, NotFound, TooMany, Unavailable
from product_importer.imports import retention, tasks
from product_importer.imports.drafts import receiving, rows, service
from product_importer.imports.drafts.preview import preview
from product_importer.imports.drafts.receiving import IncomingDraft
from product_importer.imports.drafts.schemas import DraftRead
from product_importer.imports.pages.drafts.receive_state import ReceiveState
from product_importer.imports.progress import current
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from tests.imports.conftest import execute
from tests.imports.drafts.receiving import BEGINNING, FILE, SHOP, begun, choose, received, stored, targets
from tests.imports.pipeline.test_runner import fetch


def test_a_received_file_waits_with_what_is_known_of_it(client):
    draft = received(FILE, "../shop/catalogue.csv")
    assert draft == db.run(service.read_draft, draft.id)
    assert (draft.filename, draft.status, draft.size_bytes, draft.error) == (
        "catalogue.csv",
        "received",
        len(FILE),
        None,
    )
    assert stored() == [f"{draft.id}.csv"]
    assert client.get(f"/api/jobs/{draft.id}").status_code == 404
    assert client.get("/api/jobs").json()["total"] == 0


def test_the_import_takes_over_the_id_and_the_file(run_import, products):
    draft = received()
    started = db.run(service.start, draft.id, False)
    assert isinstance(started, ImportRead)
    assert (started.id, started.status, started.choices.dry_run) == (draft.id, "pending", False)
    with pytest.raises(NotFound, match="no draft"):
        db.run(service.read_draft, draft.id)
    tasks.run_import(str(draft.id))
    assert products() == {"a": ("A", "1"), "b": ("B", "2")}
    assert stored() == [f"{draft.id}.csv"]


def test_a_dry_run_is_started_as_such(database):
    draft = received()
    db.run(service.start, draft.id, True)
    tasks.run_import(str(draft.id))
    assert (current(draft.id).status, fetch("SELECT count(*) FROM product")) == ("previewed", [(0,)])


def test_progress_is_told_while_the_file_arrives(database, monkeypatch):
    monkeypatch.setattr(receiving, "REPORT_SECONDS", 0)
    incoming = begun(FILE[:40], size=len(FILE))
    draft = db.run(service.read_draft, incoming.id)
    assert (draft.status, draft.size_bytes, draft.expected_bytes) == ("receiving", 40, len(FILE))
    incoming.write(FILE[40:])
    assert db.run(service.read_draft, incoming.id).size_bytes == len(FILE)
    incoming.abort()


@pytest.mark.parametrize("expected", [-5, 1 << 63, 10**30])
def test_an_impossible_size_is_not_known(expected, database):
    incoming = IncomingDraft("a.csv", expected)
    assert db.run(service.read_draft, incoming.id).expected_bytes is None
    incoming.abort()


def test_an_upload_whose_page_cannot_be_told_is_broken(database):
    class Tab:
        async def _tell(self, key: str, draft_id: UUID, *, is_new: bool) -> None:
            raise Unavailable("The database does not answer.")

    with pytest.raises(Unavailable):
        asyncio.run(ReceiveState._begin(cast(ReceiveState, Tab()), "a.csv", "key", 5, ""))
    (draft,) = db.run(service.list_drafts)
    assert (draft.status, stored()) == ("broken", [])
    assert "digest" not in " ".join(thread.name for thread in threading.enumerate())


def test_columns_are_shown_before_the_upload_ends(database):
    incoming = begun(SHOP[:BEGINNING])
    shown = preview(incoming.id)
    assert [column.samples for column in shown.columns][3] == ["rot", "blau", "blau"]
    assert (shown.is_whole, shown.problem, shown.delimiter, shown.kind) == (False, "", ";", "csv")
    incoming.write(SHOP[BEGINNING:])
    incoming.finish()
    shown = preview(incoming.id)
    assert (shown.sample_rows, shown.is_whole) == (100, True)


def test_a_start_before_the_end_happens_at_the_end_with_the_columns_that_were_shown(database, monkeypatch):
    monkeypatch.setattr(receiving, "REPORT_SECONDS", 0)
    incoming = begun(SHOP[:BEGINNING])
    waiting = db.run(service.start, incoming.id, False)
    assert isinstance(waiting, DraftRead)
    assert (waiting.will_start, waiting.id) == ("import", incoming.id)
    incoming.write(SHOP[BEGINNING:])
    started = incoming.finish()
    assert isinstance(started, ImportRead)
    assert (started.id, started.columns) == (
        incoming.id,
        {"Artikelnummer": "sku", "Bezeichnung": "name", "Beschreibung": "description", "Farbe": "attribute"},
    )


def test_options_that_change_after_the_start_was_asked_for_hold(database):
    incoming = begun(SHOP)
    db.run(service.start, incoming.id, False)
    choose(incoming.id, columns={"Farbe": "attribute:colour"})
    assert incoming.finish().columns["Farbe"] == "attribute:colour"


def test_a_start_that_options_make_impossible_is_called_off(database):
    incoming = begun(SHOP)
    db.run(service.start, incoming.id, False)
    assert choose(incoming.id, columns={"Artikelnummer": "ignore"}).will_start is None
    assert isinstance(incoming.finish(), DraftRead)


def test_a_start_is_refused_while_a_field_is_missing(database):
    for row in (b"1,2,3,4\n", b"5,6,7,8\n"):
        incoming = begun(b"sku,name,a,b\n" + row * 100)
        with pytest.raises(Invalid, match="Still missing: description") as error:
            db.run(service.start, incoming.id, False)
        assert error.value.extra["missing"] == ["description"]
        incoming.finish()
        with pytest.raises(Invalid, match="Still missing: description"):
            db.run(service.start, incoming.id, False)
        assert db.run(service.read_draft, incoming.id).will_start is None


def test_a_start_that_fails_at_the_end_says_why_and_can_be_mended(database):
    incoming = begun(b"sku,name")
    db.run(service.start, incoming.id, False)
    incoming.write(b",text\na,b,c\n,\n")
    draft = incoming.finish()
    # The file was too short to show its columns before; `text` is guessed as the description.
    assert isinstance(draft, ImportRead)
    incoming = begun(b"sku,name")
    db.run(service.start, incoming.id, False)
    incoming.write(b",x\na,b,c\n")
    draft = incoming.finish()
    assert (draft.status, draft.will_start, draft.error.extra["missing"]) == ("received", None, ["description"])
    assert choose(incoming.id, columns={"x": "description"}).error is None
    assert db.run(service.start, incoming.id, False).id == incoming.id


@pytest.mark.parametrize(
    ("content", "kind"), [(b"%PDF-1.7\n1 0 obj", "not-csv"), (b"\x89PNG\r\n\x1a\n" + bytes(20), "not-csv")]
)
def test_a_file_that_no_option_makes_readable_ends_at_once_and_says_why(database, content, kind):
    incoming = IncomingDraft("x.pdf")
    with pytest.raises(Invalid):
        incoming.write(content)
    incoming.abort()
    draft = db.run(service.read_draft, incoming.id)
    assert (draft.status, draft.error.type, stored()) == ("broken", kind, [])
    assert preview(draft.id).error.detail == draft.error.detail


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf\r\n\r\n"])
def test_an_empty_file_says_so_and_leaves_nothing(database, content):
    draft = received(content)
    assert (draft.status, draft.error.type, stored()) == ("received", "empty-file", [])
    with pytest.raises(Invalid, match="no first line"):
        db.run(service.start, draft.id, False)


def test_a_broken_upload_is_kept_in_mind_and_taken_up_again(database):
    incoming = begun(SHOP[:BEGINNING], size=len(SHOP))
    choose(incoming.id, columns={"Farbe": "attribute:colour"}, mode="create")
    incoming.abort()
    draft = db.run(service.read_draft, incoming.id)
    assert (draft.status, draft.size_bytes, draft.expected_bytes, stored()) == ("broken", BEGINNING, len(SHOP), [])
    with pytest.raises(Conflict, match="broke off"):
        db.run(service.start, draft.id, False)
    again = IncomingDraft("catalogue.csv", len(SHOP), draft_id=draft.id)
    again.write(SHOP)
    taken_up = again.finish()
    assert (taken_up.id, taken_up.status, taken_up.options.mode) == (incoming.id, "received", "create")
    assert targets(draft.id)["Farbe"] == ("attribute:colour", "chosen")


def test_a_file_that_has_arrived_is_not_taken_up_again(database):
    incoming = begun()
    incoming.finish()
    with pytest.raises(Conflict, match="has arrived"):
        IncomingDraft("x.csv", draft_id=incoming.id)


def test_an_upload_that_was_taken_up_again_ends_the_earlier_one(database, monkeypatch):
    monkeypatch.setattr(receiving, "REPORT_SECONDS", 0)
    first = begun(FILE)
    second = IncomingDraft("catalogue.csv", draft_id=first.id)
    with pytest.raises(NotFound, match="uploaded anew"):
        first.write(b"late")
    first.abort()
    second.write(FILE)
    assert second.finish().status == "received"
    assert len(stored()) == 1


def test_a_discarded_draft_ends_its_upload_and_leaves_nothing(database, monkeypatch):
    monkeypatch.setattr(receiving, "REPORT_SECONDS", 0)
    incoming = begun()
    db.run(service.discard, incoming.id)
    with pytest.raises(NotFound):
        incoming.write(b"more")
    other = begun()
    db.run(service.discard, other.id)
    with pytest.raises(NotFound):
        other.finish()
    done = received()
    db.run(service.discard, done.id)
    assert (stored(), db.run(service.list_drafts)) == ([], [])


def test_too_many_drafts_are_refused_and_one_without_a_file_gives_way(database, monkeypatch):
    monkeypatch.setattr(rows, "MAX_DRAFTS", 3)
    broken = begun()
    broken.abort()
    kept = [received().id, received().id, received().id]
    assert [draft.id for draft in db.run(service.list_drafts)] == kept[::-1]
    with pytest.raises(TooMany, match="Start or discard one of them"):
        IncomingDraft("x.csv")
    assert len(stored()) == 3
    db.run(service.discard, kept[0])
    received()


def test_a_draft_expires_with_its_file(database):
    old, new = received(), received()
    execute("UPDATE import_draft SET updated_at = now() - interval '24.1 hours' WHERE id = %s", old.id)
    execute("UPDATE import_draft SET updated_at = now() - interval '23.9 hours' WHERE id = %s", new.id)
    db.run(retention.prune)
    assert [draft.id for draft in db.run(service.list_drafts)] == [new.id]
    assert stored() == [f"{new.id}.csv"]


def test_drafts_files_are_no_orphans(database, monkeypatch):
    monkeypatch.setattr(receiver, "ORPHANED_SECONDS", -1)
    draft = received()
    db.run(receiver.delete_orphans)
    assert stored() == [f"{draft.id}.csv"]
