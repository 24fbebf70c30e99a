"""A tab's state is taken only when what the page tells of running imports has changed."""

import asyncio
from types import SimpleNamespace
from typing import Any, Self

import pytest

from product_importer.imports.pages.running import running_state
from product_importer.imports.pages.running.milestones import Milestones
from product_importer.imports.pages.running.running_state import RunningState
from product_importer.imports.schemas import ImportRead
from tests.imports.pages.test_view_models import read
from tests.waiting import finish

STATE: Any = RunningState
JOB = read(status="processing")


def at(percent: float) -> list[ImportRead]:
    return [JOB.model_copy(update={"percent": percent})]


class Tab(SimpleNamespace):
    """The state of a tab that is open for as long as there is something left to see."""

    def __init__(self, left: list[list[ImportRead]]) -> None:
        super().__init__(_path="/", router=SimpleNamespace(url=SimpleNamespace(path="/")), left=left)
        self._milestones, self._shows, self.taken = Milestones(), False, 0
        self.announcement = ""

    async def __aenter__(self) -> Self:
        self.taken += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the change."""

    async def get_state(self, _: object) -> Self:
        return self

    async def _look(self, active: list[ImportRead], *, has_moved: bool) -> list[ImportRead]:
        ended: list[ImportRead] = await STATE._look(self, active, has_moved=has_moved)
        return ended

    def is_open(self) -> bool:
        return bool(self.left)

    async def now(self) -> list[ImportRead]:
        return self.left.pop(0)


def test_an_import_that_is_newer_than_what_was_read_of_the_active_ones_has_not_ended(monkeypatch):
    tab, now = Tab([]), JOB
    monkeypatch.setattr(running_state, "current", lambda _: now)
    monkeypatch.setattr(running_state, "show", lambda *_: None)
    tab._milestones.take(JOB)
    assert finish(tab._look([], has_moved=True)) == []
    now = read(id=JOB.id, status="completed")
    assert finish(tab._look([], has_moved=False)) == [now]
    assert finish(tab._look([], has_moved=False)) == []


@pytest.mark.parametrize(
    ("seen", "taken"),
    [
        ([[], []], 0),
        ([at(10.1), at(10.2), at(10.9)], 1),
        ([at(10), at(11), at(12), at(12)], 3),
        # The second import begins behind the first one.
        ([at(10), [*at(10), read(status="pending")]], 2),
    ],
)
def test_the_state_is_taken_for_each_change_that_is_told(monkeypatch, seen, taken):
    async def no_wait(*_: object) -> None:
        """Nothing is waited for."""

    tab = Tab(list(seen))
    monkeypatch.setattr(running_state, "Tab", lambda _: tab)
    monkeypatch.setattr(running_state, "_active", tab)
    monkeypatch.setattr(running_state, "show", lambda *_: None)
    monkeypatch.setattr(running_state, "LOOK_SECONDS", 0)
    monkeypatch.setattr(running_state._changes, "other_than", no_wait)

    async def follow() -> None:
        async for _ in STATE.event_handlers["follow_imports"].fn(tab):
            await asyncio.sleep(0)

    finish(follow())
    # Once to note the page.
    assert tab.taken == 1 + taken
