"""A soak run notices each count that is wrong, and knows what it has done itself."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from soak.ledger import Ledger
from soak.shelf import ROW_COUNTS, Shelf
from soak.subject import Subject
from soak.work import DIGITS, with_season
from tests.faults.oracle import Product


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """A shelf of an application that is not started."""
    subject = Subject()
    yield Shelf("Red", "seed", subject, Ledger())
    subject.remove()


@pytest.mark.parametrize("wrong", [None, *ROW_COUNTS, "total_rows", "status"])
def test_each_wrong_count_is_kept(shelf: Shelf, wrong: str | None):
    file = shelf.write(200)
    outcome = shelf.oracle.take(file)
    counts = dict.fromkeys(ROW_COUNTS, 0) | outcome.counts
    job: dict[str, Any] = {**counts, "total_rows": file.total, "status": "completed"}
    if wrong:
        job[wrong] = "failed" if wrong == "status" else job[wrong] + 1
    shelf.expect_counts(job, outcome, file.total)
    assert bool(shelf.ledger.wrong) == bool(wrong)


def test_what_is_undone_is_as_before(shelf: Shelf):
    shelf.oracle.take(shelf.write(300))
    before = dict(shelf.oracle.products)
    with shelf.as_before():
        shelf.oracle.take(shelf.write(300))
        assert shelf.oracle.products != before
    assert shelf.oracle.products == before


def test_the_parts_of_a_shelf_are_all_of_it(shelf: Shelf):
    shelf.oracle.take(shelf.write(2_000))
    parts = [key for digit in DIGITS for key in shelf.of(digit)]
    assert sorted(parts) == sorted(shelf.oracle.products)
    assert all(0 < len(shelf.of(digit)) < len(parts) / 4 for digit in DIGITS)


def test_the_same_seed_writes_the_same_files(shelf: Shelf):
    again = Random("seed Red")
    assert [shelf.random.random() for _ in range(3)] == [again.random() for _ in range(3)]


def test_an_attribute_is_set_and_removed():
    product = Product("A", "n", "d", True, {"colour": "red"})
    spring = with_season(product, "spring")
    assert spring.attributes == {"colour": "red", "season": "spring"}
    assert with_season(spring, "") == product
