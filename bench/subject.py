"""The application under test: complete, on its own embedded servers."""

import http.client
import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from psycopg2.extensions import connection as PgConnection
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from bench.catalogue import Catalogue
from product_importer.catalog.models import Product
from product_importer.catalog.search.indexer import MIN_CHANGES
from product_importer.core.embedded import postgres_account
from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.postgres_role import SUPERUSER
from product_importer.imports.models import FINAL
from tests.application import Application
from tests.superuser import let_in
from tests.waiting import wait_for

DATABASE = "product_importer"
BLOCK_BYTES = 1 << 20
SECONDS = 3600
# Background work after an import: search index and autovacuum.
IS_SETTLED = f"""
SELECT (SELECT coalesce(sum(number), 0) FROM product_change) < {MIN_CHANGES}
    AND NOT EXISTS (SELECT FROM search_segment WHERE retired_at IS NULL AND NOT is_indexed)
    AND NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()
        AND backend_type IN ('client backend', 'autovacuum worker')
    )
"""


@dataclass(frozen=True)
class Import:
    """One import: the seconds from the request's first byte to `completed`, and the finished job."""

    seconds: float
    job: dict


class Subject:
    """The application, started at its first use; `rows` is the number of products to measure with."""

    def __init__(self, rows: int):
        for variable in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(variable, None)
        self.rows = rows
        self._held: Catalogue | None = None

    @cached_property
    def application(self) -> Application:
        application = Application(WORKERS="1")
        application.start()
        let_in(application.data)
        return application

    def close(self) -> None:
        """Stop the application, if it was started, and delete its data."""
        application = self.__dict__.pop("application", None)
        self._held = None
        if application:
            application.stop()
            application.remove()

    def hold(self, catalogue: Catalogue) -> None:
        """Make the products those of a catalogue, and wait until the text index is up to date."""
        if self._held != catalogue:
            self.empty()
            self.run(catalogue.file())
            self._held = catalogue
        self.settle()

    def empty(self) -> None:
        """Delete every product."""
        wait_for(self._is_emptied, SECONDS, "no other query reads all products")
        self._held = None
        self.settle()

    def _is_emptied(self) -> bool:
        answer = self.application.client.delete("/api/products", params={"confirm": "true"})
        # After a large import the text index reads every product, for longer than the request waits.
        if answer.status_code == http.client.CONFLICT and "catalogue-busy" in answer.text:
            return False
        return answer.raise_for_status().is_success

    def settle(self, checkpoint: bool = True) -> None:
        """Wait for background work, so that no run is slowed by the one before; then make a checkpoint.

        After a checkpoint the first change of each page writes the whole page to the log.
        """
        with self.connect() as connection:
            wait_for(lambda: _is_true(connection, IS_SETTLED), SECONDS, "the background work is done")
            if checkpoint:
                connection.cursor().execute("CHECKPOINT")

    def run(self, path: Path) -> Import:
        """Import a file by REST and wait for its end."""
        began = time.monotonic()
        job = follow(self.application.url, send(self.application.url, path))
        seconds = time.monotonic() - began
        self._held = None
        assert job["status"] == "completed", job
        return Import(seconds, job)

    @contextmanager
    def connect(self, database: str = DATABASE) -> Iterator[PgConnection]:
        """A psycopg2 connection to the same server, in autocommit mode."""
        connection = psycopg2.connect(self.address(database))
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def address(self, database: str = DATABASE) -> str:
        """Return libpq's address of a database on the application's embedded PostgreSQL, as its superuser."""
        return f"host={self.socket} port=5432 user={SUPERUSER} dbname={database}"

    @property
    def socket(self) -> Path:
        """The folder of the embedded PostgreSQL's socket."""
        return PostgresServer(self.application.data).socket.parent

    def database(self, name: str) -> str:
        """Create a database on the same server that holds only the table of products; return its name."""
        with self.connect() as connection:
            cursor = connection.cursor()
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
        with self.connect(name) as connection:
            connection.cursor().execute(product_table())
        return name

    def psql(self, database: str, script: str) -> float:
        """Run a script in the psql that comes with the server; return the seconds it took."""
        program = postgres_account.programs() / "bin" / "psql"
        command = [str(program), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", self.address(database)]
        began = time.monotonic()
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        assert done.returncode == 0, done.stderr
        return seconds


def product_table() -> str:
    """Return the definition of the table of products: its columns, its primary key and its unique key."""
    return str(CreateTable(Product.__table__).compile(dialect=postgresql.dialect()))  # type: ignore[attr-defined, no-untyped-call]


def send(url: str, path: Path, copies: int = 1) -> str:
    """Upload a file as multipart/form-data, its bytes `copies` times; return the import's id."""
    boundary = uuid.uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'.encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
    connection.putrequest("POST", "/api/upload-csv")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={boundary}")
    connection.putheader("Content-Length", str(len(head) + sent_bytes(path, copies) + len(tail)))
    connection.endheaders(head)
    for _ in range(copies):
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                connection.send(block)
    connection.send(tail)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == http.client.ACCEPTED, body
    return str(json.loads(body)["job_id"])


def follow(url: str, job_id: str) -> dict:
    """Follow an import by its events until it ends, and return the job. Polling would slow it down."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
    connection.request("GET", f"/api/jobs/{job_id}/events")
    job: dict = {}
    for line in connection.getresponse():
        if line.startswith(b"data:"):
            job = json.loads(line.removeprefix(b"data:"))
            if job["status"] in FINAL:
                break
    connection.close()
    return job


def sent_bytes(path: Path, copies: int) -> int:
    return path.stat().st_size * copies


def _is_true(connection: PgConnection, query: str) -> bool:
    cursor = connection.cursor()
    cursor.execute(query)
    return bool(cursor.fetchone()[0])
