"""The sample catalogue: 20 products, of which all but one are imported at once, and that one after it is mended."""

from product_importer.core import db
from product_importer.imports import tasks
from product_importer.imports.drafts import service as drafts
from product_importer.imports.drafts.schemas import DraftStatus
from product_importer.imports.samples import FILENAME, ROWS, sample_file, start_sample
from tests.imports.conftest import row_errors


def test_all_but_one_of_twenty_products_are_imported_as_they_are(client, run_import):
    job = run_import(sample_file(), FILENAME)
    assert (job.status, job.total_rows, job.created, job.rejected, job.warnings) == ("completed", 20, 19, 1, [])
    [wrong] = [number for number, row in enumerate(ROWS, 1) if not row[1]]
    assert row_errors(job.id) == [(wrong, "no_name")]
    items = client.get("/api/products", params={"page_size": 100}).json()["items"]
    attributes = {name for item in items for name in item["attributes"]}
    assert attributes == {"category", "brand", "colour", "price"}
    assert {item["active"] for item in items} == {True, False}
    assert len({item["attributes"]["category"] for item in items}) == 6


def test_a_draft_of_it_starts_as_it_is(client):
    draft_id = start_sample()
    draft = db.run(drafts.read_draft, draft_id)
    assert (draft.filename, draft.status, draft.error) == (FILENAME, DraftStatus.RECEIVED, None)
    assert draft.size_bytes == draft.expected_bytes == len(sample_file())
    assert client.get("/api/jobs").json()["total"] == 0
    assert db.run(drafts.start, draft_id, False).id == draft_id
    tasks.run_import(str(draft_id))
    ended = client.get(f"/api/jobs/{draft_id}").json()
    assert (ended["status"], ended["created"], ended["rejected"]) == ("completed", 19, 1)


def test_the_wrong_row_is_mended_by_its_name(client, run_import):
    job = run_import(sample_file(), FILENAME)
    [error] = client.get(f"/api/jobs/{job.id}/errors").json()["items"]
    edit = {"rows": [{"line": error["line"], "cells": {"name": "Fitted sheet"}}]}
    [judged] = client.patch(f"/api/jobs/{job.id}/rows", json=edit).json()["items"]
    assert judged["reason"] is None
    linked = client.post(f"/api/jobs/{job.id}/fix").json()
    tasks.run_import(linked["id"])
    ended = client.get(f"/api/jobs/{linked['id']}").json()
    assert (ended["created"], ended["rejected"]) == (1, 0)
    assert client.get("/api/products", params={"q": "Fitted"}).json()["items"][0]["sku"] == "SHEET-140"
