"""Only a change of the value wakes those who wait for it, and one reading tells all of them."""

import asyncio

import pytest
from sqlalchemy.exc import OperationalError

from product_importer.core.shared_waits import SharedWaits

SOON = 0.001
LONG = 30.0


class Source:
    """A value that is read, and how often it was."""

    def __init__(self, value: int) -> None:
        self.value, self.reads, self.is_out = value, 0, False

    async def read(self) -> int:
        self.reads += 1
        if self.is_out:
            raise OperationalError("SELECT", None, Exception("gone"))
        return self.value

    async def read_again(self, times: int = 2) -> None:
        """Wait for so many further readings."""
        until = self.reads + times
        while self.reads < until:
            await asyncio.sleep(SOON)


def test_all_who_wait_are_woken_by_a_change_and_by_nothing_else():
    async def watch() -> tuple[int, int]:
        source = Source(1)
        waits = SharedWaits(source.read, SOON)
        waiting = [asyncio.create_task(waits.other_than(1, LONG)) for _ in range(100)]
        await source.read_again()
        woken_before = sum(task.done() for task in waiting)
        source.value, before = 2, source.reads
        await asyncio.gather(*waiting)
        return woken_before, source.reads - before

    woken_before, reads = asyncio.run(watch())
    assert woken_before == 0
    assert reads < 10, "one reading for all"


def test_what_has_changed_since_it_was_seen_is_told_at_once():
    async def watch() -> None:
        source = Source(2)
        waits = SharedWaits(source.read, LONG)
        first = asyncio.create_task(waits.other_than(2, LONG))
        await waits.other_than(1, LONG)
        # The reading has its value already.
        await waits.other_than(1, LONG)
        assert source.reads == 1
        first.cancel()

    asyncio.run(asyncio.wait_for(watch(), LONG))


def test_all_are_woken_where_that_is_asked_for():
    async def watch() -> None:
        source = Source(1)
        waits = SharedWaits(source.read, SOON)
        waiting = [asyncio.create_task(waits.other_than(1, LONG)) for _ in range(3)]
        await source.read_again()
        assert not any(task.done() for task in waiting)
        waits.wake()
        await asyncio.gather(*waiting)

    asyncio.run(asyncio.wait_for(watch(), LONG))


def test_the_wait_ends_without_a_change():
    asyncio.run(SharedWaits(Source(1).read, SOON).other_than(1, 0.05))


def test_nothing_is_read_while_nobody_waits():
    async def watch() -> int:
        source = Source(1)
        waits = SharedWaits(source.read, SOON)
        await waits.other_than(1, 0.05)
        reading = waits._reading
        assert reading is not None
        await reading
        before = source.reads
        await waits.other_than(0, LONG)
        return source.reads - before

    assert asyncio.run(asyncio.wait_for(watch(), LONG)) == 1


def test_an_outage_wakes_those_who_wait_each_time():
    async def watch() -> None:
        source = Source(1)
        waits = SharedWaits(source.read, SOON)
        waiting = asyncio.create_task(waits.other_than(1, LONG))
        await source.read_again()
        assert not waiting.done()
        source.is_out = True
        await waiting
        await waits.other_than(1, LONG)

    asyncio.run(asyncio.wait_for(watch(), LONG))


def test_a_reading_that_fails_in_another_way_keeps_nobody_waiting():
    async def fail() -> int:
        await asyncio.sleep(SOON)
        raise LookupError

    async def watch() -> None:
        waits = SharedWaits(fail, SOON)
        await waits.other_than(1, LONG)
        assert waits._reading is not None
        with pytest.raises(LookupError):
            await waits._reading
        await waits.other_than(1, LONG)

    asyncio.run(asyncio.wait_for(watch(), LONG))


def test_each_event_loop_has_a_reading_of_its_own():
    waits = SharedWaits(Source(2).read, SOON)
    for _ in range(2):
        asyncio.run(asyncio.wait_for(waits.other_than(1, LONG), LONG))
