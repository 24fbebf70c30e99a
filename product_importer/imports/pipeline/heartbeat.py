"""Renew the lease and publish the progress of a working import in a thread of its own, so that work never waits."""

import logging
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Self

import psycopg2
from psycopg2 import sql

from product_importer.imports import progress
from product_importer.imports.models import FINAL, ImportPhase
from product_importer.imports.pipeline import range_claims
from product_importer.imports.pipeline.lease import LEASE_SECONDS, RENEW_SECONDS, Lease, LeaseLost
from product_importer.imports.pipeline.steady import SteadyEstimate
from product_importer.imports.progress import WorkerProgress
from product_importer.imports.schemas import ALL_COUNTS

log = logging.getLogger(__name__)

SHOW_SECONDS = 0.2
# While a file is read nothing is committed, so that only this thread stores its progress.
READING_SECONDS = 0.5
# The progress, of the run or of its phase, that a pace needs: writers commit in steps of some percent.
MIN_RUN_PERCENT = 1.0
MIN_PHASE_PERCENT = 10.0
RENEW = sql.SQL("""
lease_until = now() + make_interval(secs => %(lease)s), percent = greatest(percent, %(percent)s),
rows_read = greatest(rows_read, %(rows_read)s)
""")


class Stopped(Exception):
    """The work was asked to stop; what is committed stays."""


@dataclass(frozen=True)
class _ProgressPoint:
    """The progress at a moment of the monotonic clock, to compute the pace since."""

    at: float
    percent: float
    rows: int


class Heartbeat:
    """A context manager around the work. The worker's threads set its plain fields, and its own thread reads them.

    `bytes_read` and `rows_read` count what was read, `row` is the job's row as last committed. `halted` is set when
    the work should stop after its current range or chunk: it was cancelled (`cancelled`), or taken over.
    """

    def __init__(self, lease: Lease):
        self._lease = lease
        self._min_percent = lease.job.percent
        self.row: dict[str, Any] = lease.job.model_dump()
        self.bytes_read = 0
        self.rows_read = 0
        self._began = self._phase_began = self._now()
        # Only the heartbeat's own thread uses it.
        self._steady = SteadyEstimate()
        self.halted = threading.Event()
        self.cancelled = lease.job.cancel_requested_at is not None
        self._row_lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        if self.cancelled:
            self.halted.set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        # First, so that whoever watches sees the end at once, even if the thread waits for a connection.
        end = replace(self.pace(), eta_seconds=None)
        self._publish(end)
        self._thread.join()
        # Again, because the thread may have published its estimate in between.
        self._publish(end)

    def committed(self, row: dict[str, Any]) -> None:
        """Take the job's row as a transaction has just committed it."""
        with self._row_lock:
            # Writers may report in another order than they committed: the row with more outcomes is newer.
            if _decided(row) < _decided(self.row):
                return
            entered, self.row = row["phase"] != self.row["phase"], row
            if entered:
                self._phase_began = self._now()
                # What an earlier worker, or a dry run, has read says nothing about the pace of this run.
                self._began = self._began if self.bytes_read else self._phase_began
        if row["status"] in FINAL:
            self._done.set()
        self._notice_cancel(row)

    def stop_if_halted(self) -> None:
        """Stop the work if it should stop; call where nothing is half done.

        Raises:
            Stopped: it should stop.
        """
        if self.halted.is_set():
            raise Stopped

    @property
    def percent(self) -> float:
        """Percent done; never less than before, even if that was another worker."""
        self._min_percent = max(self._min_percent, self._computed_percent())
        return round(self._min_percent, 1)

    def _computed_percent(self) -> float:
        row = self.row
        # The last step to 100 belongs to the finish.
        return min(
            99.9,
            progress.percent_of(
                row["phase"],
                read=self.bytes_read / max(1, row["size_bytes"]),
                merged=_decided(row) / max(1, row["total_rows"] or 1),
            ),
        )

    def pace(self) -> WorkerProgress:
        """Return the seconds left and the rows per second; the latter in the current phase."""
        now = self._now()
        seconds = now.at - self._phase_began.at
        return WorkerProgress(
            eta_seconds=_seconds_left(self._phase_began, now, MIN_PHASE_PERCENT)
            or _seconds_left(self._began, now, MIN_RUN_PERCENT),
            rows_per_second=max(0, round((now.rows - self._phase_began.rows) / seconds)) if seconds > 0.5 else None,
        )

    def _now(self) -> _ProgressPoint:
        return _ProgressPoint(time.monotonic(), self._computed_percent(), self._rows())

    def _rows(self) -> int:
        return self.rows_read if self.row["phase"] == ImportPhase.READING else _decided(self.row)

    def _beat(self) -> None:
        renewed = time.monotonic()
        while not self._done.wait(SHOW_SECONDS):
            every = READING_SECONDS if self.row["phase"] == ImportPhase.READING else RENEW_SECONDS
            if time.monotonic() - renewed > every:
                self._renew()
                renewed = time.monotonic()
            pace = self.pace()
            self._publish(replace(pace, eta_seconds=self._steady.take(time.monotonic(), pace.eta_seconds)))

    def _publish(self, pace: WorkerProgress) -> None:
        progress.publish(self._lease.job.id, self._lease.fence, pace)

    def _renew(self) -> None:
        values = {"lease": LEASE_SECONDS, "percent": self.percent, "rows_read": self.rows_read}
        try:
            with self._lease.connect() as connection, self._lease.transaction(connection):
                range_claims.renew(connection, self._lease.job.id, self._lease.holder)
                row = self._lease.write(connection, RENEW, **values)
            self._notice_cancel(row)
            # Other workers may have written ranges since; what this one commits at the same time may be newer.
            if row["phase"] == self.row["phase"]:
                self.committed(row)
        except LeaseLost:
            # The lease also ends with the work itself: then `_done` is set a moment later.
            if not self._done.wait(SHOW_SECONDS):
                log.warning("import %s: another worker has taken over", self._lease.job.id)
                self.halted.set()
                self._done.set()
        except psycopg2.Error as error:
            # Nothing to decide here: the work itself meets the same error, or the lease runs out.
            log.warning("import %s: the lease could not be renewed: %s", self._lease.job.id, error)

    def _notice_cancel(self, row: dict[str, Any]) -> None:
        if row["cancel_requested_at"] is not None:
            self.cancelled = True
            self.halted.set()


def _decided(row: dict[str, Any]) -> int:
    return int(sum(row[count] for count in ALL_COUNTS))


def _seconds_left(since: _ProgressPoint, now: _ProgressPoint, min_percent: float) -> float | None:
    """Return the seconds to 100 % at the pace since a moment; None if that gained no more than `min_percent`."""
    gained = now.percent - since.percent
    return round((now.at - since.at) * (100 - now.percent) / gained, 1) if gained > min_percent else None
