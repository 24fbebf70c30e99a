"""Distribute the tests over the processes of pytest-xdist, and give each process its own Redis databases.

A file's tests stay together, so that a fixture of a module is made once.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import pytest
from redis import Redis
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Each line stays together: its tests share a started application. What takes longest comes first, so that no process
# gets it last and keeps the others waiting.
GROUPS = (
    ("tests/faults/test_redis.py", "tests/faults/test_stops.py", "tests/faults/test_postgres.py"),
    ("tests/faults/test_hosts.py",),
    ("tests/faults/",),
    ("tests/e2e/test_a", "tests/e2e/test_connection.py"),
    ("tests/e2e/test_p", "tests/e2e/test_r"),
    ("tests/e2e/test_check.py", "tests/e2e/test_drafts.py", "tests/e2e/test_uploads.py"),
    ("tests/e2e/",),
    ("tests/commands/test_backup.py",),
    ("tests/core/embedded/test_postgres_role.py",),
    ("tests/core/embedded/test_servers.py",),
    ("tests/catalog/search/test_product_query.py",),
    ("tests/test_bench_smoke.py",),
    ("tests/imports/pipeline/test_partitioned.py",),
    ("tests/imports/pipeline/test_pgbouncer.py",),
    ("tests/webhooks/test_faults.py",),
    ("tests/webhooks/test_itself.py",),
    ("tests/test_logs.py",),
    ("tests/webhooks/test_rebinding.py",),
    ("tests/commands/test_import_file.py",),
    ("tests/test_fairness.py",),
    ("tests/catalog/search/test_oracle.py",),
    ("tests/imports/columns/test_names.py",),
    ("tests/test_openapi.py",),
    ("tests/catalog/test_export.py",),
)
# The tests' own, and that of the application they start.
DATABASES_PER_PROCESS = 2


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Give each process a group after the other, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any):
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """Return the group of a test: the number of its line in `GROUPS`, else its file."""
    number = rank(nodeid)
    return str(number) if number < len(GROUPS) else nodeid.partition("::")[0]


def rank(nodeid: str) -> int:
    """Return a test's place in the order of groups."""
    return next((number for number, starts in enumerate(GROUPS) if nodeid.startswith(starts)), len(GROUPS))


def is_one_of_several() -> bool:
    """Whether this is one of pytest-xdist's processes."""
    return "PYTEST_XDIST_WORKER" in os.environ


def given(variable: str) -> str | None:
    """Return what an environment variable held before a test process changed it.

    The processes of pytest-xdist inherit the environment of one that has changed it.
    """
    return os.environ.setdefault(f"GIVEN_{variable}", os.environ.pop(variable, "")) or None


def redis_urls(url: str) -> tuple[str, str]:
    """Return the Redis databases of this process: for the tests, and for the application they start."""
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    number = _database(url) + DATABASES_PER_PROCESS * process
    return _with_database(url, number), _with_database(url, number + 1)


def require_redis_databases(url: str, processes: int) -> None:
    """Refuse to start more processes than the server has databases for, from the given number on.

    Raises:
        pytest.UsageError: there are too few.
    """
    with Redis.from_url(url) as client:
        held = int(client.config_get("databases")["databases"])
    first = _database(url)
    last = first + DATABASES_PER_PROCESS * processes - 1
    if last >= held:
        raise pytest.UsageError(
            f"{processes} test processes need Redis databases {first} to {last}, and the last one is {held - 1}: "
            "name a lower one in REDIS_URL, or start fewer processes with -n"
        )


def _database(url: str) -> int:
    return int(urlsplit(url).path.strip("/") or 0)


def _with_database(url: str, number: int) -> str:
    return urlsplit(url)._replace(path=f"/{number}").geturl()
