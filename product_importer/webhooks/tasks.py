"""The RQ job of webhook workers."""

import asyncio

from product_importer.core import db, queue
from product_importer.core.outbox import DELIVER
from product_importer.webhooks import service
from product_importer.webhooks.delivery import sender

__all__ = ["deliver", "service"]


def deliver() -> None:
    """Send everything that is due. Several of these jobs may run at the same time."""
    # The job runs in a forked process, which must not share connections with its parent.
    db.engine().dispose(close=False)
    if asyncio.run(sender.run()):
        queue.notify(DELIVER)
