"""Measure lists of products under load, beside pgbench with the same statements: `python -m bench.load`.

It needs wrk (Debian's package `wrk`). BENCH_ROWS sets the number of products, BENCH_SECONDS the length of each run.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import psycopg2
from sqlalchemy import create_engine, event
from sqlmodel import Session

from bench import machine, processes, results
from bench.catalogue import Catalogue
from bench.subject import Subject, send
from product_importer.catalog.schemas import ProductQuery
from product_importer.catalog.search import product_query
from product_importer.catalog.search.keyset import page_start
from product_importer.core import db
from product_importer.core.embedded import postgres_account

ROWS = int(os.environ.get("BENCH_ROWS", "100000"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
CONNECTIONS = 32
STREAMS, PAGES = 1_000, 300
HEAD = ("what", "a second", "p50, ms", "p99, ms", "of pgbench")
PROCESSES = (1, 2)
LISTS, HEALTH = "/api/products?page_size=50", "/api/health"


@dataclass(frozen=True)
class Rate:
    """Answers a second, and the milliseconds in which half of them and 99 % of them came."""

    a_second: float
    p50: float
    p99: float

    def line(self, what: str, pgbench: "Rate") -> tuple[str, ...]:
        """Return the line of a table."""
        share = f"{self.a_second / pgbench.a_second:.2f}"
        return what, f"{self.a_second:,.0f}", f"{self.p50:.1f}", f"{self.p99:.1f}", share


def main() -> int:
    """Measure, and print the table."""
    if shutil.which("wrk") is None:
        raise SystemExit("bench: wrk is missing; on Debian: apt-get install wrk")
    print(f"{ROWS:,} products on {machine.description()}; {machine.versions()}", flush=True)
    subject = Subject(ROWS)
    try:
        lines = []
        for line in (line for number in PROCESSES for line in _with_processes(subject, number)):
            print("  ".join(line), flush=True)
            lines.append(line)
    finally:
        subject.close()
    print(results.table(HEAD, lines), end="")
    return 0


def _with_processes(subject: Subject, number: int) -> Iterator[tuple[str, ...]]:
    """Measure with a number of web processes, without and with open streams and pages; then pgbench again."""
    _start(subject, number)
    named = f"web processes: {number}"
    before = pgbench(subject)
    yield before.line(f"pgbench beside {named}", before)
    yield wrk(subject, LISTS).line(f"lists, {named}", before)
    yield wrk(subject, HEALTH).line(f"health, {named}", before)
    with holding(subject, streams=STREAMS, pages=PAGES):
        yield wrk(subject, LISTS).line(f"lists beside {STREAMS:,} streams and {PAGES} pages, {named}", before)
    yield pgbench(subject).line(f"pgbench once more, {named}", before)


def _start(subject: Subject, number: int) -> None:
    """Start the application with so many web processes; the first start imports the products."""
    application = subject.__dict__.get("application")
    if application is None:
        os.environ["WEB_PROCESSES"] = str(number)
        subject.hold(Catalogue(ROWS))
        return
    application.stop()
    application.environment |= {"WEB_PROCESSES": str(number)}
    application.start()


def wrk(subject: Subject, path: str) -> Rate:
    """Ask for a path over 32 connections, after a short run that nobody counts."""
    address = f"{subject.application.url}{path}"
    for seconds in (2, SECONDS):
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "30s", address]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "Non-2xx" not in said and "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found, said
    return Rate(float(found[1]), _percentile(said, "50%"), _percentile(said, "99%"))


def _percentile(said: str, name: str) -> float:
    found = re.search(rf"{name}\s+([\d.]+)(us|ms|s)\b", said)
    assert found, said
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def pgbench(subject: Subject) -> Rate:
    """Run the statements of such a list over as many connections, straight at PostgreSQL."""
    program = postgres_account.programs() / "bin" / "pgbench"
    with TemporaryDirectory() as folder:
        script = Path(folder) / "list.sql"
        script.write_text(";\n".join(statements(subject)) + ";\n")
        options = ["-n", "-c", str(CONNECTIONS), "-j", "1", "-T", str(SECONDS), "-f", str(script)]
        command = [str(program), *options, "--log", f"--log-prefix={folder}/log", subject.address()]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        taken = sorted(
            int(line.split()[2]) / 1000 for log in Path(folder).glob("log.*") for line in log.open(encoding="ascii")
        )
    found = re.search(r"tps = ([\d.]+)", said)
    assert found, said
    return Rate(float(found[1]), taken[len(taken) // 2], taken[len(taken) * 99 // 100])


def statements(subject: Subject) -> list[str]:
    """Return the messages that a list of products sends to PostgreSQL, with their values, as pgbench reads them."""
    seen: list[str] = []

    def note(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        seen.append(cursor.mogrify(statement, parameters).decode())

    def connect() -> Any:
        return psycopg2.connect(subject.address())

    engine = create_engine("postgresql+psycopg2://", creator=connect)
    event.listen(engine, "begin", db._set_up_transaction)
    event.listen(engine, "before_cursor_execute", db._set_up_statement, retval=True)
    event.listen(engine, "after_cursor_execute", note)
    query = ProductQuery.model_validate({"page_size": 50})
    with Session(engine) as session:
        product_query.find(session, query, page_start(query))
    engine.dispose()
    # What is one message to PostgreSQL is one in pgbench, too.
    return [message.replace("; ", " \\; ") for message in seen]


@contextmanager
def holding(subject: Subject, streams: int, pages: int) -> Iterator[None]:
    """Hold event streams of a waiting import and pages with the list of products open, in a process of their own."""
    with ExitStack() as stack:
        worker = processes.roots(subject.application.data)["worker"]
        for process in processes.tree(worker):
            _pause(process, stack)
        job_id = send(subject.application.url, Catalogue(1_000, suffix="-W").file())
        command = [sys.executable, "-m", "bench.held", subject.application.url, job_id, str(streams), str(pages)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdin and holder.stdout
            stack.callback(holder.terminate)
            assert holder.stdout.readline().strip() == "open", "the streams and pages do not open"
            # What a page does when it opens is over.
            time.sleep(5)
            yield
            assert holder.poll() is None, "a stream or a page was closed"
            holder.terminate()


def _pause(process: psutil.Process, stack: ExitStack) -> None:
    process.suspend()
    stack.callback(process.resume)


if __name__ == "__main__":
    sys.exit(main())
