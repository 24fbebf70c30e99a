"""Ids are UUIDs of version 7, ordered by time and by the part of the file."""

import time
from uuid import UUID

import pytest

from product_importer.core.ids import id_prefix, id_range, lane_number, new_id


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


def test_numbers_of_lanes_overlap_neither_each_other_nor_lines():
    numbers = [lane_number(lane, count) + 1 for lane in (1, 2, 15, 16) for count in (0, 1, (1 << 27) - 1)]
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (1 << 31, (1 << 32) - 1)
    for lane, count in ((0, 0), (17, 0), (1, 1 << 27)):
        with pytest.raises(ValueError):
            lane_number(lane, count)
