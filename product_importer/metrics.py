"""What Prometheus scrapes: asked for at each scrape, at a cost that does not grow with the catalogue.

Nothing is counted in this process, so it does not matter which of several web processes answers, nor when it started;
only the metrics of the process itself are its own.
"""

import logging
import platform
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from product_importer import __version__
from product_importer.catalog.search import product_query
from product_importer.core import db, queue
from product_importer.core.embedded.servers import ServiceError
from product_importer.imports.schemas import COUNTS
from product_importer.webhooks.models import DeliveryStatus

log = logging.getLogger(__name__)

router = APIRouter(tags=["health"])

QUEUES = ("imports", "webhooks")
# Prometheus waits for 10 s by default, and an answer without some metrics is better than none.
STATEMENT_SECONDS = 2
# Whoever is that far behind need not be told how far exactly.
MAX_WAITING = 100_000
NEWEST_DELIVERIES = 10_000

STATUSES = ("pending", "processing", "completed", "failed", "cancelled", "previewed")
# A row an import, of which there are few. What a trial counted has not happened until it is applied.
IMPORTS = text(f"""
SELECT status, count(*) AS imports,
    coalesce(extract(epoch FROM now() - min(created_at)), 0) AS oldest_seconds,
    {", ".join(f"coalesce(sum({count}) FILTER (WHERE NOT is_trial), 0) AS {count}" for count in COUNTS)}
FROM (
    SELECT *, coalesce((choices ->> 'dry_run')::boolean, false) AND applied_at IS NULL AS is_trial FROM import_job
) AS job
GROUP BY status
""")
# Each subquery reads one partial index, as far as the limit.
WAITING = text(f"""
SELECT
    (SELECT count(*) FROM (
        SELECT FROM event WHERE dispatched_at IS NULL AND batch_id IS NULL LIMIT :most
    ) AS single)
    + (SELECT count(*) FROM (
        SELECT FROM event WHERE dispatched_at IS NULL AND batch_id IS NOT NULL LIMIT :most
    ) AS batched) AS events,
    (SELECT count(*) FROM (
        SELECT FROM webhook_delivery WHERE status = '{DeliveryStatus.PENDING}' LIMIT :most
    ) AS pending) AS deliveries,
    (SELECT count(*) FROM webhook WHERE deleted_at IS NULL AND first_failed_at IS NOT NULL) AS failing
""")
# By event, whose ids sort by time: no index holds the failed ones, and the table may hold millions.
DELIVERIES = text("""
SELECT status, count(*) FROM (
    SELECT status FROM webhook_delivery ORDER BY event_id DESC LIMIT :newest
) AS newest
GROUP BY status
""")


class MetricsResponse(PlainTextResponse):
    """Prometheus' text format."""

    media_type = CONTENT_TYPE_LATEST


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def read_metrics() -> MetricsResponse:
    """Prometheus' text format. While a server is away it answers all the same, without what that server knows."""
    return MetricsResponse(generate_latest(REGISTRY))


class Servers(Collector):
    """What PostgreSQL and Redis know of the application."""

    def describe(self) -> Iterable[Metric]:
        """Name nothing: registering must not ask a server."""
        return ()

    def collect(self) -> Iterator[Metric]:
        build = {(__version__, platform.python_version()): 1}
        yield _gauge("build_info", "The version that answers.", build, ("version", "python"))
        answers = {}
        for server, ask in (("postgresql", _ask_postgresql), ("redis", _ask_redis)):
            found = _asked(server, ask)
            answers[(server,)] = float(found is not None)
            yield from found or ()
        yield _gauge("up", "Whether the server has answered this scrape's questions.", answers, ("server",))


def _asked(server: str, ask: Callable[[], list[Metric]]) -> list[Metric] | None:
    try:
        return ask()
    except (SQLAlchemyError, RedisError, ServiceError) as error:
        log.warning("no metrics of %s: %s", server, str(error).partition("\n")[0])
        return None


def _ask_postgresql() -> list[Metric]:
    return db.run(_stored)


def _stored(session: Session) -> list[Metric]:
    session.execute(text(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'"))
    return [
        *_imports(session),
        *_webhooks(session),
        _gauge("products", "Products.", product_query.catalogue_size(session)),
    ]


def _imports(session: Session) -> Iterator[Metric]:
    rows = {row.status: row for row in session.execute(IMPORTS)}
    counts = {(status,): rows[status].imports if status in rows else 0 for status in STATUSES}
    yield _gauge("imports", "Imports by status.", counts, ("status",))
    meaning = "Rows of all imports by outcome; those of a trial once it is applied."
    outcomes = CounterMetricFamily("product_importer_rows", meaning, labels=("outcome",))
    for count in COUNTS:
        outcomes.add_metric([count], float(sum(getattr(row, count) for row in rows.values())))
    yield outcomes
    oldest = rows["pending"].oldest_seconds if "pending" in rows else 0
    yield _gauge("oldest_pending_import_seconds", "For how long the oldest import has waited for a worker.", oldest)


def _webhooks(session: Session) -> Iterator[Metric]:
    waiting = session.execute(WAITING, {"most": MAX_WAITING}).one()
    yield _gauge("events_unsent", f"Events without deliveries yet; counted to {MAX_WAITING:,}.", waiting.events)
    pending = f"Deliveries that wait for an attempt; counted to {MAX_WAITING:,}."
    yield _gauge("deliveries_pending", pending, waiting.deliveries)
    yield _gauge("webhooks_failing", "Webhooks whose last attempt failed.", waiting.failing)
    found = dict(session.execute(DELIVERIES, {"newest": NEWEST_DELIVERIES}).all())
    counts = {(status,): found.get(status, 0) for status in DeliveryStatus}
    newest = f"The {NEWEST_DELIVERIES:,} newest deliveries by status; failed ones are not tried again."
    yield _gauge("newest_deliveries", newest, counts, ("status",))


def _ask_redis() -> list[Metric]:
    waiting = {(name,): queue.waiting_count(name) for name in QUEUES}
    workers = {(name,): queue.live_workers(name) for name in QUEUES}
    return [
        _gauge("queue_jobs", "Nudges that no worker has taken yet.", waiting, ("queue",)),
        _gauge("workers", "Live workers.", workers, ("queue",)),
    ]


def _gauge(name: str, meaning: str, values: Any, labels: tuple[str, ...] = ()) -> Metric:
    """Return a gauge of one number, or of numbers by the values of its labels."""
    gauge = GaugeMetricFamily(f"product_importer_{name}", meaning, labels=labels)
    for key, value in values.items() if labels else [((), values)]:
        gauge.add_metric(key, float(value))
    return gauge


# One of our own: the library's would bring along whatever other packages count in it.
REGISTRY = CollectorRegistry()
REGISTRY.register(Servers())
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)
