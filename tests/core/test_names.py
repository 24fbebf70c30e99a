"""Suggest similar names, and find repeated names in JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.names import names_in_json, repeated_in_json, similar_name

FIELDS = ("file", "mode", "duplicates", "blank", "dry_run", "columns", "encoding", "delimiter")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("dryrun", "dry_run"), ("DRY-RUN", "dry_run"), ("dry run", "dry_run"), ("colums", "columns"), ("Mode", "mode")],
)
def test_a_similar_name_is_suggested(written, meant):
    assert similar_name(written, FIELDS) == meant


@pytest.mark.parametrize("written", ["", "x", "price", "note", "é" * 100_000])
def test_no_name_is_suggested_without_similarity(written):
    assert similar_name(written, FIELDS) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"a": 1, "a": 1}', ["a"]),
        ('{"a": 1, "\\u0061": 2, "a": 3}', ["a"]),
        ('{"a": {"b": [{"c": 1, "c": 2}]}, "d": 1, "d": 2}', ["d", "a.b.c"]),
        ('[{"a": 1}, {"a": 1}]', []),
        ('{"a": 1, "A": 1}', []),
        ("{", []),
        ("[" * 100_000, []),
        ("1" * 10_000, []),
    ],
)
def test_repeated_names_are_found_with_their_paths(text, names):
    assert repeated_in_json(text) == repeated_in_json(text.encode()) == names


@given(VALUES)
def test_json_written_by_python_has_no_repeated_names(value):
    assert repeated_in_json(json.dumps(value)) == []


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), st.data())
def test_a_repeated_name_is_found(value, data):
    name = data.draw(st.sampled_from(sorted(value)))
    text = f"{json.dumps(value)[:-1]}, {json.dumps(name)}: 0}}"
    assert repeated_in_json(text) == [name]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"a": {"b": 1}, "c": 2, "a": 3}', ["a", "c", "a"]),
        ('[{"a": 1}]', []),
        ("{", []),
        ("[" * 100_000, []),
        ("", []),
    ],
)
def test_names_in_json_are_those_of_the_outer_object(text, names):
    assert names_in_json(text) == names
