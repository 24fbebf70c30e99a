"""What every web process does beside answering, one process at a time: it keeps in order what others leave."""

import asyncio
import logging
from collections.abc import Callable

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from product_importer import migrations
from product_importer.catalog.search import indexer
from product_importer.core import db
from product_importer.core.embedded import servers
from product_importer.core.embedded.servers import ServiceError
from product_importer.core.errors import first_line
from product_importer.imports import retention, service
from product_importer.imports.reconciler import reconcile as reconcile_imports
from product_importer.imports.upload import receiver
from product_importer.webhooks.reconciler import reconcile as reconcile_webhooks

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 5
INDEX_SECONDS = 2
SERVERS_SECONDS = 3
SWEEP_SECONDS = 600


async def run() -> None:
    """Bring the schema up to date, and then do everything until cancelled."""
    await asyncio.gather(keep_servers(), _migrate_and_work())


async def _migrate_and_work() -> None:
    while not await _do(_migrated):  # noqa: ASYNC110 - another server is waited for
        await asyncio.sleep(RECONCILE_SECONDS)
    await asyncio.gather(keep_reconciling(), keep_indexing(), keep_uploads())


def _migrated() -> bool:
    migrations.migrate()
    if powers := db.needless_powers():
        log.warning("%s", powers)
    return True


async def keep_servers() -> None:
    """Replace an embedded server's guardian that was killed, until cancelled."""
    while True:
        await _do(servers.watch)
        await asyncio.sleep(SERVERS_SECONDS)


async def keep_uploads() -> None:
    """Remove what uploads left that were killed half-way, and what is kept for some days only, until cancelled."""
    while True:
        await _do(db.run, receiver.sweep)
        await _do(db.run, retention.prune)
        await asyncio.sleep(SWEEP_SECONDS)


async def keep_reconciling() -> None:
    """Reconcile every few seconds until cancelled."""
    while True:
        await _do(db.run, reconcile_imports)
        await _do(db.run, reconcile_webhooks)
        await asyncio.sleep(RECONCILE_SECONDS)


async def keep_indexing() -> None:
    """Let the text index catch up behind imports, never beside them: they would wait for each other's share."""
    while True:
        if not await _do(db.run, service.is_any_running):
            if await _do(db.run, indexer.collect):
                await _do(indexer.clean_up)
            await _do(db.run, indexer.build)
        await asyncio.sleep(INDEX_SECONDS)


async def _do(work: Callable[..., object], *arguments: object) -> object:
    """Do it in a thread; a server that is away is asked again the next time."""
    try:
        return await asyncio.to_thread(work, *arguments)
    except (SQLAlchemyError, RedisError, ServiceError) as error:
        log.warning("the background work has to wait: %s", first_line(error))
        return None
