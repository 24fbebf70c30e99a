"""Metrics for Prometheus, queried at each scrape at a cost that does not grow with the catalogue.

All values come from the servers, so any web process can answer. The process metrics are of all web processes behind
the port.
"""

import logging
import multiprocessing
import os
import platform
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from product_importer import __version__
from product_importer.catalog.search import indexer, product_query
from product_importer.core import db, queue
from product_importer.core.embedded.servers import ServiceError
from product_importer.core.errors import first_line
from product_importer.imports import spools
from product_importer.imports.models import ImportStatus
from product_importer.imports.schemas import ALL_COUNTS
from product_importer.webhooks.models import DeliveryStatus

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])

# Prometheus waits for 10 s by default. An answer without some metrics is better than none.
STATEMENT_SECONDS = 2
# Rows are counted up to this number.
MAX_WAITING = 100_000
NEWEST_DELIVERIES = 10_000

# One row per import, of which there are few. A dry run counts once it is applied.
IMPORTS = text(f"""
SELECT status, count(*) AS imports,
    coalesce(extract(epoch FROM now() - min(created_at)), 0) AS oldest_seconds,
    {", ".join(f"coalesce(sum({count}) FILTER (WHERE NOT is_dry_run), 0) AS {count}" for count in ALL_COUNTS)}
FROM (
    SELECT *, coalesce((choices ->> 'dry_run')::boolean, false) AND applied_at IS NULL AS is_dry_run FROM import_job
) AS job
GROUP BY status
""")
# By the primary key, for the few imports that are being processed.
RANGES = text(f"""
SELECT count(*) FROM (
    SELECT FROM import_job JOIN import_range ON job_id = import_job.id
    WHERE status = '{ImportStatus.PROCESSING}' AND done_at IS NULL LIMIT :maximum
) AS waiting
""")
# Each subquery reads one partial index, as far as the limit.
WAITING = text(f"""
SELECT
    (SELECT count(*) FROM (
        SELECT FROM event WHERE dispatched_at IS NULL AND batch_id IS NULL LIMIT :maximum
    ) AS single)
    + (SELECT count(*) FROM (
        SELECT FROM event WHERE dispatched_at IS NULL AND batch_id IS NOT NULL LIMIT :maximum
    ) AS batched) AS events,
    (SELECT count(*) FROM (
        SELECT FROM webhook_delivery WHERE status = '{DeliveryStatus.PENDING}' LIMIT :maximum
    ) AS pending) AS deliveries,
    (SELECT count(*) FROM webhook WHERE deleted_at IS NULL AND first_failed_at IS NOT NULL) AS failing
""")
# Events of an import wait from its end on. What only a disabled webhook would get does not wait.
OLDEST_UNDELIVERED = text(f"""
SELECT coalesce(extract(epoch FROM now() - min(since)), 0) FROM (
    (SELECT created_at AS since FROM event WHERE dispatched_at IS NULL AND batch_id IS NULL ORDER BY id LIMIT 1)
    UNION ALL
    SELECT min(released_at) FROM event_batch
    UNION ALL
    SELECT created_at FROM event WHERE id = (
        SELECT event_id FROM (
            SELECT event_id FROM webhook JOIN webhook_delivery ON webhook_id = webhook.id
            WHERE enabled AND deleted_at IS NULL AND status = '{DeliveryStatus.PENDING}' LIMIT :maximum
        ) AS pending ORDER BY event_id LIMIT 1
    )
) AS undelivered
WHERE EXISTS (SELECT FROM webhook WHERE enabled AND deleted_at IS NULL)
""")
# Only the newest, by event ids, which sort by time: the table may have millions of rows and no index by status.
DELIVERIES = text("""
SELECT status, count(*) FROM (
    SELECT status FROM webhook_delivery WHERE NOT is_test ORDER BY event_id DESC LIMIT :newest
) AS newest
GROUP BY status
""")


# Of the web processes behind a port: how their values become one, and what it means. Limits hold for each process, so
# the largest tells how near they are. Any restart makes the newest start later.
TOGETHER: dict[str, tuple[Callable[[Iterable[float]], float], str]] = {
    "process_cpu_seconds": (sum, "Processor time of all web processes together, in seconds."),
    "process_resident_memory_bytes": (max, "Memory of the largest web process."),
    "process_virtual_memory_bytes": (max, "Reserved addresses of the web process that has most."),
    "process_open_fds": (max, "Open files of the web process that has most."),
    "process_max_fds": (min, "How many files each web process may open."),
    "process_start_time_seconds": (max, "When the newest web process started, in seconds since 1970."),
}


class MetricsResponse(PlainTextResponse):
    """Prometheus' text format."""

    media_type = CONTENT_TYPE_LATEST


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def read_metrics() -> MetricsResponse:
    """Prometheus' text format. While a server is away, its metrics are left out."""
    return MetricsResponse(generate_latest(REGISTRY))


