"""Start one application for all fault tests. `FAULTS_SEED` repeats a run, `FAULTS=long` makes a long one."""

import os
import time
from collections.abc import Iterator
from random import Random

import pytest

from tests.application import Application
from tests.faults.laboratory import WORKERS, WRITERS, Laboratory
from tests.faults.processes import family
from tests.waiting import wait_for

SEED = os.environ.get("FAULTS_SEED") or str(time.time_ns() % 10**9)
LONG = os.environ.get("FAULTS") == "long"
SHELVES = ("Red", "Blue")
ROWS_AT_FIRST = 6_000
# So small that every file of the tests has many ranges of keys.
BATCH_SIZE = 500


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the moments of a fault that are marked `long_form` to the long form."""
    if LONG:
        return
    left = [item for item in items if item.get_closest_marker("long_form")]
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


@pytest.fixture
def random(request: pytest.FixtureRequest) -> Random:
    """Random numbers seeded by the test's name, so that it can be repeated alone."""
    print(f"FAULTS_SEED={SEED}")
    return Random(f"{SEED} {request.node.name}")


@pytest.fixture(scope="package")
def laboratory(own_servers: dict[str, str]) -> Iterator[Laboratory]:
    """Start the application with two import workers, on the servers that the tests use."""
    yield from opened(own_servers)


@pytest.fixture(scope="package")
def embedded(own_servers: dict[str, str], request: pytest.FixtureRequest) -> Iterator[Laboratory]:
    """Start it on embedded servers, because only its own servers may be killed or stopped."""
    if own_servers:
        yield from opened({"DATABASE_URL": "", "REDIS_URL": ""})
    else:
        yield request.getfixturevalue("laboratory")


def opened(environment: dict[str, str]) -> Iterator[Laboratory]:
    application = Application(
        WORKERS=str(WORKERS), IMPORT_WRITERS=str(WRITERS), BATCH_SIZE=str(BATCH_SIZE), **environment
    )
    application.start()
    try:
        made = Laboratory(application)
        random = Random(SEED)
        for shelf in SHELVES:
            made.import_undisturbed(random, shelf, ROWS_AT_FIRST)
        yield made
    finally:
        # Stop it even if the first imports failed.
        ended = application.stop()
    assert ended == 0
    wait_for(lambda: not family(application), 30, "no process is left")
    application.remove()
