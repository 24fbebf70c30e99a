"""Metrics, with and without servers, and their documentation."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine, event, text
from sqlmodel import col, select

from product_importer import metrics
from product_importer.catalog.search import indexer
from product_importer.core import db, queue, redis
from product_importer.core.ids import new_id
from product_importer.core.outbox import Event, EventBatch
from product_importer.imports import spools
from product_importer.imports.models import ImportJob, ImportRange, ImportStatus
from product_importer.webhooks.models import Delivery, Webhook
from tests.docs.documents import ROOT, assert_same, table
from tests.imports.conftest import run_import, upload

__all__ = ["run_import"]


def scrape(client) -> dict[str, Metric]:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def values(found: dict[str, Metric], name: str) -> dict:
    """Return the values of a metric by the value of its label; the key is None if it has no label."""
    return {next(iter(item.labels.values()), None): item.value for item in found[f"product_importer_{name}"].samples}


def test_imports_rows_and_products_are_those_of_the_database(client, run_import):
    run_import("sku,name,description\na,A,x\nb,B,y\n,C,z\na,A,x2\n")
    run_import("sku,name,description\na,A,x2\nb,B,new\n")
    upload(b"sku,name,description\nc,C,z\n")
    found = scrape(client)
    assert values(found, "products") == {None: 2}
    nothing = dict.fromkeys(ImportStatus, 0)
    assert values(found, "imports") == nothing | {"completed": 2, "pending": 1}
    assert values(found, "rows") == {
        "created": 2,
        "updated": 1,
        "unchanged": 1,
        "duplicates": 1,
        "rejected": 1,
        "deleted": 0,
    }
    assert 0 < values(found, "oldest_pending_import_seconds")[None] < 60
    assert values(found, "up") == {"postgresql": 1, "redis": 1}
    assert "product_importer_build_info" in {item.name for family in found.values() for item in family.samples}


def test_counts_of_a_dry_run_are_left_out_until_it_is_applied(client, run_import):
    dry_run = run_import("sku,name,description\na,A,x\n").id
    with db.session() as session:
        job = session.get_one(ImportJob, dry_run)
        job.status, job.choices = "previewed", {"dry_run": True}
    found = scrape(client)
    assert (values(found, "imports")["previewed"], values(found, "rows")["created"]) == (1, 0)
    with db.session() as session:
        job = session.get_one(ImportJob, dry_run)
        job.status, job.applied_at = "completed", job.finished_at
    assert values(scrape(client), "rows")["created"] == 1


def test_queues_and_workers_are_those_of_redis(client):
    upload(b"sku,name,description\na,A,x\n")
    redis.client().zadd(queue.PRESENCE.format(queue="webhooks"), {"a worker": redis.now()})
    found = scrape(client)
    assert values(found, "queue_jobs") == {"imports": 1, "webhooks": 0}
    assert values(found, "workers") == {"imports": 0, "webhooks": 1}


def test_waiting_events_and_failing_webhooks_are_counted(client):
    with db.session() as session:
        webhook = Webhook(url="https://example.com/", event_types=[], secret="")
        session.add(webhook)
        events = [Event(event_type="product_created", payload={}) for _ in range(3)]
        session.add_all(events)
        session.flush()
        for status, recorded in zip(("pending", "failed", "failed"), events, strict=True):
            session.add(
                Delivery(webhook_id=webhook.id, event_id=recorded.id, event_type=recorded.event_type, status=status)
            )
        webhook.first_failed_at = datetime.now(UTC)
    found = scrape(client)
    assert values(found, "events_unsent") == {None: 3}
    assert values(found, "deliveries_pending") == {None: 1}
    assert values(found, "newest_deliveries") == {"pending": 1, "succeeded": 0, "failed": 2}
    assert values(found, "webhooks_failing") == {None: 1}


def test_an_event_is_as_old_as_the_oldest_webhook_waits_for_it(client):
    """What nobody waits for has no age: no webhook, or a disabled one."""

    def age() -> float:
        return values(scrape(client), "oldest_undelivered_event_seconds")[None]

    hours = [Event(event_type="product_created", payload={}, created_at=_ago(hours)) for hours in (5, 4, 3, 2)]
    with db.session() as session:
        session.add_all(hours)
    assert age() == 0
    with db.session() as session:
        webhook = Webhook(url="https://example.com/", event_types=[], secret="")
        disabled = Webhook(url="https://example.org/", event_types=[], secret="", enabled=False)
        session.add_all([webhook, disabled])
        session.flush()
        events = session.scalars(select(Event).order_by(col(Event.created_at))).all()
        for recorded, receiver, status in (
            (events[0], webhook, "succeeded"),
            (events[0], disabled, "pending"),
            (events[1], webhook, "failed"),
            (events[2], webhook, "pending"),
        ):
            recorded.dispatched_at = datetime.now(UTC)
            session.add(
                Delivery(webhook_id=receiver.id, event_id=recorded.id, event_type="product_created", status=status)
            )
    assert 3 <= age() / 3600 < 3.1
    with db.session() as session:
        session.execute(text("UPDATE webhook_delivery SET status = 'succeeded' WHERE status = 'pending'"))
    assert 2 <= age() / 3600 < 2.1
    with db.session() as session:
        session.execute(text("UPDATE event SET dispatched_at = now()"))
    assert age() == 0


def test_events_of_an_import_have_an_age_once_they_are_released(client):
    with db.session() as session:
        session.add(Webhook(url="https://example.com/", event_types=[], secret=""))
        batch = EventBatch(id=new_id())
        session.add(batch)
        session.add(Event(event_type="product_created", payload={}, batch_id=batch.id, created_at=_ago(9)))
    assert values(scrape(client), "oldest_undelivered_event_seconds") == {None: 0}
    with db.session() as session:
        session.execute(text("UPDATE event_batch SET released_at = now() - interval '1 hour'"))
    assert 1 <= values(scrape(client), "oldest_undelivered_event_seconds")[None] / 3600 < 1.1


def _ago(hours: float) -> datetime:
    return datetime.now(UTC) - timedelta(hours=hours)


def test_the_backlog_of_the_text_index_falls_with_each_step(client, run_import):
    rows = "".join(f"s{number},name {number},x\n" for number in range(indexer.MIN_CHANGES))
    run_import(f"sku,name,description\n{rows}")
    assert values(scrape(client), "text_index_backlog") == {"changed": indexer.MIN_CHANGES, "unindexed": 0}
    db.run(indexer.collect)
    assert values(scrape(client), "text_index_backlog") == {"changed": 0, "unindexed": indexer.MIN_CHANGES}
    db.run(indexer.build)
    assert values(scrape(client), "text_index_backlog") == {"changed": 0, "unindexed": 0}


def test_ranges_wait_while_their_import_is_being_processed(client):
    job_id = upload(b"sku,name,description\na,A,x\n")
    with db.session() as session:
        session.add_all(ImportRange(job_id=job_id, number=number, last_key=str(number)) for number in range(3))
        session.flush()
        session.execute(text("UPDATE import_range SET done_at = now() WHERE number = 0"))
    assert values(scrape(client), "import_ranges_waiting") == {None: 0}
    with db.session() as session:
        session.get_one(ImportJob, job_id).status = ImportStatus.PROCESSING
    assert values(scrape(client), "import_ranges_waiting") == {None: 2}


def test_spooled_bytes_are_those_that_processes_report(client):
    redis.client().hset(
        spools.KEY, mapping={"a:1": json.dumps([redis.now(), 7]), "b:2": json.dumps([redis.now(), 5])}
    )
    assert values(scrape(client), "spooled_bytes") == {None: 12}


def test_waiting_events_are_counted_up_to_a_limit(client, monkeypatch):
    monkeypatch.setattr(metrics, "MAX_WAITING", 2)
    with db.session() as session:
        session.add_all(Event(event_type="product_created", payload={}) for _ in range(5))
    assert values(scrape(client), "events_unsent") == {None: 2}


@pytest.mark.parametrize(
    ("away", "known"), [("postgresql", "product_importer_workers"), ("redis", "product_importer_products")]
)
def test_metrics_of_one_server_are_served_while_the_other_is_down(client, monkeypatch, away, known):
    if away == "postgresql":
        monkeypatch.setattr(db, "engine", lambda: create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none"))
    else:
        from redis import Redis

        monkeypatch.setattr(redis, "client", lambda: Redis.from_url("redis://127.0.0.1:1"))
        queue._queue.cache_clear()
    found = scrape(client)
    queue._queue.cache_clear()
    assert values(found, "up") == {"postgresql": 1, "redis": 1} | {away: 0}
    assert known in found and "process_resident_memory_bytes" in found
    lacking = {"product_importer_workers", "product_importer_products"} - {known}
    assert not lacking & found.keys()


def test_a_database_without_the_schema_is_not_an_error(client, monkeypatch):
    monkeypatch.setattr(metrics, "IMPORTS", text("SELECT nothing FROM nowhere"))
    assert values(scrape(client), "up") == {"postgresql": 0, "redis": 1}


def test_no_statement_reads_the_products(client):
    """The time of a scrape must not grow with the catalogue."""
    asked: list[str] = []

    def note(*given) -> None:
        asked.append(given[2])

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        scrape(client)
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)
    assert [statement for statement in asked if "import_job" in statement]
    assert not [statement for statement in asked if re.search(r"\bproduct\b", statement)]


def test_other_methods_are_rejected(client):
    answer = client.post("/metrics")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_metric_is_documented_and_no_other(client):
    documented = table((ROOT / "docs" / "metrics.md").read_text(), "| metric | kind | labels | meaning |")
    assert_same(
        {f"| {' | '.join(row)} |" for row in documented},
        {line(family) for family in scrape(client).values() if family.name.startswith("product_importer_")},
        "docs/metrics.md, table of metrics",
    )


needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason=f"NOT TESTED: metrics of processes are not told on {sys.platform}"
)


@needs_linux
def test_every_metric_of_processes_is_documented_and_no_other(client):
    documented = table((ROOT / "docs" / "metrics.md").read_text(), "| metric of processes | kind | meaning |")
    families = [family for family in scrape(client).values() if not family.name.startswith("product_importer_")]
    told = {f"| `{family.samples[0].name}` | {family.type} | {family.documentation} |" for family in families}
    assert_same({f"| {' | '.join(row)} |" for row in documented}, told, "docs/metrics.md, table of processes")


@contextmanager
def process(program: str) -> Iterator[psutil.Process]:
    """Run a Python program, and let it wait."""
    command = [sys.executable, "-c", f"{program}; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None and started.stdout.readline()
        yield psutil.Process(started.pid)
        started.kill()


LARGE = "import sys; held = b'x' * 100_000_000"
OPEN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
files = [open("/dev/null") for _ in range(300)]
number = sum(range(10_000_000))"""


