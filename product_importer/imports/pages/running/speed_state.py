"""State of the chart of an import's speed; kept as long as its page is open."""

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import reflex as rx

from product_importer.imports.models import ImportStatus
from product_importer.imports.pages.running.speeds import Speeds
from product_importer.imports.schemas import ImportRead
from product_importer.ui.formatting import number


class SpeedState(rx.State):
    """The speeds of the import that one browser tab shows."""

    # Each has the keys of a `SpeedPoint`.
    points: list[dict[str, Any]] = []  # noqa: RUF012 - Reflex copies it for each tab
    # The part of the import that was measured last, and its speeds in words.
    part: str = ""
    now: str = ""
    highest: str = ""
    _run: str = ""
    _speeds: Speeds = Speeds()

    def _begin(self, run: str) -> None:
        self._run, self._speeds = run, Speeds()
        self._show()

    def _show(self) -> None:
        summary = self._speeds.summary()
        self.points = [asdict(point) for point in self._speeds.points]
        self.part, self.now, self.highest = summary.part, number(summary.now), number(summary.highest)


def measure(state: SpeedState, job: ImportRead) -> None:
    """Measure an import; another import, or another run of it, begins a new chart."""
    if job.status != ImportStatus.PROCESSING or job.started_at is None:
        if str(job.id) not in state._run:
            state._begin("")
        return
    if (run := f"{job.id} {job.started_at}") != state._run:
        state._begin(run)
    known = len(state._speeds.points)
    second = (datetime.now(UTC) - job.started_at).total_seconds()
    state._speeds.take(job, now=time.monotonic(), second=max(0.0, second))
    if len(state._speeds.points) != known:
        state._show()
