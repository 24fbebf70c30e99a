"""The rows per second of a running import over time, measured from what was read or decided between two looks."""

from collections import deque
from dataclasses import dataclass, field

from product_importer.imports.models import ImportPhase
from product_importer.imports.schemas import ImportRead

# Writers commit many rows at once, so that a speed is that of some seconds.
WINDOW_SECONDS = 3.0
FIRST_STEP_SECONDS = 0.5
# Beyond it, every second point goes, and points come half as often.
MAX_POINTS = 120


@dataclass(frozen=True)
class Look:
    """How many rows were done at a moment of a clock that does not go back, in seconds."""

    at: float
    rows: int


@dataclass(frozen=True)
class SpeedPoint:
    """The rows per second of one part of the import, `second` seconds after its start; the other part has none."""

    second: float
    reading: int | None = None
    writing: int | None = None


@dataclass(frozen=True)
class Summary:
    """The part of an import that was measured last, its speed at the end, and its highest; empty before that."""

    part: str = ""
    now: int | None = None
    highest: int | None = None


@dataclass
class Speeds:
    """The speeds of one import."""

    points: list[SpeedPoint] = field(default_factory=list)
    _step: float = FIRST_STEP_SECONDS
    _phase: str = ""
    _looks: deque[Look] = field(default_factory=deque)

    def take(self, job: ImportRead, *, now: float, second: float) -> None:
        """Measure an import at a moment `now` of a clock that does not go back, `second` seconds after its start."""
        if job.phase not in (ImportPhase.READING, ImportPhase.MERGING, ImportPhase.PREVIEWING):
            return
        is_reading = job.phase == ImportPhase.READING
        self._look(job.phase, Look(now, job.rows_read if is_reading else job.processed_rows))
        speed = self._speed()
        if speed is not None and (not self.points or second - self.points[-1].second >= self._step):
            self._add(SpeedPoint(round(second, 1), *((speed, None) if is_reading else (None, speed))))

    def summary(self) -> Summary:
        """Return the speeds of the part that was measured last."""
        if not self.points:
            return Summary()
        last = self.points[-1]
        if last.reading is not None:
            return Summary("reading", last.reading, max(point.reading or 0 for point in self.points))
        part = "comparing" if self._phase == ImportPhase.PREVIEWING else "writing"
        return Summary(part, last.writing, max(point.writing or 0 for point in self.points))

    def _look(self, phase: str, look: Look) -> None:
        if phase != self._phase:
            self._phase = phase
            self._looks.clear()
        self._looks.append(look)
        while len(self._looks) > 2 and look.at - self._looks[1].at >= WINDOW_SECONDS:
            self._looks.popleft()

    def _speed(self) -> int | None:
        """Return the rows per second of the last seconds; None as long as these are too few."""
        first, last = self._looks[0], self._looks[-1]
        passed = last.at - first.at
        return max(0, round((last.rows - first.rows) / passed)) if passed >= FIRST_STEP_SECONDS else None

    def _add(self, point: SpeedPoint) -> None:
        self.points.append(point)
        if len(self.points) > MAX_POINTS:
            self.points = self.points[::2]
            self._step *= 2
