"""What every web process does beside answering, one process at a time: it reconciles and keeps the text index."""

import asyncio
import logging
from collections.abc import Callable

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from product_importer import migrations
from product_importer.catalog import indexer
from product_importer.core import db
from product_importer.imports import service
from product_importer.imports.reconciler import reconcile

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 5
INDEX_SECONDS = 2


async def run() -> None:
    """Bring the schema up to date, and then do both until cancelled."""
    await asyncio.to_thread(migrations.migrate)
    await asyncio.gather(keep_reconciling(), keep_indexing())


async def keep_reconciling() -> None:
    """Reconcile every few seconds until cancelled."""
    while True:
        await _do(db.run, reconcile)
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
    except (SQLAlchemyError, RedisError) as error:
        log.warning("the background work has to wait: %s", str(error).splitlines()[0])
        return None
