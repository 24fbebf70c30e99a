"""The upload disk is full, or an uploaded file is deleted before its import begins."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.application import Application, catalogue
from tests.faults.conftest import SHELVES
from tests.faults.disks import DISK_BYTES, files_on, on_small_disk
from tests.faults.laboratory import Laboratory
from tests.faults.processes import parents, suspended

pytestmark = pytest.mark.e2e


@pytest.fixture
def crowded(laboratory: Laboratory, tmp_path: Path) -> Iterator[Application]:
    """Start a second web process on the same servers, with a disk of one megabyte for uploads."""
    kind, words = on_small_disk(tmp_path)
    print(f"The disk is {kind}.")
    given = {name: laboratory.application.environment.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    data = str(laboratory.application.data)
    started = Application(words, DATA_DIR=data, UPLOAD_DIR=str(tmp_path), **given)
    started.start("web")
    yield started
    assert started.stop() == 0
    started.remove()


def test_an_upload_to_a_full_disk_is_rejected_and_leaves_nothing(
    crowded: Application, laboratory: Laboratory, random: Random, tmp_path: Path
):
    imports = crowded.client.get("/api/jobs").json()["total"]
    content = catalogue(50_000)
    assert len(content) > 2 * DISK_BYTES
    answer = post(crowded, content)
    assert answer.status_code == 507, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/storage-full")
    assert crowded.process is not None
    assert files_on(tmp_path, crowded.process.pid) == []
    assert crowded.client.get("/api/jobs").json()["total"] == imports
    # There is space again: a small file is stored and checked.
    assert post(crowded, b"sku,price\n1,2\n").status_code == 400
    laboratory.import_undisturbed(random, SHELVES[0], 200)


def test_an_import_of_a_deleted_file_fails_with_a_clear_error(laboratory: Laboratory, random: Random):
    application = laboratory.application
    with suspended(parents(application)):
        job_id = application.upload(catalogue(100))
        [(key,)] = laboratory.postgres.ask("SELECT storage_key FROM import_job WHERE id = %s", job_id)
        (application.data / "uploads" / key).unlink()
    job = application.finished(job_id)
    assert (job["status"], job["error"]["code"], job["processed_rows"]) == ("failed", "upload_missing", 0)
    events = laboratory.postgres.ask("SELECT event_type FROM event WHERE payload ->> 'job_id' = %s", job_id)
    assert events == [("import_failed",)]
    laboratory.expect_right()
    laboratory.import_undisturbed(random, SHELVES[0], 200)


def post(application: Application, content: bytes) -> httpx.Response:
    return application.client.post("/api/upload-csv", files={"file": ("catalogue.csv", content, "text/csv")})
