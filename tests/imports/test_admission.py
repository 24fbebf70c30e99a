"""At most 100 imports may be unfinished: the next upload gets 429 and leaves nothing."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import func, select

from product_importer.core import db, queue
from product_importer.core.errors import TooMany
from product_importer.core.storage import storage
from product_importer.imports import service, tasks
from product_importer.imports.admission import MAX_UNFINISHED
from product_importer.imports.models import ImportJob
from product_importer.imports.upload import multipart, receiver
from tests.imports.conftest import execute, upload
from tests.waiting import finish

FILE = b"sku,name,description\na,b,c\n"
FORM = "multipart/form-data; boundary=x"
FILL = """
INSERT INTO import_job (id, filename, storage_key, size_bytes, sha256, header, fields, phase, status, choices)
SELECT gen_random_uuid(), 'x.csv', 'x', 1, '', '[]', '[]', 'waiting',
    CASE WHEN n %% 2 = 0 THEN 'pending' ELSE 'processing' END,
    CASE WHEN n %% 3 = 0 THEN '{"dry_run": true}'::jsonb ELSE '{}' END
FROM generate_series(1, %s) AS n
"""


def fill(count: int) -> None:
    """Add unfinished imports: waiting ones, running ones and dry runs."""
    execute(FILL, count)


def count() -> int:
    with db.session() as session:
        unfinished = ImportJob.status.in_(("pending", "processing"))  # type: ignore[attr-defined]
        return session.scalar(select(func.count()).select_from(ImportJob).where(unfinished)) or 0


def post(client, **headers: str):
    return client.post("/api/upload-csv", files={"file": ("a.csv", FILE)}, headers=headers)


def expect_too_many(answer) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["type"] == "/api/problems/too-many-imports"


def test_the_hundredth_upload_is_accepted_and_the_next_rejected_until_one_has_ended(client):
    fill(MAX_UNFINISHED - 1)
    job_id = post(client).json()["job_id"]
    answer = post(client)
    expect_too_many(answer)
    assert answer.headers["connection"] == "close"
    assert (count(), len(list(storage().keys()))) == (100, 1)
    assert queue.waiting_keys(service.RUN_IMPORT) == {job_id}
    tasks.run_import(job_id)
    assert post(client).status_code == 202


async def unreadable_body() -> AsyncIterator[bytes]:
    raise AssertionError("the body is read")
    yield b""


def test_the_body_of_a_rejected_upload_is_not_read(database):
    fill(MAX_UNFINISHED)
    with pytest.raises(TooMany):
        finish(multipart.receive_upload(FORM, unreadable_body()))


def test_concurrent_uploads_do_not_exceed_the_limit(database):
    fill(MAX_UNFINISHED - 2)

    def send(_: int) -> bool:
        try:
            upload(FILE)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(send, range(8)))
    assert (sum(accepted), count(), len(list(storage().keys()))) == (2, 100, 2)


def test_a_repeated_upload_gets_its_first_answer_despite_the_limit(client):
    first = post(client, **{"Idempotency-Key": "one"})
    fill(MAX_UNFINISHED)
    again = post(client, **{"Idempotency-Key": "one"})
    assert (again.status_code, again.json()) == (202, first.json())
    expect_too_many(post(client, **{"Idempotency-Key": "two"}))


def test_retried_and_applied_imports_count_too_and_keep_their_state(client):
    dry_run = str(upload(FILE, dry_run="true"))
    tasks.run_import(dry_run)
    fill(MAX_UNFINISHED)
    for action in ("retry", "apply"):
        expect_too_many(client.post(f"/api/jobs/{dry_run}/{action}"))
    assert client.get(f"/api/jobs/{dry_run}/changes").json()["total"] == 1
    execute("UPDATE import_job SET status = 'completed' WHERE filename = 'x.csv'")
    assert client.post(f"/api/jobs/{dry_run}/apply").status_code == 202


def test_the_limit_is_checked_again_when_the_upload_ends(database):
    with receiver.IncomingUpload("a.csv") as incoming:
        incoming.write(FILE)
        fill(MAX_UNFINISHED)
        with pytest.raises(TooMany):
            incoming.accept()
    assert list(storage().keys()) == []
