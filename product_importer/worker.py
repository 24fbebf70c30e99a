"""Configure RQ's worker: connection, queue and timeouts. `rq worker -c product_importer.worker` reads this module.

That command takes the serializer and the timeouts from its command line only. They are set on RQ's classes here,
so that it needs no options and works like `python -m product_importer worker`.
"""

import functools
import gc
import importlib
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg2
import rq.worker.base
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from product_importer import migrations
from product_importer.core import db, job_validation, outbox, queue, redis, redis_backoff, secrets, waiting_horse
from product_importer.core.embedded import servers
from product_importer.core.embedded.servers import ServiceError
from product_importer.core.logging import logs
from product_importer.imports import service as import_service
from product_importer.imports import tasks as import_tasks
from product_importer.imports.pipeline import lease, memory
from product_importer.webhooks import tasks as webhook_tasks

# One queue: with several, RQ may lose a job when the worker is killed while it takes one. Webhooks have workers of
# their own: `rq worker -c product_importer.worker webhooks`.
QUEUES = ["imports"]

# In seconds. With RQ's defaults, 420 and 600, a dead worker would be noticed only after a quarter of an hour.
WORKER_TTL = 30
MAINTENANCE_INTERVAL = 15
SERVERS_SECONDS = 3
# What Python loads at first use, in every job: for times in Redis, for names in a zip, and further encodings.
LATE_MODULES = ("_strptime", *(f"encodings.{name}" for name in ("utf_8_sig", "utf_16_le", "utf_16_be", "cp437")))

# Before RQ adds its own log handlers.
logs.configure()
memory.configure()

try:
    REDIS_URL = servers.redis_url()
    secrets.prepare()
    migrations.migrate()
except ServiceError as error:
    raise SystemExit(f"product-importer: {error}") from None


def _keep_servers() -> None:
    """Start a new supervisor for an embedded server where one was killed."""
    while True:
        with suppress(ServiceError):
            servers.watch()
        time.sleep(SERVERS_SECONDS)


def _warm_up(queues: Sequence[str]) -> None:
    """Do what a job would begin with, in the process that waits for it."""
    with suppress(RedisError):
        redis.client().ping()
    if import_service.RUN_IMPORT.queue in queues:
        with suppress(psycopg2.Error, SQLAlchemyError):
            lease.prepare()


def _configure_rq() -> None:
    job_validation.patch_rq()
    waiting_horse.patch_rq(_warm_up)
    worker_class: Any = rq.worker.base.BaseWorker
    construct, stop, tear_down = worker_class.__init__, worker_class.request_stop, worker_class.teardown
    patience = redis_backoff.Patience()

    @functools.wraps(construct)
    def constructed(self: Any, *args: Any, **options: Any) -> None:
        job_validation.refuse_spawn_worker(self)
        options |= {"worker_ttl": WORKER_TTL, "maintenance_interval": MAINTENANCE_INTERVAL}
        construct(self, *args, **options)
        self.connection.set_retry(patience)
        threading.Thread(target=_keep_servers, name="servers", daemon=True).start()
        queue.report_presence(self.queue_names())

    @functools.wraps(stop)
    def stopped(self: Any, *args: Any) -> None:
        # RQ notes it in Redis, which is not worth the job that runs.
        with patience.once(), suppress(RedisError):
            stop(self, *args)

    @functools.wraps(tear_down)
    def torn_down(self: Any) -> None:
        # Who stops a worker does not wait for Redis.
        with patience.once():
            tear_down(self)

    worker_class.__init__ = constructed
    worker_class.request_stop = stopped
    worker_class.teardown = torn_down


_configure_rq()

# The modules that define the jobs and what these run. Imported before the fork, so that no job spends time on it.
JOB_MODULES = (import_service.__name__, outbox.__name__, import_tasks.__name__, webhook_tasks.__name__)
# No connection may be shared across the fork.
db.engine().dispose()
# Once, and not in every job.
configure_mappers()
for module in LATE_MODULES:
    importlib.import_module(module)
# A collection of garbage in a job must not touch, and so copy, what it has from its parent.
gc.collect()
gc.freeze()


def run(queues: list[str]) -> None:
    """Run one worker for these queues until a signal ends it."""
    from rq.cli.cli import main

    main(["worker", "--config", __name__, "--logging_level", "WARNING", *queues], standalone_mode=False)
