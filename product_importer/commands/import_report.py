"""What the command `import` tells people: how far it is, what became of the rows, and why it did not succeed."""

import shutil
import sys
import time
from datetime import timedelta
from typing import Self, TextIO

from product_importer.core.logs import escaped
from product_importer.imports.schemas import COUNTS, ImportRead

BAR_WIDTH = 30
# Where there is no terminal, a line is printed so often.
SAY_SECONDS = 5.0


class ProgressLine:
    """One line on a terminal that is drawn anew; in a file or a pipe a new line every few seconds."""

    def __init__(self, stream: TextIO | None = None, say_seconds: float = SAY_SECONDS):
        self._stream = stream or sys.stderr
        self._say_seconds = say_seconds
        self._said_at = time.monotonic()
        self._is_drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def show(self, text: str) -> None:
        """Say how it is now."""
        if self._stream.isatty():
            # A full line would wrap on some terminals, and the next one would not cover it.
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]}\x1b[K", end="", file=self._stream, flush=True)
            self._is_drawn = True
        elif time.monotonic() - self._said_at >= self._say_seconds:
            print(text, file=self._stream, flush=True)
            self._said_at = time.monotonic()

    def say(self, text: str) -> None:
        """Say something that stays."""
        self._leave()
        print(text, file=self._stream, flush=True)

    def _leave(self) -> None:
        if self._is_drawn:
            print(file=self._stream, flush=True)
            self._is_drawn = False


def received(byte_count: int) -> str:
    """Return the line for a file that is on its way in."""
    return f"receiving: {byte_count / 1e6:,.1f} MB"


def how_far(job: ImportRead) -> str:
    """Return the line for an import: a bar, percent, rows, and what is known of its pace."""
    filled = int(BAR_WIDTH * job.percent / 100)
    words = [f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}] {job.percent:5.1f} %  {job.phase}", _rows(job)]
    if job.rows_per_second is not None:
        words.append(f"{job.rows_per_second:,} rows/s")
    if job.eta_seconds is not None:
        words.append(f"{job.eta_seconds:.0f} s left")
    return ", ".join(words)


def summary(job: ImportRead) -> str:
    """Return what became of an import that has ended: a sentence, and the counts in a column."""
    first = f"{escaped(job.filename)}: {job.status}{' (nothing was changed)' if job.status == 'previewed' else ''}"
    if job.started_at and job.finished_at:
        first += f" in {_seconds(job.finished_at - job.started_at)}"
    if job.rows_per_second is not None:
        first += f", {job.rows_per_second:,} rows per second"
    return "\n".join([first, *(f"{getattr(job, count):>15,} {count}" for count in COUNTS)])


def rejects_hint(job: ImportRead) -> str:
    """Return how to get the rows that were rejected."""
    return (
        "The rejected rows, each with its line and the reason: the same command with --rejects FILE,\n"
        f"or, where the web server runs, /api/jobs/{job.id}/rejects"
    )


def reason(job: ImportRead, is_stopped: bool) -> str:
    """Return why an import did not end as it should have, and what to do; `is_stopped`: somebody pressed Ctrl-C."""
    filename = escaped(job.filename)
    if job.status == "failed" and job.error is not None:
        line = "" if job.error.line is None else f", line {job.error.line:,}"
        return (
            f"{filename}{line}: {escaped(job.error.message)} ({job.error.code})\n"
            "What is counted above is in the catalogue. Correct the cause and import the file again; "
            "docs/file-format.md explains the code."
        )
    by = "you" if is_stopped else "somebody else"
    if job.status == "cancelled":
        return (
            f"{filename}: stopped by {by}. What is counted above is in the catalogue, the rest is not. "
            "Import the file again to go on: what is in already counts as unchanged."
        )
    return f"{filename}: ended as {job.status}, which was not asked for. This is our fault."


def _rows(job: ImportRead) -> str:
    if job.total_rows is None:
        return f"{job.rows_read:,} rows read"
    return f"{job.processed_rows:,} of {job.total_rows:,} rows"


def _seconds(taken: timedelta) -> str:
    return f"{taken.total_seconds():.1f} s"
