import time

from product_importer.core.ids import new_id, new_ids


def test_ids_are_uuid7_of_now():
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - time.time() * 1000) < 60_000


def test_ids_are_distinct_and_ascend_within_and_across_calls():
    made = [*new_ids(40_000), *new_ids(3), new_id().hex]
    assert len(set(made)) == len(made)
    assert made == sorted(made)
