import asyncio
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as RedisDown

from product_importer.core import db, redis
from product_importer.core.errors import NotFound
from product_importer.core.ids import new_id
from product_importer.imports import progress
from product_importer.imports.lease import claim
from product_importer.imports.progress import Pace, current, publish, watch
from product_importer.imports.schemas import ImportRead
from tests.waiting import finish

from .conftest import upload

FILE = b"sku,name,description\na,b,c\n"


def execute(statement: str) -> None:
    with db.engine().begin() as connection:
        connection.exec_driver_sql(statement)


@pytest.fixture
def claimed(database):
    held = claim(upload(FILE))
    assert held is not None
    return held


def test_the_workers_view_is_shown_while_it_works(claimed):
    publish(claimed.job.id, claimed.fence, Pace(41.5, 1_200, 3.0, 800))
    seen = current(claimed.job.id)
    assert (seen.percent, seen.rows_read, seen.eta_seconds, seen.rows_per_second) == (41.5, 1_200, 3.0, 800)


def test_the_view_of_an_outdated_worker_is_not_shown(claimed):
    publish(claimed.job.id, claimed.fence - 1, Pace(41.5, 1_200, 3.0, 800))
    assert current(claimed.job.id).percent == 0.0


def test_without_redis_the_jobs_row_answers(claimed, monkeypatch):
    execute("UPDATE import_job SET percent = 12.5, created = 3")

    def down():
        raise RedisDown

    monkeypatch.setattr(redis, "client", down)
    assert (current(claimed.job.id).percent, current(claimed.job.id).processed_rows) == (12.5, 3)


def test_percent_never_goes_back_when_redis_is_wiped(claimed):
    async def see() -> list[float]:
        publish(claimed.job.id, claimed.fence, Pace(50.0, 10, None, None))
        watched = watch(claimed.job.id)
        seen = [(await anext(watched)).percent]
        redis.client().flushdb()
        execute("UPDATE import_job SET created = 1")
        seen.append((await anext(watched)).percent)
        execute("UPDATE import_job SET status = 'failed', percent = 20")
        seen += [job.percent async for job in watched]
        return seen

    assert finish(see()) == [50.0, 50.0, 50.0]


def test_the_watcher_begins_with_the_truth_follows_and_ends_at_the_end(claimed):
    async def see() -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        async for job in watch(claimed.job.id):
            seen.append((job.status, job.processed_rows))
            if job.processed_rows == 0:
                execute("UPDATE import_job SET created = 1, percent = 70")
                publish(claimed.job.id, claimed.fence, Pace(70.0, 1, None, None))
            elif job.status == "processing":
                execute("UPDATE import_job SET status = 'completed', percent = 100")
        return seen

    assert finish(see()) == [("processing", 0), ("processing", 1), ("completed", 1)]


def test_a_message_wakes_the_watcher_before_it_looks_by_itself(claimed, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_SECONDS", 30.0)

    async def see() -> float:
        watched = watch(claimed.job.id)
        await anext(watched)
        following = asyncio.ensure_future(anext(watched))
        channel = f"import:{claimed.job.id}:progress"
        while redis.client().pubsub_numsub(channel) != [(channel.encode(), 1)]:
            await asyncio.sleep(0.01)
        publish(claimed.job.id, claimed.fence, Pace(33.0, 1, None, None))
        return (await asyncio.wait_for(following, 10)).percent

    assert finish(see()) == 33.0


async def first(job_id: UUID) -> ImportRead:
    return await anext(watch(job_id))


def test_an_unknown_import_is_not_found(database):
    with pytest.raises(NotFound):
        current(new_id())
    with pytest.raises(NotFound):
        finish(first(new_id()))


def test_each_phase_begins_where_the_one_before_ends():
    shares = [
        progress.percent_of(phase, read, merged)
        for phase, read, merged in [
            ("reading", 0.0, 0.0),
            ("reading", 1.0, 0.0),
            ("indexing", 1.0, 0.0),
            ("merging", 1.0, 0.0),
            ("merging", 1.0, 1.0),
        ]
    ]
    assert shares[0] == 0.0 and shares[-1] == 100.0
    assert shares == sorted(shares)


def test_the_watcher_outlives_an_outage_of_the_database(claimed, monkeypatch):
    """The page and the events go on where they were when PostgreSQL is back."""
    from sqlalchemy import create_engine

    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.05)
    engine = db.engine
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")

    async def see() -> list[str]:
        watched = watch(claimed.job.id)
        seen = [(await anext(watched)).status]
        monkeypatch.setattr(db, "engine", lambda: away)
        following = asyncio.ensure_future(anext(watched))
        await asyncio.sleep(0.5)
        assert not following.done()
        monkeypatch.setattr(db, "engine", engine)
        execute("UPDATE import_job SET status = 'completed'")
        return [*seen, (await following).status]

    assert finish(see()) == ["processing", "completed"]
