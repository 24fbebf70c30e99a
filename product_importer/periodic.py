"""Background work of every web process: reconciling, indexing, encrypting, cleaning up and keeping servers alive."""

import asyncio
import gc
import logging
from collections.abc import Callable

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from product_importer import migrations
from product_importer.access import audit_log, sessions, setup_links
from product_importer.catalog.search.upkeep import Upkeep
from product_importer.core import db
from product_importer.core.embedded import servers
from product_importer.core.embedded.servers import ServiceError
from product_importer.core.outages import summary
from product_importer.imports import retention, service, undo_indexes
from product_importer.imports.reconciler import reconcile as reconcile_imports
from product_importer.imports.upload import receiver
from product_importer.webhooks import stored_secrets
from product_importer.webhooks.reconciler import reconcile as reconcile_webhooks

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 5
INDEX_SECONDS = 1
SERVERS_SECONDS = 3
SWEEP_SECONDS = 600


async def run() -> None:
    """Migrate the schema, then do all background work until cancelled."""
    await asyncio.gather(restart_supervisors(), _migrate_and_work())


async def _migrate_and_work() -> None:
    while not await _try(_migrated):  # noqa: ASYNC110 - waits for another server
        await asyncio.sleep(RECONCILE_SECONDS)
    await asyncio.gather(keep_reconciling(), update_text_index(), index_overwritten(), delete_expired())


def _migrated() -> bool:
    migrations.migrate()
    if warning := db.superuser_warning():
        log.warning("%s", warning)
    return True


async def restart_supervisors() -> None:
    """Start new supervisors for embedded servers where they were killed, until cancelled."""
    while True:
        await _try(servers.watch)
        await asyncio.sleep(SERVERS_SECONDS)


async def delete_expired() -> None:
    """Delete files of interrupted uploads, what is kept for a time only, and garbage, until cancelled."""
    while True:
        await _try(db.run, receiver.delete_orphans)
        await _try(db.run, retention.prune)
        await _try(db.run, sessions.delete_expired)
        await _try(db.run, setup_links.delete_expired)
        while await _try(db.run, audit_log.prune):
            pass
        # By its number of new objects alone, a web process with little to do would keep garbage for hours.
        gc.collect()
        await asyncio.sleep(SWEEP_SECONDS)


async def keep_reconciling() -> None:
    """Reconcile, and encrypt stored secrets, every few seconds until cancelled."""
    while True:
        await _try(db.run, reconcile_imports)
        await _try(db.run, reconcile_webhooks)
        await _try(db.run, stored_secrets.encrypt)
        await asyncio.sleep(RECONCILE_SECONDS)


async def update_text_index() -> None:
    """Update the text index step by step until cancelled, while no import runs: they would slow each other down."""
    upkeep = text_index_upkeep()
    while True:
        if not await _try(upkeep.step):
            await asyncio.sleep(INDEX_SECONDS)


async def index_overwritten() -> None:
    """Index what ended imports have overwritten, one after the other, until cancelled."""
    while True:
        if not await _try(db.run, undo_indexes.step):
            await asyncio.sleep(RECONCILE_SECONDS)


def text_index_upkeep() -> Upkeep:
    """Return what keeps the text index up to date behind imports."""
    return Upkeep(lambda: db.run(service.is_any_running))


async def _try(work: Callable[..., object], *arguments: object) -> object:
    """Run `work` in a thread and return its result; log a warning and return None if a server is away."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except (SQLAlchemyError, RedisError, ServiceError) as error:
        log.warning("the background work has to wait: %s", summary(error))
        return None
