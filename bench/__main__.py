"""`make bench`: starts the application on embedded servers of its own and prints what it costs.

BENCH_ROWS sets the number of products (500,000 by default).
"""

import os
import time
from collections.abc import Iterator

import httpx
import psycopg2

from bench import search, webhooks
from bench.catalogue import csv_pieces
from tests.application import Application
from tests.waiting import wait_for

ROWS = int(os.environ.get("BENCH_ROWS", "500000"))
BOUNDARY = "benchmark"


def main() -> None:
    """Measure and print."""
    for variable in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(variable, None)
    application = Application(WORKERS="1")
    application.start()
    try:
        _import(application)
        print(f"while the index was behind, {search.behind(application.client)}", flush=True)
        _wait_for_index(application)
        with psycopg2.connect(database_url(application)) as connection:
            print_table(("question", "p50 ms", "p95 ms", "p95 in scans"), application, connection)
        print(f"\n| to a receiver that takes {webhooks.TAKES_SECONDS} s | measured |\n| --- | --- |")
        for line in webhooks.measure(application):
            print(f"| {' | '.join(line)} |", flush=True)
    finally:
        application.stop()
        application.remove()


def print_table(
    head: tuple[str, ...], application: Application, connection: "psycopg2.extensions.connection"
) -> None:
    """Print the figures as Markdown."""
    print(f"\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for line in search.measure(application.client, connection, ROWS):
        print(f"| {' | '.join(line)} |", flush=True)


def database_url(application: Application) -> str:
    """Return libpq's address of the application's embedded PostgreSQL."""
    return f"host={application.data / 'postgres' / 'socket'} user=postgres dbname=product_importer"


def _import(application: Application) -> None:
    def body() -> Iterator[bytes]:
        yield f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.csv"\r\n\r\n'.encode()
        yield from csv_pieces(ROWS)
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    kind = f"multipart/form-data; boundary={BOUNDARY}"
    answer = httpx.post(
        f"{application.url}/api/upload-csv", content=body(), headers={"content-type": kind}, timeout=900
    )
    began = time.monotonic()
    job = application.finished(answer.raise_for_status().json()["job_id"], 900)
    assert (job["status"], job["created"]) == ("completed", ROWS), job
    print(f"{ROWS:,} rows imported in {time.monotonic() - began:.1f} s", flush=True)


def _wait_for_index(application: Application) -> None:
    began = time.monotonic()
    with psycopg2.connect(database_url(application)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()

        def is_current() -> bool:
            cursor.execute("SELECT bool_and(is_indexed) FROM search_segment WHERE retired_at IS NULL")
            return cursor.fetchone() == (True,)

        wait_for(is_current, 1200, "the text index catches up")
    print(f"the text index caught up {time.monotonic() - began:.1f} s later", flush=True)


if __name__ == "__main__":
    main()
