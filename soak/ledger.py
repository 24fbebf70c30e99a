"""What was done and what was wrong, gathered from all threads of a run."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MAX_SHOWN = 40


class Ledger:
    """Counts of operations, of the events that they must have led to, of kills, and everything that was wrong."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self.done: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self.doubts: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.wrong: list[str] = []

    def note(self, operation: str) -> None:
        """Count an operation that went as it must."""
        with self._lock:
            self.done[operation] += 1

    def expect(self, event_type: str) -> None:
        """Count an event that the application must have recorded."""
        with self._lock:
            self.events[event_type] += 1

    def doubt(self, event_type: str) -> None:
        """Count an event that the application may have recorded, because a request had no answer."""
        with self._lock:
            self.doubts[event_type] += 1

    def killed(self, victim: str) -> None:
        """Count a kill."""
        with self._lock:
            self.kills[victim] += 1

    def blame(self, what: str) -> None:
        """Keep something that is wrong, and print it at once."""
        line = f"after {time.monotonic() - self._began:,.0f} s: {what}"
        with self._lock:
            self.wrong.append(line)
            if len(self.wrong) <= MAX_SHOWN:
                print(f"WRONG {line}", flush=True)

    def check(self, is_right: object, what: str) -> bool:
        """Keep `what` unless it is right; return whether it is."""
        if not is_right:
            self.blame(what)
        return bool(is_right)

    @contextmanager
    def blaming(self, whom: str) -> Iterator[None]:
        """Keep any error of a block as something that is wrong."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - all of them are findings
            self.blame(f"{whom}: {error!r}"[:2_000])
