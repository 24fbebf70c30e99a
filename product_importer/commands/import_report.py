"""Texts of the command `import`: progress, summary, and the reason when an import does not succeed."""

import shutil
import sys
import time
from datetime import timedelta
from typing import Self, TextIO

from product_importer.core.logging.logs import escaped
from product_importer.imports.schemas import COUNTS, ImportRead

BAR_WIDTH = 30
# Between two lines where the output is not a terminal.
SAY_SECONDS = 5.0


class ProgressLine:
    """Progress: one line that is redrawn on a terminal, a new line every few seconds in a file or a pipe."""

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
        """Show the present state."""
        if self._stream.isatty():
            # A full line wraps on some terminals, and the next one would not cover it.
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]}\x1b[K", end="", file=self._stream, flush=True)
            self._is_drawn = True
        elif time.monotonic() - self._said_at >= self._say_seconds:
            print(text, file=self._stream, flush=True)
            self._said_at = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._leave()
        print(text, file=self._stream, flush=True)

    def say_redirected(self, host: str) -> None:
        """Print that a download was redirected to a host."""
        self.say(f"Redirected to {escaped(host)}.")

    def _leave(self) -> None:
        if self._is_drawn:
            print(file=self._stream, flush=True)
            self._is_drawn = False


def received(byte_count: int) -> str:
    """Return the progress line while a file is received."""
    return f"receiving: {byte_count / 1e6:,.1f} MB"


def sent(byte_count: int) -> str:
    """Return the progress line while a file is sent."""
    return f"sending: {byte_count / 1e6:,.1f} MB"


def progress_text(job: ImportRead) -> str:
    """Return the progress line of an import: bar, percent, phase, rows, speed and remaining time."""
    filled = int(BAR_WIDTH * job.percent / 100)
    words = [f"[{'#' * filled}{'-' * (BAR_WIDTH - filled)}] {job.percent:5.1f} %  {job.phase}", _rows(job)]
    if job.rows_per_second is not None:
        words.append(f"{job.rows_per_second:,} rows/s")
    if job.eta_seconds is not None:
        words.append(f"{job.eta_seconds:.0f} s left")
    return ", ".join(words)


def summary(job: ImportRead) -> str:
    """Return the result of an import that has ended: one line, and below it the counts."""
    first = f"{escaped(job.filename)}: {job.status}{' (nothing was changed)' if job.status == 'previewed' else ''}"
    if job.started_at and job.finished_at:
        first += f" in {_seconds(job.finished_at - job.started_at)}"
    if job.rows_per_second is not None:
        first += f", {job.rows_per_second:,} rows per second"
    return "\n".join([first, *(f"{getattr(job, count):>15,} {count}" for count in COUNTS)])


def rejects_hint(job: ImportRead) -> str:
    """Return how to get the rejected rows."""
    return (
        "To get the rejected rows, each with its line and reason, repeat the command with --rejects FILE,\n"
        f"or download /api/jobs/{job.id}/rejects from the web server."
    )


def reason(job: ImportRead, is_stopped: bool) -> str:
    """Return why an import did not succeed and what to do; `is_stopped`: after Ctrl-C."""
    filename = escaped(job.filename)
    if job.status == "failed" and job.error is not None:
        line = "" if job.error.line is None else f", line {job.error.line:,}"
        return (
            f"{filename}{line}: {escaped(job.error.message)} ({job.error.code})\n"
            "The counts above say what was imported. Correct the cause and import the file again; "
            "docs/file-format.md explains the code."
        )
    by = "you" if is_stopped else "somebody else"
    if job.status == "cancelled":
        return (
            f"{filename}: stopped by {by}. The counts above say what was imported. "
            "Import the file again to continue: rows that were imported count as unchanged."
        )
    return f"{filename}: ended with the unexpected status {job.status}: please report this."


def _rows(job: ImportRead) -> str:
    if job.total_rows is None:
        return f"{job.rows_read:,} rows read"
    return f"{job.processed_rows:,} of {job.total_rows:,} rows"


def _seconds(taken: timedelta) -> str:
    return f"{taken.total_seconds():.1f} s"
