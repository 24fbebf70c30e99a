"""RQ's worker: its connection, its queue and its timeouts; also the file that `rq worker -c` reads.

`rq worker -c product_importer.worker` takes the serializer and the times from its command line only. So that
this plain command works, and works like `python -m product_importer worker`, they are set on RQ itself here.
"""

import functools
import threading
import time
from contextlib import suppress
from typing import Any

import rq.worker.base

from product_importer import migrations
from product_importer.core import accepted_jobs, db, logs, outbox, queue
from product_importer.core.embedded import servers
from product_importer.core.embedded.servers import ServiceError
from product_importer.imports import service as import_service
from product_importer.imports import tasks as import_tasks
from product_importer.webhooks import tasks as webhook_tasks

# One queue: with several, RQ takes jobs in a way that loses one when the worker is killed at that moment. Webhooks
# have a worker of their own: `rq worker -c product_importer.worker webhooks`.
QUEUES = ["imports"]

# Seconds. RQ's own 420 and 600 would notice a dead worker only after a quarter of an hour.
WORKER_TTL = 30
MAINTENANCE_INTERVAL = 15
SERVERS_SECONDS = 3

# Before RQ sets up handlers of its own.
logs.configure()

try:
    REDIS_URL = servers.redis_url()
    migrations.migrate()
except ServiceError as error:
    raise SystemExit(f"product-importer: {error}") from None


def _keep_servers() -> None:
    """Replace an embedded server's guardian that was killed."""
    while True:
        with suppress(ServiceError):
            servers.watch()
        time.sleep(SERVERS_SECONDS)


def _use_our_settings() -> None:
    accepted_jobs.use_only_ours()
    construct = rq.worker.base.BaseWorker.__init__

    @functools.wraps(construct)
    def constructed(self: Any, *args: Any, **options: Any) -> None:
        accepted_jobs.refuse_spawning(self)
        options |= {"worker_ttl": WORKER_TTL, "maintenance_interval": MAINTENANCE_INTERVAL}
        construct(self, *args, **options)
        threading.Thread(target=_keep_servers, name="servers", daemon=True).start()
        queue.show_presence(self.queue_names())

    rq.worker.base.BaseWorker.__init__ = constructed  # type: ignore[method-assign]


_use_our_settings()

# What lists the jobs that are accepted, and what they run: imported before the fork, so that no job pays for it.
JOB_MODULES = (import_service.__name__, outbox.__name__, import_tasks.__name__, webhook_tasks.__name__)
# No connection crosses the fork.
db.engine().dispose()


def run(queues: list[str]) -> None:
    """Run one worker until a signal ends it, as `rq worker -c product_importer.worker` does."""
    from rq.cli.cli import main

    main(["worker", "--config", __name__, "--logging_level", "WARNING", *queues], standalone_mode=False)