class Servers(Collector):
    """Collects the metrics from PostgreSQL and Redis."""

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not query the servers."""
        return ()

    def collect(self) -> Iterator[Metric]:
        build = {(__version__, platform.python_version()): 1}
        yield _gauge("build_info", "The version that answers.", build, ("version", "python"))
        answers = {}
        for server, ask in (("postgresql", _ask_postgresql), ("redis", _ask_redis)):
            found = _metrics_of(server, ask)
            answers[(server,)] = float(found is not None)
            yield from found or ()
        yield _gauge("up", "Whether the server answered this scrape's queries.", answers, ("server",))


def _metrics_of(server: str, ask: Callable[[], list[Metric]]) -> list[Metric] | None:
    try:
        return ask()
    except (SQLAlchemyError, RedisError, ServiceError) as error:
        log.warning("no metrics of %s: %s", server, first_line(error))
        return None


def _ask_postgresql() -> list[Metric]:
    return db.run(_from_database)


def _from_database(session: Session) -> list[Metric]:
    session.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
    return [
        *_imports(session),
        *_webhooks(session),
        _gauge("products", "Products.", product_query.catalogue_size(session)),
        _text_index(session),
    ]


def _imports(session: Session) -> Iterator[Metric]:
    rows = {row.status: row for row in session.execute(IMPORTS)}
    counts = {(status,): rows[status].imports if status in rows else 0 for status in ImportStatus}
    yield _gauge("imports", "Imports by status.", counts, ("status",))
    meaning = "Rows of all imports, and products of all actions, by outcome; those of a dry run once it is applied."
    outcomes = CounterMetricFamily("product_importer_rows", meaning, labels=("outcome",))
    for count in ALL_COUNTS:
        outcomes.add_metric([count], float(sum(getattr(row, count) for row in rows.values())))
    yield outcomes
    oldest = rows[ImportStatus.PENDING].oldest_seconds if ImportStatus.PENDING in rows else 0
    yield _gauge("oldest_pending_import_seconds", "For how long the oldest import has waited for a worker.", oldest)
    ranges = session.execute(RANGES, {"maximum": MAX_WAITING}).scalar_one()
    yield _gauge(
        "import_ranges_waiting",
        f"Ranges of keys that imports being processed have not written yet; counted to {MAX_WAITING:,}.",
        ranges,
    )


def _text_index(session: Session) -> Metric:
    meaning = "Changes that the text index does not have yet, and rows of it that are read without an index."
    return _gauge(
        "text_index_backlog",
        meaning,
        {(state,): number for state, number in indexer.backlog(session).items()},
        ("state",),
    )


def _webhooks(session: Session) -> Iterator[Metric]:
    waiting = session.execute(WAITING, {"maximum": MAX_WAITING}).one()
    yield _gauge("events_unsent", f"Events without deliveries yet; counted to {MAX_WAITING:,}.", waiting.events)
    pending = f"Deliveries that wait for an attempt; counted to {MAX_WAITING:,}."
    yield _gauge("deliveries_pending", pending, waiting.deliveries)
    oldest = session.execute(OLDEST_UNDELIVERED, {"maximum": MAX_WAITING}).scalar_one()
    undelivered = f"Age of the oldest event that a webhook still waits for, of the first {MAX_WAITING:,} deliveries."
    yield _gauge("oldest_undelivered_event_seconds", undelivered, oldest)
    yield _gauge("webhooks_failing", "Webhooks whose last attempt failed.", waiting.failing)
    found = dict(session.execute(DELIVERIES, {"newest": NEWEST_DELIVERIES}).all())
    counts = {(status,): found.get(status, 0) for status in DeliveryStatus}
    newest = f"The {NEWEST_DELIVERIES:,} newest deliveries by status; failed ones are not tried again."
    yield _gauge("newest_deliveries", newest, counts, ("status",))


def _ask_redis() -> list[Metric]:
    waiting = {(name,): queue.waiting_count(name) for name in queue.QUEUES}
    workers = {(name,): queue.live_workers(name) for name in queue.QUEUES}
    return [
        _gauge("queue_jobs", "Jobs that no worker has taken yet.", waiting, ("queue",)),
        _gauge("workers", "Live workers.", workers, ("queue",)),
        _gauge(
            "spooled_bytes", "Bytes that running imports hold in SPOOL_DIR, on all machines.", spools.reported_bytes()
        ),
    ]


def _gauge(name: str, meaning: str, values: Any, labels: tuple[str, ...] = ()) -> Metric:
    """Return a gauge of one number, or of numbers by label values."""
    gauge = GaugeMetricFamily(f"product_importer_{name}", meaning, labels=labels)
    for key, value in values.items() if labels else [((), values)]:
        gauge.add_metric(key, float(value))
    return gauge


class WebProcesses(Collector):
    """Collects the process metrics of the web processes behind this port, each name once: any of them may answer."""

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not look at processes."""
        return ()

    def collect(self) -> Iterator[Metric]:
        found: dict[str, list[Metric]] = {}
        for pid in _web_processes():
            for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                found.setdefault(metric.name, []).append(metric)
        for name, metrics in found.items():
            together, meaning = TOGETHER[name]
            whole = Metric(name, meaning, metrics[0].type)
            sample = metrics[0].samples[0]
            value = together(sample.value for metric in metrics for sample in metric.samples)
            whole.samples = [sample._replace(value=value)]
            yield whole


def _web_processes() -> list[int]:
    """Return the ids of the web processes that share our port: ourselves, and the other children of our parent."""
    parent = multiprocessing.parent_process()
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children") if parent else None
    others = map(int, children.read_text().split()) if children and children.exists() else ()
    return sorted({os.getpid(), *others})


# The library's default registry would include the metrics of other packages.
REGISTRY = CollectorRegistry()
REGISTRY.register(Servers())
REGISTRY.register(WebProcesses())
