"""Select the tests that need neither servers nor processes: `make unit`, or `python -m pytest -p tests.unit`.

A test is deselected when it has one of the markers below, or uses one of the fixtures directly or through others.
A selected test that starts a process all the same fails and says which mark it lacks, so the selection stays right.
"""

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

FIXTURES = {"given_role", "servers", "own_servers"}
MARKERS = ("e2e", "embedded", "processes")
# They hold no unit tests and take long to collect.
IGNORED = ("e2e", "faults", "test_openapi.py")
STARTS = ("subprocess.Popen", "os.fork", "os.posix_spawn")

_is_testing = False


def pytest_configure() -> None:
    """Watch which processes are started."""
    sys.addaudithook(_refuse_processes)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Skip files without unit tests."""
    return collection_path.name in IGNORED or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the unit tests."""
    config.hook.pytest_deselected(items=[item for item in items if not is_unit(item)])
    items[:] = filter(is_unit, items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Refuse processes while a test and its fixtures run."""
    global _is_testing
    _is_testing = True
    try:
        return (yield)
    finally:
        _is_testing = False


def is_unit(item: pytest.Item) -> bool:
    """Whether markers and fixtures say that a test needs neither servers nor processes."""
    return FIXTURES.isdisjoint(getattr(item, "fixturenames", ())) and not any(map(item.get_closest_marker, MARKERS))


def _refuse_processes(event: str, arguments: tuple[object, ...]) -> None:
    if _is_testing and event in STARTS:
        raise AssertionError(f"mark this test `processes`, or use the fixture `servers`: it starts {arguments}")
