"""Follow an import as it changes: one reading for all pages and event streams of a process that watch it."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from uuid import UUID

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from product_importer.core import db, redis
from product_importer.core.errors import DomainError, first_line
from product_importer.imports.progress import current, key
from product_importer.imports.schemas import ImportRead

log = logging.getLogger(__name__)

# How long a watcher waits for a message before it reads the row anyway: messages may be lost.
POLL_SECONDS = 1.0


async def watch(job_id: UUID) -> AsyncGenerator[ImportRead]:
    """Yield an import as it is now, then each change; end after a final status. `percent` never goes back.

    Raises:
        NotFound: there is no such import.
    """
    reading = _Reading.of(job_id)
    try:
        # Before the first look: an end between that and the subscription would be seen a second late.
        await reading.is_subscribed.wait()
        begun = reading.begun
        shown = await asyncio.to_thread(current, job_id)
        yield shown
        while not shown.is_final:
            seen, begun = await reading.after(begun)
            seen = seen.model_copy(update={"percent": max(seen.percent, shown.percent)})
            if seen != shown:
                shown = seen
                yield shown
    finally:
        reading.leave()


class _Reading:
    """Reads an import for all who watch it, as long as anybody does."""

    # By event loop, too: a reading belongs to one.
    _all: dict[tuple[asyncio.AbstractEventLoop, UUID], "_Reading"] = {}  # noqa: RUF012 - shared on purpose

    def __init__(self, job_id: UUID) -> None:
        self.is_subscribed = asyncio.Event()
        # The number of the read that has begun, and that of the newest value.
        self.begun = 0
        self._number = 0
        self._seen: ImportRead | None = None
        self._error: DomainError | None = None
        self._changed = asyncio.Event()
        self._job_id = job_id
        self._watchers = 0
        # Somebody waits for the next read, whatever it sees.
        self._has_newcomers = False
        self._task = asyncio.create_task(self._read())

    @classmethod
    def of(cls, job_id: UUID) -> "_Reading":
        """Return the reading of an import, begun if nobody watches it yet; `leave` it at the end."""
        place = asyncio.get_running_loop(), job_id
        reading = cls._all.get(place)
        if reading is None or reading._task.done():
            reading = cls._all[place] = cls(job_id)
        reading._watchers += 1
        reading._has_newcomers = True
        return reading

    def leave(self) -> None:
        """Watch no longer; the last one ends the reading."""
        self._watchers -= 1
        if not self._watchers:
            self._task.cancel()
            place = self._task.get_loop(), self._job_id
            if self._all.get(place) is self:
                del self._all[place]

    async def after(self, number: int) -> tuple[ImportRead, int]:
        """Return the import as a read saw it that began after the one with this number, and that read's number.

        Raises:
            NotFound: the import is gone.
        """
        while self._seen is None or (self._number <= number and not self._seen.is_final):
            if self._error is not None:
                raise self._error
            await self._changed.wait()
        return self._seen, self._number

    async def _read(self) -> None:
        client = redis.async_client()
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        try:
            await _subscribe(pubsub, self._job_id)
            self.is_subscribed.set()
            while self._seen is None or not self._seen.is_final:
                await _next_message(pubsub, self._job_id)
                await self._read_once()
        except DomainError as error:
            self._error = error
            self._tell()
        finally:
            self.is_subscribed.set()
            with suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                await client.aclose()

    async def _read_once(self) -> None:
        self.begun += 1
        has_newcomers, self._has_newcomers = self._has_newcomers, False
        try:
            seen = await asyncio.to_thread(current, self._job_id)
        except db.OUTAGE as error:
            # Watchers keep what they have until PostgreSQL is back.
            log.warning("import %s: its progress cannot be read: %s", self._job_id, first_line(error))
            self._has_newcomers |= has_newcomers
            await asyncio.sleep(POLL_SECONDS)
            return
        self._number = self.begun
        # Watchers that have this value already are not woken: there may be a thousand.
        if seen != self._seen or has_newcomers:
            self._seen = seen
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def _subscribe(pubsub: PubSub, job_id: UUID) -> None:
    try:
        await pubsub.subscribe(key(job_id))
    except (RedisError, OSError) as error:
        log.debug("import %s: no subscription yet: %s", job_id, error)


async def _next_message(pubsub: PubSub, job_id: UUID) -> None:
    """Wait for a message of the worker, at most `POLL_SECONDS`, with or without Redis."""
    deadline = time.monotonic() + POLL_SECONDS
    try:
        if not pubsub.subscribed:
            await pubsub.subscribe(key(job_id))
        # The confirmation of the subscription is returned as None, before the time is over.
        while (left := deadline - time.monotonic()) > 0:
            if await pubsub.get_message(timeout=left):
                return
    except (RedisError, OSError) as error:
        log.debug("import %s: no messages, polling instead: %s", job_id, error)
        await asyncio.sleep(max(0.0, deadline - time.monotonic()))
