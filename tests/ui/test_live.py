"""How many entries of a list are new to somebody who sees an earlier state of it, and when a tab looks again."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from product_importer.ui import live
from product_importer.ui.live import count_news
from tests.waiting import finish

STATE: Any = SimpleNamespace()

SHOWN = ["d", "c", "b"]


@pytest.mark.parametrize(
    ("fresh", "growth", "news"),
    [
        (["d", "c", "b"], 0, 0),
        # One is new, and moves the last one to the next page.
        (["e", "d", "c"], 1, 1),
        # Many are new, and the page has none of the old ones left.
        (["z", "y", "x"], 500, 500),
        (["z", "y", "x"], 0, 3),
        # One was deleted, and the next page's first one moved up.
        (["d", "b", "a"], 0, 0),
        (["c", "b", "a"], 0, 0),
        # One has moved to the top, as the last one that was changed.
        (["a", "d", "c"], 0, 1),
        (["c", "d", "b"], 0, 0),
        # New ones stand on another page of the list.
        (["d", "c", "b"], 2, 2),
        # Others are gone, too.
        (["e", "d", "b"], -3, 1),
        ([], -3, 0),
    ],
)
def test_new_entries_are_counted(fresh: list[str], growth: int, news: int):
    assert count_news(SHOWN, fresh, growth) == news


def test_a_tab_looks_again_after_a_change_and_not_before(monkeypatch):
    what_happened: list[str] = []

    async def change() -> None:
        # Longer than a tab rests between two looks.
        await asyncio.sleep(0.01)
        what_happened.append("change")

    async def follow() -> None:
        async for _ in live.looks(STATE, "/products", change):
            what_happened.append("look")

    monkeypatch.setattr(live, "Tab", lambda _: SimpleNamespace(shows=lambda _: len(what_happened) < 5))
    monkeypatch.setattr(live, "LOOK_SECONDS", 0)
    finish(follow())
    assert what_happened == ["look", "change"] * 3
