"""What is counted in the check of a dry run, after any edits, is what applying it does."""

import random

import pytest

from product_importer.core import db
from product_importer.imports import service, tasks
from product_importer.imports.progress import current
from tests.imports.conftest import execute
from tests.imports.edits.test_checking import HEADER, edit, states
from tests.imports.pipeline.test_runner import csv_of

VALUES = {
    "name": ("A", "B", ""),
    "description": ("x", "y", ""),
    "active": ("yes", "no", "", "perhaps"),
    "colour": ("red", "blue", ""),
}
SKUS = [f"p{number}" for number in range(14)]


def file_of(chance: random.Random, skus: list[str]) -> str:
    return csv_of(*(",".join([sku, *map(chance.choice, VALUES.values())]) for sku in skus), header=HEADER)


def edit_of(chance: random.Random, line: int) -> dict[str, object]:
    chosen = [name for name in VALUES if chance.random() < 0.5]
    cells = {name: chance.choice(VALUES[name]) for name in chosen}
    return {"line": line, "cells": cells} | ({"skip": True} if chance.random() < 0.2 else {})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("blank", ["clear", "keep"])
@pytest.mark.parametrize("mode", ["upsert", "create", "update"])
def test_applying_does_what_the_counts_say(run_import, mode, blank, seed):
    """Without two rows of one SKU: which one is used is only known when the file is read again."""
    chance = random.Random(seed)
    execute("TRUNCATE product")
    run_import(file_of(chance, chance.sample(SKUS, 8)))
    job = run_import(file_of(chance, chance.sample(SKUS, 10)), dry_run="true", mode=mode, blank=blank)
    edit(job.id, *(edit_of(chance, line) for line in chance.sample(range(2, 12), 5)))
    shown = {state: count for state, count in states(job.id).items() if state != "skipped"}

    db.run(service.apply_import, job.id)
    tasks.run_import(str(job.id))

    done = current(job.id)
    counts = {
        "create": done.created,
        "update": done.updated,
        "unchanged": done.unchanged,
        "problem": done.rejected,
        "duplicate": done.duplicates,
    }
    assert {state: count for state, count in counts.items() if count} == shown
