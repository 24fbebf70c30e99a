"""Progress of an import, as REST and the page show it."""

import asyncio
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as RedisDown

from product_importer.core import db, redis
from product_importer.core.errors import NotFound
from product_importer.core.ids import new_id
from product_importer.imports import progress, watching
from product_importer.imports.pipeline.lease import claim
from product_importer.imports.progress import READ_SHARE, WorkerProgress, current, publish
from product_importer.imports.schemas import ImportRead
from product_importer.imports.watching import watch
from tests.imports.conftest import execute, upload
from tests.waiting import finish

FILE = b"sku,name,description\na,b,c\n"


@pytest.fixture
def claimed(database):
    lease = claim(upload(FILE))
    assert lease is not None
    return lease


def test_the_workers_progress_is_shown_while_it_works(claimed):
    publish(claimed.job.id, claimed.fence, WorkerProgress(3.0, 800))
    seen = current(claimed.job.id)
    assert (seen.eta_seconds, seen.rows_per_second) == (3.0, 800)


def test_the_progress_of_an_outdated_worker_is_not_shown(claimed):
    publish(claimed.job.id, claimed.fence - 1, WorkerProgress(3.0, 800))
    assert current(claimed.job.id).eta_seconds is None


def test_without_redis_progress_comes_from_the_jobs_row(claimed, monkeypatch):
    execute("UPDATE import_job SET percent = 12.5, rows_read = 3")

    def down():
        raise RedisDown

    monkeypatch.setattr(redis, "client", down)
    assert (current(claimed.job.id).percent, current(claimed.job.id).rows_read) == (12.5, 3)


def test_percent_follows_the_committed_counts_if_the_heartbeat_is_late(claimed):
    """The percent does not fall when a worker is killed or Redis is wiped."""
    execute("UPDATE import_job SET percent = 20, phase = 'merging', total_rows = 4, created = 1, unchanged = 1")
    assert current(claimed.job.id).percent == 62.5
    execute("UPDATE import_job SET phase = 'reading', fence = fence + 1")
    assert current(claimed.job.id).percent == 62.5
    execute("UPDATE import_job SET created = 3")
    assert current(claimed.job.id).percent == 99.9


def test_percent_follows_the_phase_if_the_heartbeat_is_late(claimed):
    execute("UPDATE import_job SET percent = 3, phase = 'reading', total_rows = NULL")
    assert current(claimed.job.id).percent == 3
    execute("UPDATE import_job SET phase = 'indexing'")
    assert current(claimed.job.id).percent == READ_SHARE


def test_the_watcher_begins_with_the_stored_state_and_ends_with_the_import(claimed):
    async def see() -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        async for job in watch(claimed.job.id):
            seen.append((job.status, job.processed_rows))
            if job.processed_rows == 0:
                execute("UPDATE import_job SET created = 1, percent = 70")
                publish(claimed.job.id, claimed.fence, WorkerProgress(1.0, 1))
            elif job.status == "processing":
                execute("UPDATE import_job SET status = 'completed', percent = 100")
        return seen

    assert finish(see()) == [("processing", 0), ("processing", 1), ("completed", 1)]


def test_a_message_wakes_the_watcher_before_it_polls(claimed, monkeypatch):
    monkeypatch.setattr(watching, "POLL_SECONDS", 30.0)

    async def see() -> float | None:
        watched = watch(claimed.job.id)
        await anext(watched)
        following = asyncio.ensure_future(anext(watched))
        channel = f"import:{claimed.job.id}:progress"
        while redis.client().pubsub_numsub(channel) != [(channel.encode(), 1)]:
            await asyncio.sleep(0.01)
        publish(claimed.job.id, claimed.fence, WorkerProgress(33.0, None))
        return (await asyncio.wait_for(following, 10)).eta_seconds

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
            ("merging", 1.0, 0.0),
            ("merging", 1.0, 1.0),
        ]
    ]
    assert shares[0] == 0.0 and shares[-1] == 100.0
    assert shares == sorted(shares)
    assert shares[1] == shares[2]


def test_an_end_just_after_the_first_look_is_seen_before_the_next_poll(claimed, monkeypatch):
    monkeypatch.setattr(watching, "POLL_SECONDS", 3600)
    look = progress.current

    def ended_behind(job_id):
        seen = look(job_id)
        monkeypatch.setattr(watching, "current", look)
        execute("UPDATE import_job SET status = 'completed'")
        publish(claimed.job.id, claimed.fence, WorkerProgress(None, None))
        return seen

    monkeypatch.setattr(watching, "current", ended_behind)

    async def see() -> list[str]:
        return [job.status async for job in watch(claimed.job.id)]

    assert finish(see()) == ["processing", "completed"]


def test_the_watcher_survives_an_outage_of_the_database(claimed, monkeypatch):
    """The page and the event streams continue when PostgreSQL is back."""
    from sqlalchemy import create_engine

    monkeypatch.setattr(watching, "POLL_SECONDS", 0.05)
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


def test_many_watchers_share_one_subscription_and_see_the_same(claimed):
    channel = f"import:{claimed.job.id}:progress"

    async def see() -> list[list[str]]:
        async def statuses() -> list[str]:
            return [str(job.status) async for job in watch(claimed.job.id)]

        early = [asyncio.create_task(statuses()) for _ in range(50)]
        while redis.client().pubsub_numsub(channel) != [(channel.encode(), 1)]:
            await asyncio.sleep(0.01)
        watched = watch(claimed.job.id)
        late = [(await anext(watched)).status]
        execute("UPDATE import_job SET status = 'completed'")
        publish(claimed.job.id, claimed.fence, WorkerProgress(None, None))
        late += [job.status async for job in watched]
        return [*await asyncio.gather(*early), [str(status) for status in late]]

    seen = finish(see())
    assert all(statuses[-1] == "completed" for statuses in seen)
    assert seen[-1] == ["processing", "completed"]
