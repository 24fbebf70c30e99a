"""Waiting for a condition instead of for time to pass."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def wait_for(predicate: Callable[[], Result], timeout: float, what: str) -> Result:
    """Return the predicate's first true value.

    Raises:
        AssertionError: none came within `timeout` seconds; the message says `what` was waited for.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.02)


def finish(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, also in a thread where the browser's driver already runs an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
