"""What becomes of each row, compared with plain Python."""

from itertools import groupby

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.columns.header import match
from product_importer.imports.pipeline import attributes
from product_importer.imports.pipeline.decide import Decider, pick
from product_importer.imports.pipeline.held import MAX_UNPACKED
from product_importer.imports.pipeline.run_columns import RunColumns
from product_importer.imports.schemas import ImportChoices

COLUMNS = RunColumns(match(["sku", "name", "description", "active", "colour"]))
letters = st.sampled_from("abc")
values = st.sampled_from(["", "x", "y"])
blank = st.sampled_from([None, "x", "y"])
flags = st.sampled_from([True, False, None])
row = st.tuples(letters, values, values, flags, blank)
held_row = st.tuples(letters, st.sampled_from("xy"), values, st.booleans(), st.sampled_from([None, "", "x", "y"]))
HELD = ["key", "sku", "name", "description", "active", "a0", "id", "version"]


def run_of(rows: list[tuple]) -> pa.Table:
    rows = sorted(rows, key=lambda one: one[0])
    lines = [(key, line, key.upper(), *rest) for line, (key, *rest) in enumerate(rows, start=2)]
    return pa.table(list(zip(*lines, strict=True)), schema=COLUMNS.schema)


def held_of(rows: dict[str, tuple]) -> pa.Table:
    types = [pa.string()] * 7 + [pa.int32()]
    found = [
        (key, key, name, description, "t" if active else "f", colour, f"id-{key}", 7)
        for key, (name, description, active, colour) in rows.items()
    ]
    columns = list(zip(*found, strict=True)) or [()] * len(HELD)
    return pa.table([pa.array(one, kind) for one, kind in zip(columns, types, strict=True)], names=HELD)


@given(st.lists(letters, min_size=1, max_size=12), st.sampled_from(["last", "first", "reject"]))
def test_one_row_of_each_sku_is_picked_and_the_others_name_it(keys, policy):
    rows = run_of([(key, "x", "", True, None) for key in keys])
    picked = pick(rows, policy)
    taken: list[int] = []
    lost: dict[int, int] = {}
    lines = zip(rows["key"].to_pylist(), rows["line"].to_pylist(), strict=True)
    for _, group in groupby(lines, key=lambda pair: pair[0]):
        found = [line for _, line in group]
        winner = {"last": found[-1], "first": found[0], "reject": found[0]}[policy]
        if policy == "reject" and len(found) > 1:
            lost |= {line: found[-1] if line == found[0] else found[0] for line in found}
        else:
            taken.append(winner)
            lost |= {line: winner for line in found if line != winner}
    assert picked.rows["line"].to_pylist() == taken
    assert dict(zip(picked.lost["line"].to_pylist(), picked.lost_to.to_pylist(), strict=True)) == lost


def expected(given_row: tuple, held: tuple | None, mode: str, keeps: bool) -> tuple[str, tuple]:
    """Return the outcome and the values to be stored, as docs/file-format.md describes them."""
    name, description, active, colour = given_row
    stored = (name, description, True if active is None and held is None else active, colour)
    if active is None and held is not None:
        stored = (*stored[:2], held[2], colour)
    if keeps and held is not None:
        stored = (name or held[0], description or held[1], stored[2], colour)
    if mode == "create" and held:
        return "exists", stored
    if mode == "update" and not held:
        return "not_found", stored
    if held is None:
        return ("no_name_to_keep" if keeps and not name else "created"), stored
    compared = held if not (keeps and colour is None) else (*held[:3], None)
    return ("unchanged" if stored == compared else "updated"), stored


@given(
    st.lists(row, unique_by=lambda one: one[0], max_size=3),
    st.lists(held_row, unique_by=lambda one: one[0], max_size=3),
    st.sampled_from(["upsert", "create", "update"]),
    st.booleans(),
)
def test_outcomes_are_those_of_plain_python(rows, held, mode, keeps):
    there = {key: tuple(rest) for key, *rest in held}
    decider = Decider(COLUMNS, ImportChoices(mode=mode, blank="keep" if keeps else "clear"))
    if not rows:
        rows = [("z", "x", "", True, None)]
    decided = decider.decide(run_of(rows), held_of(there)).rows
    for found in decided.to_pylist():
        given_row = next(one[1:] for one in rows if one[0] == found["key"])
        outcome, stored = expected(given_row, there.get(found["key"]), mode, keeps)
        assert found["outcome"] == outcome
        assert (found["name"], found["description"], found["active"], found["a0"]) == stored
        assert found["id"] == (f"id-{found['key']}" if found["key"] in there else None)


def test_no_rows_at_all_are_decided():
    picked = pick(run_of([("a", "x", "", True, None)] * 2), "reject")
    decided = Decider(COLUMNS, ImportChoices()).decide(picked.rows, held_of({"a": ("x", "", True, None)}))
    assert (decided.rows.num_rows, picked.lost.num_rows) == (0, 2)


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [(("id-a", 7), "updated"), (("id-a", 6), "changed_since_preview"), ((None, None), "changed_since_preview")],
)
def test_a_product_that_changed_since_the_dry_run_is_left_alone(seen, outcome):
    types = {"key": pa.string(), "id": pa.string(), "version": pa.int32()}
    noted = pa.table(
        [pa.array([value], kind) for value, kind in zip(("a", *seen), types.values(), strict=True)], list(types)
    )
    decider = Decider(COLUMNS, ImportChoices())
    decided = decider.decide(run_of([("a", "y", "", True, None)]), held_of({"a": ("x", "", True, None)}), noted)
    assert decided.rows["outcome"].to_pylist() == [outcome]


@pytest.mark.parametrize(
    ("old", "keeps", "differs"),
    [
        ('{"b": "1", "aa": "2"}', False, False),
        ('{"b": "1", "aa": "2", "other": "3"}', False, False),
        ('{"b": 1, "aa": "2"}', False, False),
        ('{"b": "1"}', False, True),
        ('{"b": "1", "aa": "2", "c": "3"}', False, True),
        ('{"b": "1", "aa": "2", "c": "3"}', True, False),
        ('{"b": "9", "aa": "2"}', True, True),
    ],
)
def test_whole_objects_are_compared_by_the_attributes_of_the_file(old, keeps, differs):
    rows = pa.table({"a0": ["2"], "a1": ["1"], "a2": pa.array([None], pa.string())})
    held = pa.table({"attributes": [old]})
    assert attributes.objects_differ(rows, held, ["aa", "b", "c"], keeps).to_pylist() == [differs]


def test_many_attributes_give_the_same_result_as_few(run_import):
    """More than `MAX_UNPACKED` are read as one object."""
    for count in (MAX_UNPACKED, MAX_UNPACKED + 4):
        header = ",".join(["sku", "name", "description", *(f"Größe {n}" for n in range(count))])
        file = f"{header}\n" + "".join(
            f"s{count}-{n},Name,,"
            + ",".join(f'"{n}\t""\\ü{at}"' if (at + n) % 3 else "" for at in range(count))
            + "\n"
            for n in range(30)
        )
        job = run_import(file)
        assert (job.created, job.rejected) == (30, 0)
        assert run_import(file).unchanged == 30
        job = run_import(file.replace("7\t", "8\t"))
        assert (job.updated, job.unchanged) == (3, 27)
