"""Which imports are active, for all pages of a process."""

import asyncio

import pytest

from product_importer.core import db
from product_importer.imports import activity
from product_importer.imports.activity import ActiveImports, find_active
from tests.imports.conftest import execute, upload

CONTENT = b"sku,name,description\n%b,Mug,x\n"


def test_imports_that_a_worker_processes_come_first_and_ended_ones_not_at_all(database):
    first, second, ended = [upload(CONTENT % name) for name in (b"A-1", b"A-2", b"A-3")]
    execute("UPDATE import_job SET status = 'processing' WHERE id = %s", str(second))
    execute("UPDATE import_job SET status = 'failed' WHERE id = %s", str(ended))
    assert [job.id for job in db.run(find_active)] == [second, first]


async def ask_together(active: ActiveImports, pages: int) -> list[int]:
    return [len(found) for found in await asyncio.gather(*(active.now() for _ in range(pages)))]


def test_one_query_answers_all_pages_that_ask_together(database, monkeypatch: pytest.MonkeyPatch):
    upload(CONTENT % b"A-1")
    asked: list[None] = []

    def counted(session):
        asked.append(None)
        return find_active(session)

    monkeypatch.setattr(activity, "find_active", counted)
    assert asyncio.run(ask_together(ActiveImports(), 50)) == [1] * 50
    assert len(asked) == 1


def test_an_answer_is_not_kept_for_long(database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(activity, "FRESH_SECONDS", 0.0)

    async def look_twice() -> list[int]:
        active = ActiveImports()
        before = len(await active.now())
        await asyncio.to_thread(upload, CONTENT % b"A-1")
        return [before, len(await active.now())]

    assert asyncio.run(look_twice()) == [0, 1]