@needs_linux
@pytest.mark.processes
def test_several_processes_tell_what_alerts_ask(monkeypatch):
    """The limits are of each process; two that are far from them are not near them together."""

    def told(*processes: psutil.Process) -> dict[str, float]:
        monkeypatch.setattr(metrics, "_web_processes", lambda: [each.pid for each in processes])
        return {family.name: family.samples[0].value for family in metrics.WebProcesses().collect()}

    with process(LARGE) as large, process(OPEN) as opened:
        found = told(large, opened)
        assert found["process_resident_memory_bytes"] == pytest.approx(large.memory_info().rss, rel=0.1)
        assert found["process_virtual_memory_bytes"] == pytest.approx(large.memory_info().vms, rel=0.1)
        assert (found["process_open_fds"], found["process_max_fds"]) == (opened.num_fds(), 500)
        times = [sum(each.cpu_times()[:2]) for each in (large, opened)]
        assert min(times) > 0 and found["process_cpu_seconds"] == pytest.approx(sum(times), abs=0.02)
        # The older one is started anew, and later the newer one.
        starts = [found["process_start_time_seconds"]]
        for stays in (opened, large):
            with process(LARGE) as anew:
                starts.append(told(stays, anew)["process_start_time_seconds"])
        assert starts == sorted(set(starts))


def line(family: Metric) -> str:
    name = family.samples[0].name
    labels = ", ".join(f"`{label}`" for label in family.samples[0].labels)
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |"
