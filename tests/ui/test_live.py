"""How many entries of a list are new to somebody who sees an earlier state of it."""

import pytest

from product_importer.ui.live import count_news

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
