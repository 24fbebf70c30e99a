"""Wait for a condition instead of a fixed time."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def wait_for(predicate: Callable[[], Result], timeout: float, what: str) -> Result:
    """Return the first true value of the predicate.

    Raises:
        AssertionError: there was none within `timeout` seconds; the message contains `what`.
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
    """Run a coroutine to its end, even in a thread in which the browser's driver runs an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
