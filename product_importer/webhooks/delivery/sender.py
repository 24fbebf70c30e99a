"""Send many deliveries at once on one event loop, with one database transaction at a time beside it."""

import asyncio
import logging
import time
from collections import Counter
from itertools import chain
from uuid import UUID

import httpx
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core import db, outages
from product_importer.core.outbound.address_policy import AddressPolicy, policy
from product_importer.webhooks.delivery import http_attempt, queue
from product_importer.webhooks.delivery.http_attempt import Outcome
from product_importer.webhooks.delivery.outcomes import ClaimedDelivery

log = logging.getLogger(__name__)

# How often to look for new events and due deliveries.
POLL_SECONDS = 0.1
# After one outcome, wait this long for others, to record them in one transaction.
BATCH_SECONDS = 0.005
# Keep running for deliveries that are due this soon, such as a first retry after 5 s. The reconciler starts a new job
# for later ones.
MAX_WAIT_SECONDS = 8.0
# Keep running this long after the last work.
IDLE_SECONDS = 1.0
# After this time a new job, in a process of its own, takes over.
MAX_RUN_SECONDS = 300.0
MAX_IDLE_CLIENTS = 600
# Give up if PostgreSQL does not answer for this long.
MAX_OUTAGE_SECONDS = 60.0


async def run() -> bool:
    """Send what is due until nothing is due soon; return whether there is more to do."""
    sender = Sender(policy())
    try:
        return await sender.run()
    finally:
        await sender.close()


class Sender:
    """The deliveries in flight and the HTTP clients that send them."""

    def __init__(self, address_policy: AddressPolicy) -> None:
        self._policy = address_policy
        # By webhook, one connection per client: the time of each operation of an HTTP pool grows with the pool.
        self._idle: dict[UUID, list[httpx.AsyncClient]] = {}
        self._in_flight: dict[asyncio.Task[Outcome], ClaimedDelivery] = {}
        self._answered_at = time.monotonic()

    async def run(self) -> bool:
        """Send until nothing is due soon or the time is up; return whether there is more to do.

        Raises:
            SQLAlchemyError: PostgreSQL has not answered for `MAX_OUTAGE_SECONDS`.
        """
        started = last_work = time.monotonic()
        while time.monotonic() - started < MAX_RUN_SECONDS:
            synced = await self._sync(queue.MAX_IN_FLIGHT - len(self._in_flight))
            if synced.dispatched or synced.claimed or self._in_flight:
                last_work = time.monotonic()
            elif time.monotonic() - last_work > IDLE_SECONDS and not await self._is_due_soon():
                return False
            await self._wait()
        await self._finish()
        return True

    async def close(self) -> None:
        """Close every connection that is not in use."""
        for client in chain.from_iterable(self._idle.values()):
            await client.aclose()
        self._idle.clear()

    async def _sync(self, room: int) -> queue.SyncResult:
        """Record outcomes and start at most `room` claimed deliveries.

        While PostgreSQL does not answer, outcomes are kept and nothing new is started.
        """
        done = {task: delivery for task, delivery in self._in_flight.items() if task.done()}
        outcomes = [(delivery, task.result()) for task, delivery in done.items()]
        running = Counter(delivery.webhook_id for task, delivery in self._in_flight.items() if task not in done)
        try:
            synced = await asyncio.to_thread(db.run, queue.sync, outcomes, running, room)
        except SQLAlchemyError as error:
            if time.monotonic() - self._answered_at > MAX_OUTAGE_SECONDS:
                raise
            log.warning("%s, deliveries wait: %s", outages.title(error), outages.summary(error))
            await asyncio.sleep(1)
            return queue.SyncResult(0, [])
        self._answered_at = time.monotonic()
        for task in done:
            del self._in_flight[task]
        if sum(map(len, self._idle.values())) > MAX_IDLE_CLIENTS:
            await self.close()
        for delivery in synced.claimed:
            self._in_flight[asyncio.create_task(self._send(delivery))] = delivery
        return synced

    async def _send(self, delivery: ClaimedDelivery) -> Outcome:
        idle = self._idle.setdefault(delivery.webhook_id, [])
        client = idle.pop() if idle else http_attempt.new_client(self._policy)
        outcome = await http_attempt.send(client, self._policy, delivery.target, delivery.message)
        # `close` may have emptied the dict in the meantime.
        self._idle.setdefault(delivery.webhook_id, []).append(client)
        return outcome

    async def _wait(self) -> None:
        """Wait for an outcome, and a moment for others; at most until the next look at the database."""
        pending = [task for task in self._in_flight if not task.done()]
        if not pending:
            await asyncio.sleep(0 if self._in_flight else POLL_SECONDS)
            return
        done, _ = await asyncio.wait(pending, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if done:
            await asyncio.sleep(BATCH_SECONDS)

    async def _finish(self) -> None:
        """Wait for the deliveries in flight and record their outcomes."""
        if self._in_flight:
            await asyncio.wait(self._in_flight)
            await self._sync(0)

    async def _is_due_soon(self) -> bool:
        seconds = await asyncio.to_thread(db.run, queue.next_due)
        return seconds is not None and seconds < MAX_WAIT_SECONDS
