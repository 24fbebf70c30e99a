"""Waiting for a condition instead of for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

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
