"""Query the application's PostgreSQL and Redis from outside, and make them fail."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import Any

import psutil
import psycopg2
from redis import Redis
from sqlalchemy import make_url

from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.valkey import ValkeyServer
from product_importer.core.settings.database_urls import for_sqlalchemy
from tests.application import Application
from tests.faults.processes import family
from tests.waiting import wait_for

RESTART_SECONDS = 60
# Redis may hand a job to workers that a test has suspended, until the web process has queued it often enough.
ROW_SECONDS = 120
# A test that asks a host which is cut off meanwhile does not wait for it.
VANISHED = {
    "connect_timeout": 3,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}


class Postgres:
    """The application's database. Every query opens a connection, because the server may have been restarted."""

    def __init__(self, application: Application):
        self._server = PostgresServer(application.data)
        given = application.environment.get("DATABASE_URL")
        url = make_url(for_sqlalchemy(given) if given else self._server.url).set(drivername="postgresql")
        self._url = url.render_as_string(hide_password=False)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.holding(query, *values) as rows:
            return rows

    @contextmanager
    def holding(self, query: str, *values: object) -> Iterator[list[tuple[Any, ...]]]:
        """Run a query, and keep its transaction with its locks open during the block."""
        connection = psycopg2.connect(self._url, **VANISHED)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                yield cursor.fetchall() if cursor.description else []
        finally:
            with suppress(psycopg2.Error):
                connection.close()

    @contextmanager
    def connected(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """Yield a function that queries on one connection, each time in a new transaction."""
        connection = psycopg2.connect(self._url, **VANISHED)
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:

            def ask(query: str, *values: object) -> list[tuple[Any, ...]]:
                cursor.execute(query, values)
                return cursor.fetchall()

            yield ask

    def wait_for_row(self, query: str, *values: object) -> None:
        """Wait until the query finds a row, even if it is there only for a short time."""
        with self.connected() as ask:
            wait_for(lambda: ask(query, *values), ROW_SECONDS, f"{query} {values} finds something")

    def end(self, number: signal.Signals) -> None:
        """Kill the embedded server with a signal and wait until it has ended."""
        pid = self._server.pid()
        assert pid is not None, "PostgreSQL does not run"
        process = psutil.Process(pid)
        os.kill(pid, number)
        wait_for(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 30, "it is gone")


class Valkey:
    """The application's Redis."""

    def __init__(self, application: Application):
        self._application = application
        self._server = ValkeyServer(application.data)

    @cached_property
    def client(self) -> Redis:
        return Redis.from_url(self._application.environment.get("REDIS_URL") or self._server.url)

    @contextmanager
    def gone(self, seconds: float) -> Iterator[None]:
        """Kill the embedded server, and suspend its supervisor for `seconds`, so that it is not restarted."""
        with self._suspended(family(self._application, "supervisor valkey"), seconds):
            os.kill(self._pid(), signal.SIGKILL)
            yield

    @contextmanager
    def silent(self, seconds: float) -> Iterator[None]:
        """Let the embedded server accept connections but not answer for `seconds`."""
        with self._suspended([psutil.Process(self._pid())], seconds):
            yield

    @contextmanager
    def full(self, seconds: float) -> Iterator[None]:
        """Let the server reject every write for `seconds`, as if its memory were full."""
        before = self.client.config_get("maxmemory")["maxmemory"]  # type: ignore[index]
        until = time.monotonic() + seconds
        self.client.config_set("maxmemory", "1")
        try:
            yield
            _wait_until(until)
        finally:
            self.client.config_set("maxmemory", before)

    @contextmanager
    def _suspended(self, processes: list[psutil.Process], seconds: float) -> Iterator[None]:
        assert processes, "there is no process to suspend"
        until = time.monotonic() + seconds
        for process in processes:
            process.suspend()
        try:
            yield
            _wait_until(until)
        finally:
            for process in processes:
                process.resume()
        wait_for(self._server.answers, RESTART_SECONDS, "Redis is back")

    def _pid(self) -> int:
        pid = self._server.pid()
        assert pid is not None, "Valkey does not run"
        return pid


def _wait_until(until: float) -> None:
    """Wait for the end of an outage."""
    time.sleep(max(0.0, until - time.monotonic()))
