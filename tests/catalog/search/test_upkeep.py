"""The text index catches up in steps and waits for imports between them, but at most ten minutes in all."""

import pytest

from product_importer.catalog.search import indexer, upkeep
from product_importer.catalog.search.upkeep import Upkeep
from product_importer.core import db
from tests.catalog.search.test_indexer import add, fetch, segments

STEP = 1_000


class Machine:
    """Says what time it is and whether an import runs."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.is_importing = False

    def upkeep(self) -> Upkeep:
        return Upkeep(lambda: self.is_importing, lambda: self.seconds)


@pytest.fixture
def machine(database, monkeypatch) -> Machine:
    monkeypatch.setattr(indexer, "STEP_ROWS", STEP)
    return Machine()


def waiting() -> int:
    return fetch("SELECT coalesce(sum(number), 0) FROM product_change")[0][0]


def test_each_step_takes_a_bounded_part_of_what_waits(machine):
    for number in range(4):
        add(STEP, first=number * STEP)
    work = machine.upkeep()
    seen = []
    while work.step():
        seen.append((waiting(), len(segments()), sum(is_indexed for _, is_indexed in segments())))
    collected = [(3 * STEP, 1, 0), (2 * STEP, 2, 0), (STEP, 3, 0), (0, 4, 0)]
    assert seen == [*collected, *((0, 4, indexed) for indexed in (1, 2, 3, 4))]
    assert {rows for rows, _ in segments()} == {STEP}


def test_an_import_that_starts_between_two_steps_is_waited_for(machine):
    add(STEP)
    add(STEP, first=STEP)
    work = machine.upkeep()
    assert work.step() is True
    machine.is_importing = True
    for _ in range(3):
        machine.seconds += 100
        assert work.step() is False
    assert (waiting(), segments()) == (STEP, [(STEP, False)])
    machine.is_importing = False
    while work.step():
        pass
    assert (waiting(), segments()) == (0, [(STEP, True), (STEP, True)])


def test_imports_are_waited_for_ten_minutes_in_all(machine):
    for number in range(3):
        add(STEP, first=number * STEP)
    work = machine.upkeep()
    machine.is_importing = True
    assert work.step() is False
    machine.seconds = 400
    assert work.step() is False
    # The first import ends, and one step later another begins.
    machine.is_importing = False
    assert work.step() is True
    machine.seconds, machine.is_importing = 1_000, True
    assert work.step() is False
    machine.seconds = 1_199
    assert work.step() is False
    machine.seconds = 1_200
    steps = 0
    while work.step():
        steps += 1
    assert steps == 5 and segments() == [(STEP, True)] * 3
    assert upkeep.MAX_WAIT_SECONDS == 600


def test_an_index_that_has_caught_up_waits_for_the_next_import_again(machine):
    add(STEP)
    work = machine.upkeep()
    machine.is_importing = True
    work.step()
    machine.seconds = upkeep.MAX_WAIT_SECONDS
    while work.step():
        pass
    assert segments() == [(STEP, True)]
    add(STEP, first=STEP)
    assert work.step() is False
    assert (waiting(), segments()) == (STEP, [(STEP, True)])


def test_a_flood_of_changes_does_not_keep_segments_from_being_indexed(machine):
    work = machine.upkeep()
    for number in range(4):
        add(indexer.MIN_CHANGES // 2 - 1, first=number * STEP)
        work.step()
    assert waiting() < indexer.MIN_CHANGES
    assert all(is_indexed for _, is_indexed in segments())


def test_outdated_segments_are_renewed_until_few_rows_are_there_twice(machine):
    for number in range(4):
        add(STEP, first=number * STEP)
    work = machine.upkeep()
    while work.step():
        pass
    for turn in range(5):
        with db.engine().begin() as connection:
            for number in range(4):
                connection.exec_driver_sql(
                    f"UPDATE product SET name = 'Turn {turn}' WHERE substr(sku, 2)::int / {STEP} = {number}"
                )
        while work.step():
            pass
        rows = sum(rows for rows, _ in segments())
        assert 4 * STEP <= rows <= indexer.MAX_OUTDATED * 4 * STEP + STEP
        assert all(is_indexed for _, is_indexed in segments())
    # The newest text of each product is in a segment.
    texts = " UNION ".join(
        f"SELECT product_id FROM product_search_{number} WHERE name = 'turn 4'"
        for (number,) in fetch("SELECT id FROM search_segment WHERE retired_at IS NULL")
    )
    assert fetch(f"SELECT count(*) FROM ({texts}) AS newest") == [(4 * STEP,)]
