"""Compare imports of the same file by one, two and four workers, each limited to a share of a core.

`python -m bench.several_workers` needs root on Linux. BENCH_ROWS sets the number of products, BENCH_SHARE the share,
BENCH_ROUNDS how often all is measured. Only PostgreSQL, Redis and workers run: no web process, and so no upkeep of
the text index.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from bench import machine, processes, throttle
from bench.catalogue import Catalogue
from bench.results import median, ratio, table
from product_importer import migrations
from product_importer.catalog import service as catalog
from product_importer.commands.process_manager import kill_session
from product_importer.core import db, queue
from product_importer.core.embedded import servers
from product_importer.core.ids import new_id
from product_importer.imports.models import FINAL
from product_importer.imports.options import parse
from product_importer.imports.progress import current
from product_importer.imports.service import RUN_IMPORT
from product_importer.imports.upload.receiver import IncomingUpload
from tests.application import ROOT, data_folder
from tests.faults.processes import suspended
from tests.waiting import wait_for

ROWS = int(os.environ.get("BENCH_ROWS", "500000"))
SHARE = float(os.environ.get("BENCH_SHARE", "0.25"))
SERVER_SHARE = 1.0
COUNTS = (1, 2, 4)
# One is left to small imports.
SPARE = 1
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = 600
LOOK_SECONDS = 0.02
BLOCK_BYTES = 1 << 20
HEAD = ("file", *(f"{count} workers, s" if count > 1 else "1 worker, s" for count in COUNTS), "2 : 1", "4 : 1")


def main() -> int:
    """Measure and print a table; return 0."""
    data = data_folder()
    for variable in ("DATABASE_URL", "REDIS_URL", "UPLOAD_DIR"):
        os.environ.pop(variable, None)
    os.environ["DATA_DIR"] = str(data)
    print(
        f"{ROWS:,} rows on {machine.description()}; each worker has {SHARE:g} of a core, PostgreSQL {SERVER_SHARE:g}",
        flush=True,
    )
    try:
        migrations.migrate()
        with started(data.parent / "output.log") as workers:
            lines = measure(workers, data.parent / "output.log")
    finally:
        db.engine().dispose()
        servers.stop()
        shutil.rmtree(data.parent)
    print(table(HEAD, lines), end="")
    return 0


@contextmanager
def started(output: Path) -> Iterator[list[psutil.Process]]:
    """Run all workers during the block, each limited to its share."""
    command = [sys.executable, "-m", "product_importer", "worker"]
    with ExitStack() as stack:
        log = stack.enter_context(output.open("w"))
        workers = []
        for _ in range(max(COUNTS) + SPARE):
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
            stack.callback(process.wait)
            stack.callback(kill_session, process.pid)
            workers.append(psutil.Process(process.pid))
        wait_until_live(len(workers))
        with db.engine().connect() as connection:
            raw: Any = connection.connection.driver_connection
            server = processes.postgres(raw)
        groups = [(members(worker), SHARE) for worker in workers]
        with throttle.limited([*groups, (members(server), SERVER_SHARE)]):
            yield workers


def members(root: psutil.Process) -> list[int]:
    return [process.pid for process in processes.tree(root)]


def wait_until_live(count: int) -> None:
    """Wait until so many workers count as alive: one that was suspended does so for some seconds more."""
    wait_for(lambda: queue.live_workers("imports") == count, SECONDS, f"{count} workers live")


def give_to_suspended(count: int) -> None:
    """Let each worker have a job that does nothing: Redis would give a suspended one the next import."""
    for _ in range(count):
        queue.enqueue(RUN_IMPORT, new_id())


def measure(workers: list[psutil.Process], output: Path) -> list[tuple[str, ...]]:
    """Measure three kinds of files, with each number of workers in turn; return the lines of the table."""
    files = {
        "all new": Catalogue(ROWS),
        "all unchanged": Catalogue(ROWS),
        "all changed": Catalogue(ROWS, revised=1, edition=2),
    }
    taken: dict[str, list[list[float]]] = {name: [[] for _ in COUNTS] for name in files}
    for number in range(ROUNDS):
        for place, count in enumerate(COUNTS):
            with suspended(workers[count + SPARE :]):
                wait_until_live(count + SPARE)
                give_to_suspended(len(workers))
                db.run(catalog.delete_all_products)
                for name, file in files.items():
                    taken[name][place].append(seconds(file.file(), count, output))
        print(
            f"round {number + 1}: { {name: [one[-1] for one in kinds] for name, kinds in taken.items()} }", flush=True
        )
    return [line(name, columns) for name, columns in taken.items()]


def line(name: str, columns: list[list[float]]) -> tuple[str, ...]:
    cells = [f"{median(column):.2f}" for column in columns]
    return (name, *cells, *(f"{ratio(column, columns[0]):.2f}" for column in columns[1:]))


def seconds(path: Path, count: int, output: Path) -> float:
    """Import a file; return the seconds from the end of its upload until it is completed."""
    helped = output.read_text().count(": helping as ")
    with db.engine().connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE product")
    with IncomingUpload(path.name) as incoming, path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            incoming.write(block)
        job_id = incoming.accept(parse({})).id
    began = time.monotonic()
    while (job := current(job_id)).status not in FINAL:
        assert time.monotonic() - began < SECONDS, job
        time.sleep(LOOK_SECONDS)
    took = time.monotonic() - began
    helped = output.read_text().count(": helping as ") - helped
    assert job.status == "completed" and job.processed_rows == ROWS, job
    assert (helped > 0) == (count > 1), f"{helped} workers have helped with {count}"
    return round(took, 2)


if __name__ == "__main__":
    sys.exit(main())
