"""The next item is fetched while the last one is used, and errors of either side end both."""

from collections.abc import Iterator
from threading import Event

import pytest

from product_importer.imports.pipeline.prefetch import ahead


def test_the_next_item_is_made_while_the_last_one_is_used():
    asked = Event()

    def letters() -> Iterator[str]:
        yield "a"
        asked.set()
        yield "b"

    coming = ahead(letters())
    assert next(coming) == "a"
    assert asked.wait(10)
    assert list(coming) == ["b"]


def test_what_the_making_raises_comes_behind_the_items_before_it():
    def letters() -> Iterator[str]:
        yield "a"
        raise LookupError("b")

    coming = ahead(letters())
    assert next(coming) == "a"
    with pytest.raises(LookupError, match="b"):
        next(coming)


def test_who_stops_early_leaves_no_item_half_made():
    made: list[str] = []

    def letters() -> Iterator[str]:
        for letter in "abc":
            yield letter
            made.append(letter)

    coming = ahead(letters())
    next(coming)
    coming.close()
    assert made == ["a"]
