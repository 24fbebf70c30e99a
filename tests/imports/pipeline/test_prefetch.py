"""Make the next item in a thread while the current one is used."""

from collections.abc import Iterator
from threading import Event

import pytest

from product_importer.imports.pipeline.prefetch import ahead


def test_the_next_item_is_made_while_the_current_one_is_used():
    asked = Event()

    def letters() -> Iterator[str]:
        yield "a"
        asked.set()
        yield "b"

    coming = ahead(letters())
    assert next(coming) == "a"
    assert asked.wait(10)
    assert list(coming) == ["b"]


def test_an_error_is_raised_after_the_items_before_it():
    def letters() -> Iterator[str]:
        yield "a"
        raise LookupError("b")

    coming = ahead(letters())
    assert next(coming) == "a"
    with pytest.raises(LookupError, match="b"):
        next(coming)


def test_closing_early_waits_for_the_item_being_made():
    made: list[str] = []

    def letters() -> Iterator[str]:
        for letter in "abc":
            yield letter
            made.append(letter)

    coming = ahead(letters())
    next(coming)
    coming.close()
    assert made == ["a"]
