"""Read something once for all who ask for it together, such as the open pages of one process."""

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")

# What nobody has asked for in so many seconds is forgotten.
FORGET_SECONDS = 30.0


@dataclass
class _Read(Generic[Value]):
    began: float
    task: asyncio.Task[Value]


class SharedReads(Generic[Value]):
    """The newest value of each key: one reading answers all who ask within `fresh_seconds` of its begin."""

    def __init__(self, fresh_seconds: float) -> None:
        self._fresh_seconds = fresh_seconds
        self._reads: dict[Hashable, _Read[Value]] = {}

    async def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """Return the value of `key`; `read` is called in a thread, unless a fresh value is known.

        Raises what `read` raises.
        """
        now, known = time.monotonic(), self._reads.get(key)
        if known is None or (known.task.done() and now - known.began >= self._fresh_seconds) or _failed(known.task):
            self._forget(now)
            known = self._reads[key] = _Read(now, asyncio.create_task(asyncio.to_thread(read)))
        # Who asks may be cancelled; the others still wait.
        return await asyncio.shield(known.task)

    def _forget(self, now: float) -> None:
        for key, read in list(self._reads.items()):
            if read.task.done() and now - read.began > FORGET_SECONDS:
                del self._reads[key]


def _failed(task: asyncio.Task[Value]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
