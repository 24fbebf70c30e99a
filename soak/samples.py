"""Take samples of all that must stay flat: memory, handles, connections, disk, tables."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from redis.exceptions import RedisError

from bench.memory import share, shared_memory
from soak.ledger import Ledger
from soak.subject import Subject, processes
from tests.faults.leftovers import Leftovers

MEBIBYTE = 2**20
Sample = dict[str, float]
# These are kept for a time that is longer than a run: their rows may become more, not larger.
HISTORY = (
    "audit_event", "event", "import_job", "import_reject_count", "import_row_error", "webhook_attempt",
    "webhook_delivery",
)  # fmt: skip
POSTGRES = "PostgreSQL"
# They fill up to their limit, and anew after each kill.
SHARED_BUFFERS = "PostgreSQL: shared buffers, MB"
# A fresh table is hardly filled.
MIN_ROWS = 500
# A table that has just been dropped has no size.
TABLES = """
SELECT relname, coalesce(pg_total_relation_size(oid), 0) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""
SERVER = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),
    (SELECT count(*) FROM pg_class), (SELECT count(*) FROM product),
    (SELECT count(*) FROM search_segment WHERE retired_at IS NULL), (SELECT count(*) FROM import_range)
"""
SERVER_NAMES = (
    "PostgreSQL connections", "PostgreSQL relations", "products", "segments of the text index", "ranges of imports"
)  # fmt: skip
# What ended so long ago ends a week earlier, so that files and undo data expire within the run.
AGED = "3 minutes"
AGE = f"""
UPDATE import_job SET finished_at = finished_at - interval '8 days'
WHERE status IN ('completed', 'failed', 'cancelled', 'previewed')
    AND finished_at BETWEEN now() - interval '1 day' AND now() - interval '{AGED}'
RETURNING 1
"""
AGE_RESTORED = f"""
UPDATE import_undo_restored SET restored_at = restored_at - interval '8 days'
WHERE restored_at BETWEEN now() - interval '1 day' AND now() - interval '{AGED}' RETURNING 1
"""


class Sampler:
    """Takes samples in a thread; `samples` has those of the block, each with the seconds since its beginning."""

    def __init__(self, subject: Subject, ledger: Ledger, seconds: float):
        self.samples: list[tuple[float, Sample]] = []
        self._subject, self._ledger, self._seconds = subject, ledger, seconds
        self._over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take samples during the block."""
        thread = threading.Thread(target=self._take_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(120)

    def _take_on(self) -> None:
        began = time.monotonic()
        while not self._over.wait(self._seconds):
            with self._ledger.blaming("a sample"):
                for end in self._subject.keep_spared():
                    self._ledger.blame(end)
                self.samples.append((time.monotonic() - began, self.take()))

    def take(self) -> Sample:
        """Return all figures of this moment, without those of a server that has just been killed."""
        sample: Sample = {}
        for measure in (self._processes, self._disk, self._database, self._redis):
            # Files and processes come and go.
            with suppress(psycopg2.Error, RedisError, OSError, psutil.Error):
                sample |= measure()
        return sample

    def _processes(self) -> Sample:
        sample: Sample = {}
        for kind, members in sorted(processes(self._subject.data).items()):
            if members:
                sample[f"{kind}: memory, MB"] = total(members, share) / MEBIBYTE
                if kind == POSTGRES:
                    sample[SHARED_BUFFERS] = total(members, shared_memory) / MEBIBYTE
                    sample[f"{kind}: memory, MB"] -= sample[SHARED_BUFFERS]
                sample[f"{kind}: handles"] = total(members, lambda process: process.num_fds())
                sample[f"{kind}: threads"] = total(members, lambda process: process.num_threads())
        return sample

    def _disk(self) -> Sample:
        data = self._subject.data
        uploads = data / "uploads"
        left = Leftovers(self._subject.application, self._subject.postgres)
        return {
            "uploads: files": sum(1 for _ in uploads.iterdir()),
            "uploads: MB": size(uploads),
            "spool: files, also without a name": len(left.open_spools()),
            "WAL: MB": size(data / "postgres" / "data" / "pg_wal"),
            "Valkey: files, MB": size(data / "valkey" / "data"),
            "logs: MB": size(data / "logs"),
        }

    def _database(self) -> Sample:
        ask = self._subject.postgres.ask
        with self._subject.postgres.connected() as write:
            write(AGE)
            write(AGE_RESTORED)
        sample: Sample = dict(zip(SERVER_NAMES, map(float, ask(SERVER)[0]), strict=True))
        sizes: dict[str, float] = {}
        for name, taken in ask(TABLES):
            plain = re.sub(r"_?[0-9a-f]{32}|\d+", "", name)
            sizes[plain] = sizes.get(plain, 0) + taken
        for name in HISTORY:
            [(rows,)] = ask(f"SELECT count(*) FROM {name}")
            taken = sizes.pop(name)
            if rows >= MIN_ROWS:
                sample[f"table {name}: bytes a row"] = taken / rows
        sample |= {f"table {name}: MB": taken / MEBIBYTE for name, taken in sizes.items() if taken > MEBIBYTE}
        return sample

    def _redis(self) -> Sample:
        client = self._subject.valkey.client
        information: Any = client.info()
        keyspace = information.get("db0", {"keys": 0, "expires": 0})
        return {
            "Valkey connections": float(information["connected_clients"]),
            # A job that was killed leaves one that expires in an hour, which is as long as a run.
            "Valkey keys that do not expire": float(keyspace["keys"] - keyspace["expires"]),
        }


def total(members: list[psutil.Process], figure: Callable[[psutil.Process], float]) -> float:
    """Return the sum of a figure; a process that has ended meanwhile has none."""
    found = 0.0
    for process in members:
        with suppress(psutil.Error, OSError):
            found += figure(process)
    return found


def size(folder: Path) -> float:
    """Return the MB that the files in a folder take."""
    found = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            found += path.stat().st_blocks * 512
    return found / MEBIBYTE
