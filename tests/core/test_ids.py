"""Ids are UUIDs of version 7, ordered by time and by the part of the file."""

import time
from uuid import UUID

import pytest

from product_importer.core.ids import id_prefix, id_range, new_id, range_first_number


def test_ids_are_uuid7_with_the_current_time():
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - time.time() * 1000) < 60_000


def test_ids_are_distinct_and_ascend():
    made = [new_id() for _ in range(20_000)]
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert (made[-1].int >> 80) - time.time() * 1000 < 1_000, "many ids at once still have the current time"


def test_owners_of_the_same_millisecond_share_no_ids():
    owners = {new_id().int >> 32 & (1 << 30) - 1 for _ in range(1_000)}
    assert len(owners) > 990


def test_ids_of_parts_are_ordered_uuid7_in_the_range_of_their_owner():
    owner = new_id()
    made = [UUID(f"{id_prefix(owner)}{line:08x}") for line in (2, 3, 70_000, (1 << 32) - 1)]
    first, last = id_range(owner)
    assert made == sorted(made)
    assert first < made[0]
    assert made[-1] == last
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


@pytest.mark.parametrize("ranges", [1, 3, 240, 200_000, 1 << 31])
def test_numbers_of_ranges_ascend_above_those_of_lines(ranges):
    first, last = range_first_number(0, ranges), range_first_number(ranges - 1, ranges)
    share = (1 << 31) // ranges
    assert first == 1 << 31
    assert last + share <= 1 << 32
    assert ranges == 1 or range_first_number(1, ranges) == first + share


@pytest.mark.parametrize(("number", "ranges"), [(-1, 2), (2, 2), (0, 0), (0, (1 << 31) + 1)])
def test_there_are_no_numbers_for_a_range_that_does_not_exist(number, ranges):
    with pytest.raises(ValueError, match="no numbers for range"):
        range_first_number(number, ranges)
