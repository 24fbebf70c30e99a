"""Start the embedded PostgreSQL and Valkey, use them, and stop them.

A process that asks for a URL becomes a user of the server: it holds a shared lock until it ends, and the server runs
as long as it has users (see `supervisor`). Servers given by `DATABASE_URL` and `REDIS_URL` are only used.
"""

import errno
import subprocess
import sys
import time
from functools import lru_cache
from pathlib import Path

from product_importer.core.embedded.files import (
    Lock,
    Server,
    ServiceError,
    ServiceFiles,
    explain,
    is_locked,
    is_shared,
    wait_until,
)
from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.valkey import ValkeyServer
from product_importer.core.logging.logs import escaped
from product_importer.core.settings import settings

__all__ = ["ServiceError", "database_url", "has_redis", "redis_url", "stop", "watch"]

PROJECT = Path(__file__).parents[3]
# Crash recovery of a large database may take minutes, but not longer than this.
START_SECONDS = 600.0
STOP_SECONDS = 600.0
MESSAGE_SECONDS = 4.0
POLL_SECONDS = 0.02
MAX_POLL_SECONDS = 0.5
# A supervisor that ends without an error file was killed. Give up after so many in a row.
MAX_SUPERVISORS = 5

_held: dict[str, Lock] = {}


@lru_cache
def database_url() -> str:
    """Return the URL of PostgreSQL for SQLAlchemy; without `DATABASE_URL`, start the embedded one or join it.

    Raises:
        ServiceError: it cannot be started.
    """
    given = settings().database_url
    if given:
        return given
    server = PostgresServer(settings().data_dir)
    _use("postgres", server)
    return server.url


@lru_cache
def redis_url() -> str:
    """Return the URL of Redis for redis-py; without `REDIS_URL`, start the embedded Valkey or join it.

    Raises:
        ServiceError: it cannot be started.
    """
    given = settings().redis_url
    if given:
        return given
    server = ValkeyServer(settings().data_dir)
    _use("valkey", server)
    return server.url


def has_redis() -> bool:
    """Whether `REDIS_URL` is set or the embedded Valkey runs; start nothing."""
    supervisor = ServiceFiles(settings().data_dir, "valkey").supervisor
    return bool(settings().redis_url) or (supervisor.exists() and is_locked(supervisor))


def stop(*, wait_seconds: float = STOP_SECONDS) -> None:
    """Stop using the embedded servers, and wait until they have stopped or are found to have other users."""
    database_url.cache_clear()
    redis_url.cache_clear()
    released = list(_held)
    while _held:
        _held.popitem()[1].close()
    for name in released:
        files = ServiceFiles(settings().data_dir, name)
        wait_until(lambda files=files: _is_stopped_or_used(files), wait_seconds)  # type: ignore[misc]


def watch() -> None:
    """Start a new supervisor where one was killed. Return at once; call it every few seconds."""
    for name in _held:
        files = ServiceFiles(settings().data_dir, name)
        try:
            if not is_locked(files.supervisor):
                _launch_supervisor(files)
        except (ServiceError, OSError) as error:
            print(f"product-importer: {escaped(str(error))}", file=sys.stderr, flush=True)


def _use(name: str, server: Server) -> None:
    files = ServiceFiles(settings().data_dir, name)
    try:
        files.make_directories()
        lock = _become_user(files, server.title)
        try:
            _wait_for_answers(files, server)
            _held[name] = lock
        finally:
            if name not in _held:
                lock.close()
    except OSError as error:
        raise ServiceError(explain(error, files.data_dir)) from error


def _become_user(files: ServiceFiles, title: str) -> Lock:
    """Take the shared lock; wait while a supervisor stops the server and holds the lock."""
    deadline = time.monotonic() + STOP_SECONDS
    poll = _Poll(f"waiting for {title} to stop before it starts again")
    while time.monotonic() < deadline:
        lock = Lock(files.users)
        if lock.try_shared() and not lock.is_replaced():
            return lock
        lock.close()
        poll.wait()
    raise ServiceError(f"{title} has been stopping for {STOP_SECONDS:.0f} s: look into {files.log}")


def _wait_for_answers(files: ServiceFiles, server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    poll = _Poll(
        f"waiting for {server.title} to start; a first start creates its data, after a crash it recovers"
        f" (log: {files.log})"
    )
    launched = 0
    while time.monotonic() < deadline:
        if not is_locked(files.supervisor):
            if launched:
                _raise_supervisor_error(files)
            if launched == MAX_SUPERVISORS:
                raise ServiceError(f"the supervisor of {server.title} does not stay alive: look into {files.log}")
            _launch_supervisor(files)
            launched += 1
        elif server.answers():
            return
        else:
            # A supervisor of an older version would not do this.
            server.complete()
        poll.wait()
    raise ServiceError(f"{server.title} did not answer within {START_SECONDS:.0f} s: look into {files.log}")


def _launch_supervisor(files: ServiceFiles) -> None:
    """Start a supervisor and return when one runs, this or another: see `supervisor.main`."""
    done = subprocess.run(
        [sys.executable, "-m", "product_importer.core.embedded.supervisor", files.name, str(files.data_dir)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").splitlines() or [f"exit code {done.returncode}"]
        raise ServiceError(f"the supervisor of {files.name} cannot be started: {lines[-1]}")


def _raise_supervisor_error(files: ServiceFiles) -> None:
    if files.error.exists():
        # An empty file means that the disk was full when the supervisor wrote it.
        full = OSError(errno.ENOSPC, "", str(files.data_dir))
        raise ServiceError(files.error.read_text() or explain(full, files.data_dir))


def _is_stopped_or_used(files: ServiceFiles) -> bool:
    return not is_locked(files.supervisor) or is_shared(files.users)


class _Poll:
    """Waits a little longer each time, and prints the message once after `MESSAGE_SECONDS`."""

    def __init__(self, message: str) -> None:
        self._message = message
        self._due = time.monotonic() + MESSAGE_SECONDS
        self._pause = POLL_SECONDS

    def wait(self) -> None:
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.1, MAX_POLL_SECONDS)
        if time.monotonic() > self._due:
            self._due = float("inf")
            print(f"product-importer: {escaped(self._message)}", file=sys.stderr, flush=True)
