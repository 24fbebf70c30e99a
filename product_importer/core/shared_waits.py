"""Wait for the change of a value that one reading tells to all who wait, such as the open pages of one process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
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
        # The value in a list of one; empty before the first reading, and in an outage that has lasted since then.
        self._newest: list[Value] = []
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    async def other_than(self, seen: Value, most_seconds: float) -> None:
        """Return once the value is another than the one that was seen, at the latest after so many seconds."""
        if self._reading is None or self._reading.done():
            self._newest, self._changed = [], asyncio.Event()
            self._reading = asyncio.create_task(self._keep_reading())
        self._waiting += 1
        try:
            async with asyncio.timeout(most_seconds):
                while self._newest in ([], [seen]):
                    await self._changed.wait()
        except TimeoutError:
            # Who waits looks at something else now and then.
            return
        finally:
            self._waiting -= 1

    async def _keep_reading(self) -> None:
        while self._waiting:
            began = time.monotonic()
            with suppress(*OUTAGE):
                self._take(await self._read())
            await asyncio.sleep(max(self._seconds, REST * (time.monotonic() - began)))

    def _take(self, value: Value) -> None:
        if self._newest == [value]:
            return
        self._newest = [value]
        self._changed.set()
        self._changed = asyncio.Event()
