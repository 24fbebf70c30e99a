"""Wait for the change of a value that one reading tells to all who wait, such as the open pages of one process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Generic, TypeVar

from product_importer.core.db import OUTAGE

Value = TypeVar("Value")

# After a reading that took long, what it has read rests for so many times as long.
REST = 2


class SharedWaits(Generic[Value]):
    """A value that is read every `seconds` while anybody waits; only its change wakes those who do."""

    def __init__(self, read: Callable[[], Awaitable[Value]], seconds: float) -> None:
        self._read, self._seconds = read, seconds
        self._waiting = 0
        # The value in a list of one; empty before the first reading.
        self._newest: list[Value] = []
        self._woken = asyncio.Event()
        # How often all were woken without a change.
        self._wakes = 0
        self._reading: asyncio.Task[None] | None = None

    async def other_than(self, seen: Value, most_seconds: float) -> None:
        """Return once the value is another than the one that was seen, at the latest after so many seconds.

        Who waits is woken, too, when the database does not answer: what they read themselves tells them.
        """
        if self._reading is None or self._reading.done():
            self._newest, self._woken = [], asyncio.Event()
            # Not in the context of who happens to be the first: it may be read for others for hours.
            self._reading = asyncio.create_task(self._keep_reading(), context=Context())
        self._waiting += 1
        wakes = self._wakes
        try:
            async with asyncio.timeout(most_seconds):
                while self._newest in ([], [seen]) and self._wakes == wakes:
                    await self._woken.wait()
        except TimeoutError:
            # Who waits looks at something else now and then.
            return
        finally:
            self._waiting -= 1

    def wake(self) -> None:
        """Wake all who wait, although nothing is known to have changed."""
        self._wakes += 1
        self._tell()

    async def _keep_reading(self) -> None:
        try:
            while self._waiting:
                began = time.monotonic()
                try:
                    newest = [await self._read()]
                except OUTAGE:
                    self.wake()
                else:
                    if newest != self._newest:
                        self._newest = newest
                        self._tell()
                await asyncio.sleep(max(self._seconds, REST * (time.monotonic() - began)))
        finally:
            # Nobody waits for a reading that has failed in another way.
            self.wake()

    def _tell(self) -> None:
        self._woken.set()
        self._woken = asyncio.Event()
