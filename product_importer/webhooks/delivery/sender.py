"""The sender: one event loop that keeps many deliveries in flight, and one transaction at a time beside it."""

import asyncio
import logging
import time
from collections import Counter
from itertools import chain
from uuid import UUID

import httpx
from sqlalchemy.exc import SQLAlchemyError

from product_importer.core import db
from product_importer.core.errors import first_line
from product_importer.core.outbound.address_policy import AddressPolicy, policy
from product_importer.webhooks.delivery import http_attempt, queue
from product_importer.webhooks.delivery.http_attempt import Outcome
from product_importer.webhooks.delivery.queue import Claim

log = logging.getLogger(__name__)

# New events are looked for so often while there is work; what comes back is recorded a few at a time.
POLL_SECONDS = 0.1
GATHER_SECONDS = 0.005
# A first retry comes after five seconds: for what is due so soon it waits, for the rest it is nudged.
SOON_SECONDS = 8.0
LINGER_SECONDS = 1.0
# Then another job goes on, in a process of its own.
MAX_SECONDS = 300.0
MAX_IDLE = 600
DATABASE_PATIENCE_SECONDS = 60.0


async def run() -> bool:
    """Send what is due until nothing is due soon; say whether there is more to do."""
    sender = Sender(policy())
    try:
        return await sender.run()
    finally:
        await sender.close()


class Sender:
    """The deliveries in flight, and what has come back of them."""

    def __init__(self, allowed: AddressPolicy) -> None:
        self._policy = allowed
        # A connection each, kept for its webhook: every step of a pool takes as long as the pool is large.
        self._idle: dict[UUID, list[httpx.AsyncClient]] = {}
        self._in_flight: dict[asyncio.Task[Outcome], Claim] = {}
        self._answered_at = time.monotonic()

    async def run(self) -> bool:
        began = busy = time.monotonic()
        while time.monotonic() - began < MAX_SECONDS:
            turn = await self._turn(queue.MAX_IN_ALL - len(self._in_flight))
            if turn.dispatched or turn.claims or self._in_flight:
                busy = time.monotonic()
            elif time.monotonic() - busy > LINGER_SECONDS and not await self._is_due_soon():
                return False
            await self._wait()
        await self._finish()
        return True

    async def close(self) -> None:
        """Close every connection that nobody uses."""
        for client in chain.from_iterable(self._idle.values()):
            await client.aclose()
        self._idle.clear()

    async def _turn(self, room: int) -> queue.Turn:
        """Take one turn with the database; while that is away, what came back is kept and nothing is begun."""
        came_back = {task: claim for task, claim in self._in_flight.items() if task.done()}
        outcomes = [(claim, task.result()) for task, claim in came_back.items()]
        out = (claim.webhook_id for task, claim in self._in_flight.items() if task not in came_back)
        counts: Counter[UUID] = Counter(out)
        try:
            turn = await asyncio.to_thread(db.run, queue.take_turn, outcomes, counts, room)
        except SQLAlchemyError as error:
            if time.monotonic() - self._answered_at > DATABASE_PATIENCE_SECONDS:
                raise
            log.warning("deliveries have to wait for PostgreSQL: %s", first_line(error))
            await asyncio.sleep(1)
            return queue.Turn(0, [])
        self._answered_at = time.monotonic()
        for task in came_back:
            del self._in_flight[task]
        if sum(map(len, self._idle.values())) > MAX_IDLE:
            await self.close()
        for claim in turn.claims:
            self._in_flight[asyncio.create_task(self._send(claim))] = claim
        return turn

    async def _send(self, claim: Claim) -> Outcome:
        idle = self._idle.setdefault(claim.webhook_id, [])
        client = idle.pop() if idle else http_attempt.client(self._policy)
        outcome = await http_attempt.send(client, self._policy, claim.target, claim.message)
        self._idle.setdefault(claim.webhook_id, []).append(client)
        return outcome

    async def _wait(self) -> None:
        """Wait for an answer, and a little for others; or until it is time to look for new events."""
        pending = [task for task in self._in_flight if not task.done()]
        if not pending:
            await asyncio.sleep(0 if self._in_flight else POLL_SECONDS)
            return
        done, _ = await asyncio.wait(pending, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if done:
            await asyncio.sleep(GATHER_SECONDS)

    async def _finish(self) -> None:
        """Let what is in flight come back, and record it."""
        if self._in_flight:
            await asyncio.wait(self._in_flight)
            await self._turn(0)

    async def _is_due_soon(self) -> bool:
        seconds = await asyncio.to_thread(db.run, queue.next_due)
        return seconds is not None and seconds < SOON_SECONDS
