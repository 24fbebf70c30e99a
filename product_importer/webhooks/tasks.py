"""The job that webhook workers run: a few lines that call the domain."""

import asyncio

from product_importer.core import db, queue
from product_importer.core.outbox import DELIVER
from product_importer.webhooks import service
from product_importer.webhooks.delivery import sender

__all__ = ["deliver", "service"]


def deliver() -> None:
    """Send everything that is due; several of these at once share the work."""
    # No connection crosses the fork.
    db.engine().dispose(close=False)
    if asyncio.run(sender.run()):
        queue.notify(DELIVER)
