"""The background work of a web process is composed of the right parts."""

from product_importer import periodic
from product_importer.catalog.search import indexer
from product_importer.core import db
from product_importer.imports.models import ImportJob, ImportStatus
from tests.catalog.search.test_indexer import add, segments


def test_the_text_index_waits_for_an_import_that_a_worker_is_processing(database):
    add(indexer.MIN_CHANGES)
    job = ImportJob(
        filename="a.csv",
        storage_key="a",
        size_bytes=1,
        sha256="",
        header=[],
        fields=[],
        status=ImportStatus.PROCESSING,
    )
    with db.session() as session:
        session.add(job)
    upkeep = periodic.text_index_upkeep()
    assert upkeep.step() is False and segments() == []
    with db.session() as session:
        session.get(ImportJob, job.id).status = ImportStatus.COMPLETED
    assert upkeep.step() is True and segments() == [(indexer.MIN_CHANGES, True)]
