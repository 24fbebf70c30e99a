"""Whatever happens to an import gives another stamp."""

from itertools import pairwise
from uuid import UUID

import pytest

from product_importer.core import db
from product_importer.imports import news, service, tasks
from product_importer.imports.schemas import ImportQuery
from tests.imports.conftest import execute, upload

FILE = b"sku,name,description\nA-1,Mug,x\n"


def stamp() -> news.Stamp:
    return db.run(news.stamp)


def ended() -> UUID:
    job_id = upload(FILE)
    tasks.run_import(str(job_id))
    return job_id


def test_the_stamp_stays_while_nothing_happens(database):
    ended()
    assert stamp() == stamp()


def test_an_upload_the_work_and_the_end_give_other_stamps(database):
    seen = [stamp()]
    job_id = upload(FILE)
    seen.append(stamp())
    execute("UPDATE import_job SET status = 'processing', rows_read = 7 WHERE id = %s", str(job_id))
    seen.append(stamp())
    execute("UPDATE import_job SET created = 1 WHERE id = %s", str(job_id))
    seen.append(stamp())
    execute("UPDATE import_job SET status = 'failed' WHERE id = %s", str(job_id))
    seen.append(stamp())
    db.run(service.retry_import, job_id)
    seen.append(stamp())
    assert all(before != after for before, after in pairwise(seen))


@pytest.mark.parametrize("is_done", [False, True])
def test_an_undo_and_its_end_give_other_stamps(database, is_done: bool):
    job_id = ended()
    before = stamp()
    db.run(service.undo_import, job_id)
    if is_done:
        before = stamp()
        tasks.run_undo(str(job_id))
    assert stamp() != before


def test_a_look_has_the_page_and_what_became_of_the_others(database):
    first, second = ended(), ended()
    found = db.run(news.look, ImportQuery(page_size=1), {first, second})
    assert ([job.id for job in found.page.items], [job.id for job in found.others]) == ([second], [first])
