"""A draft of an earlier import's file: both need the file, and it goes with the last of them."""

import json
import subprocess
import sys
from uuid import UUID

import pytest

from product_importer.core import db
from product_importer.core.errors import Conflict, NotFound
from product_importer.core.ids import new_id
from product_importer.imports import retention, tasks
from product_importer.imports import service as imports
from product_importer.imports.drafts import service
from product_importer.imports.drafts.preview import preview
from product_importer.imports.drafts.receiving import IncomingDraft
from product_importer.imports.progress import current
from product_importer.imports.upload import receiver
from tests.imports.conftest import execute, upload
from tests.imports.drafts.receiving import FILE, SHOP, received, stored, targets
from tests.imports.pipeline.test_runner import fetch

COLUMNS = json.dumps({"Artikelnummer": "sku", "Bezeichnung": "name", "Beschreibung": "description"})
# Receives the beginning of a file, and then nothing.
RECEIVE = """
import sys
from product_importer.imports.drafts.receiving import IncomingDraft
incoming = IncomingDraft("killed.csv", 1_000_000)
incoming.write(b"sku,name,description\\n" + b"a,A,1\\n" * 99)
print(incoming.id, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("dry_run", ["false", "true"])
def test_a_draft_of_an_ended_import_has_its_file_its_options_and_its_columns(run_import, dry_run):
    job = run_import(SHOP, columns=COLUMNS, mode="create", dry_run=dry_run)
    draft = db.run(service.from_import, job.id)
    assert (draft.filename, draft.status, draft.size_bytes) == (job.filename, "received", job.size_bytes)
    assert (draft.options.mode, draft.options.dry_run, draft.options.delimiter) == ("create", False, ";")
    assert {name: target for name, (target, _) in targets(draft.id).items()} == job.columns
    assert preview(draft.id).is_whole
    columns = {**(draft.options.columns or {}), "Farbe": "attribute:colour"}
    changed = draft.options.model_copy(update={"columns": columns})
    db.run(service.change_options, draft.id, changed)
    started = db.run(service.start, draft.id, False)
    assert started.id == draft.id != job.id
    tasks.run_import(str(draft.id))
    assert current(draft.id).columns["Farbe"] == "attribute:colour"
    assert stored() == [f"{job.id}.csv"]


@pytest.mark.parametrize("kind", ["text", "large", "windows-1251"])
def test_a_file_is_read_again_as_it_was(run_import, kind):
    content = {
        "text": b"a line above\nsku|name|description\na|A|1",
        "large": FILE + b"c,C,1,x\n" * 50_000,
        "windows-1251": "sku,name,description,цвет\na,A,Кружка эмалированная,белая\n".encode("windows-1251"),
    }[kind]
    job = run_import(content, **({"encoding": kind} if kind == "windows-1251" else {}))
    draft = db.run(service.from_import, job.id)
    assert [column.name for column in preview(draft.id).columns] == list(job.columns)
    started = db.run(service.start, draft.id, True)
    assert (started.columns, started.format) == (job.columns, job.format)
    # A file of any size is large or not, as it was.
    assert fetch("SELECT count(DISTINCT is_large) FROM import_job") == [(1,)]


def test_no_draft_is_made_of_a_running_import_or_without_its_file(run_import):
    job_id = upload(FILE)
    with pytest.raises(Conflict, match="Wait for its end"):
        db.run(service.from_import, job_id)
    db.run(imports.cancel_import, job_id)
    db.run(service.from_import, job_id)
    execute("UPDATE import_job SET file_deleted_at = now()")
    with pytest.raises(Conflict, match="was deleted"):
        db.run(service.from_import, job_id)
    with pytest.raises(NotFound):
        db.run(service.from_import, new_id())


def test_a_shared_file_is_deleted_with_the_last_that_needs_it(run_import):
    job = run_import(FILE)
    first, second = db.run(service.from_import, job.id), db.run(service.from_import, job.id)
    db.run(service.discard, first.id)
    assert stored() == [f"{job.id}.csv"]
    execute("UPDATE import_job SET finished_at = now() - interval '100 days'")
    db.run(retention.prune)
    assert (current(job.id).file_available, stored()) == (False, [f"{job.id}.csv"])
    assert preview(second.id).problem == ""
    db.run(service.discard, second.id)
    assert stored() == []


def test_a_draft_expires_without_the_file_of_its_import(run_import):
    job = run_import(FILE)
    db.run(service.from_import, job.id)
    execute("UPDATE import_draft SET updated_at = now() - interval '25 hours'")
    db.run(retention.prune)
    assert (db.run(service.list_drafts), stored()) == ([], [f"{job.id}.csv"])


def test_a_file_that_is_gone_is_told_in_words(database):
    from product_importer.core.storage import storage

    draft = received(b"PK\x03\x04")
    storage().delete(f"{draft.id}.csv")
    assert "no longer stored" in preview(draft.id).error.detail
    draft = received(FILE)
    storage().delete(f"{draft.id}.csv")
    with pytest.raises(Conflict, match="Choose it again"):
        db.run(service.start, draft.id, False)


@pytest.mark.processes
def test_an_upload_whose_web_process_is_killed_is_seen_as_broken_and_taken_up_again(database, monkeypatch):
    process = subprocess.Popen([sys.executable, "-c", RECEIVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    draft_id = UUID(process.stdout.readline().decode().strip())
    process.kill()
    process.communicate()
    assert db.run(service.read_draft, draft_id).status == "receiving"
    assert len(preview(draft_id).columns) == 3
    execute("UPDATE import_draft SET updated_at = updated_at - interval '61 seconds'")
    draft = db.run(service.read_draft, draft_id)
    assert (draft.status, draft.expected_bytes, draft.size_bytes > 600) == ("broken", 1_000_000, True)
    with pytest.raises(Conflict, match="broke off"):
        db.run(service.start, draft_id, False)
    again = IncomingDraft("killed.csv", len(FILE), draft_id=draft_id)
    again.write(FILE)
    again.finish()
    assert f"{draft_id}.csv.part" in stored()
    monkeypatch.setattr(receiver, "ORPHANED_SECONDS", -1)
    db.run(receiver.delete_orphans)
    assert len(stored()) == 1
    assert db.run(service.start, draft_id, False).id == draft_id
