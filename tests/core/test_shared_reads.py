"""One reading answers all who ask for it together."""

import asyncio
import itertools
import threading

import pytest

from product_importer.core import shared_reads
from product_importer.core.shared_reads import SharedReads


def test_those_who_ask_together_share_one_reading():
    numbers = itertools.count()

    async def ask() -> list[int]:
        reads = SharedReads[int](60)
        together = await asyncio.gather(*(reads.get("a", lambda: next(numbers)) for _ in range(50)))
        return [*together, await reads.get("a", lambda: next(numbers)), await reads.get("b", lambda: next(numbers))]

    assert asyncio.run(ask()) == [0] * 51 + [1]


def test_a_reading_is_not_kept_for_longer_than_it_is_fresh():
    numbers = itertools.count()

    async def ask() -> list[int]:
        reads = SharedReads[int](0)
        return [await reads.get("a", lambda: next(numbers)) for _ in range(3)]

    assert asyncio.run(ask()) == [0, 1, 2]


def test_an_error_reaches_all_who_wait_and_is_not_kept():
    def fail() -> int:
        raise ValueError

    async def ask() -> list[object]:
        reads = SharedReads[int](60)
        failed = await asyncio.gather(reads.get("a", fail), reads.get("a", fail), return_exceptions=True)
        return [*map(type, failed), await reads.get("a", lambda: 7)]

    assert asyncio.run(ask()) == [ValueError, ValueError, 7]


def test_who_gives_up_waiting_takes_nothing_from_the_others():
    goes_on = threading.Event()

    async def ask() -> bool:
        reads = SharedReads[bool](60)
        first = asyncio.create_task(reads.get("a", lambda: goes_on.wait(30)))
        second = asyncio.create_task(reads.get("a", lambda: False))
        await asyncio.sleep(0)
        first.cancel()
        goes_on.set()
        return await second

    assert asyncio.run(ask())


def test_what_nobody_asks_for_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared_reads, "FORGET_SECONDS", 0.0)

    async def ask() -> int:
        reads = SharedReads[int](0)
        for key in range(100):
            await reads.get(key, lambda: 0)
        return len(reads._reads)

    assert asyncio.run(ask()) <= 2
