"""The application's PostgreSQL and Redis: questions to them from beside the application, and their ends."""

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
from tests.application import Application
from tests.faults.processes import family
from tests.waiting import wait_for

RESTART_SECONDS = 60


class Postgres:
    """The application's database. Every question opens a connection: the server may have been restarted."""

    def __init__(self, application: Application):
        self._server = PostgresServer(application.data)
        given = application.environment.get("DATABASE_URL")
        url = make_url(given or self._server.url).set(drivername="postgresql")
        self._url = url.render_as_string(hide_password=False)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.holding(query, *values) as rows:
            return rows

    @contextmanager
    def holding(self, query: str, *values: object) -> Iterator[list[tuple[Any, ...]]]:
        """Keep the query's transaction open for the block, and with it its locks, for as long as the server lives."""
        connection = psycopg2.connect(self._url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                yield cursor.fetchall() if cursor.description else []
        finally:
            with suppress(psycopg2.Error):
                connection.close()

    @contextmanager
    def connected(self) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
        """Give a function that asks on one connection, each time anew: a transaction would see one moment only."""
        connection = psycopg2.connect(self._url)
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:

            def ask(query: str, *values: object) -> list[tuple[Any, ...]]:
                cursor.execute(query, values)
                return cursor.fetchall()

            yield ask

    def wait_for_row(self, query: str, *values: object) -> None:
        """Wait until the query finds a row, which it may for a short time only."""
        with self.connected() as ask:
            wait_for(lambda: ask(query, *values), 60, f"{query} {values} finds something")

    def end(self, number: signal.Signals) -> None:
        """End the embedded server, SIGQUIT being what `pg_ctl -m immediate stop` sends, and wait until it is gone."""
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
        """Kill the embedded server for so long, and keep its supervisor from starting it again."""
        with self._still(family(self._application, "supervisor valkey"), seconds):
            os.kill(self._pid(), signal.SIGKILL)
            yield

    @contextmanager
    def silent(self, seconds: float) -> Iterator[None]:
        """Let the embedded server take connections and answer nothing for so long."""
        with self._still([psutil.Process(self._pid())], seconds):
            yield

    @contextmanager
    def full(self, seconds: float) -> Iterator[None]:
        """Let the server refuse every write for so long, as it does when its memory is used up."""
        before = self.client.config_get("maxmemory")["maxmemory"]  # type: ignore[index]
        until = time.monotonic() + seconds
        self.client.config_set("maxmemory", "1")
        try:
            yield
            _last(until)
        finally:
            self.client.config_set("maxmemory", before)

    @contextmanager
    def _still(self, processes: list[psutil.Process], seconds: float) -> Iterator[None]:
        assert processes, "there is nothing to hold still"
        until = time.monotonic() + seconds
        for process in processes:
            process.suspend()
        try:
            yield
            _last(until)
        finally:
            for process in processes:
                process.resume()
        wait_for(self._server.answers, RESTART_SECONDS, "Redis is back")

    def _pid(self) -> int:
        pid = self._server.pid()
        assert pid is not None, "Valkey does not run"
        return pid


def _last(until: float) -> None:
    """An outage is as long as it is: the one time that a test lets pass."""
    time.sleep(max(0.0, until - time.monotonic()))
