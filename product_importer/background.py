"""What every web process does beside answering: it reconciles, one process at a time."""

import asyncio
import logging

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core import db
from product_importer.imports.reconciler import reconcile

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 5


async def keep_reconciling() -> None:
    """Reconcile every few seconds until cancelled; a server that is away is asked again the next time."""
    while True:
        try:
            await asyncio.to_thread(db.run, reconcile)
        except (SQLAlchemyError, RedisError) as error:
            log.warning("reconciling has to wait: %s", str(error).splitlines()[0])
        await asyncio.sleep(RECONCILE_SECONDS)
