"""Kill everything that may be killed, in random order at random moments."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

from soak.ledger import Ledger
from soak.subject import JOB, Subject, processes

VICTIMS = ("web", "import worker", JOB, "webhook worker", "PostgreSQL", "Valkey", "everything")
# The first process of PostgreSQL is enough; a machine that ends takes all others with it.
FIRST_ONLY = ("PostgreSQL", "import worker", JOB)
EVERYTHING = ("web", "import worker", JOB, "webhook worker")
BACK_SECONDS = 120


class Killer:
    """Kills one victim after the other until the end of the block."""

    def __init__(self, subject: Subject, ledger: Ledger, seed: str, pause: tuple[float, float]):
        self._subject, self._ledger, self._pause = subject, ledger, pause
        self._random = Random(f"{seed} killer")
        self._over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Kill during the block."""
        thread = threading.Thread(target=self._kill_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join(BACK_SECONDS * 2)

    def _kill_on(self) -> None:
        while True:
            for victim in self._random.sample(VICTIMS, len(VICTIMS)):
                if self._over.wait(self._random.uniform(*self._pause)):
                    return
                with self._ledger.blaming(f"after {victim} was killed"):
                    self._kill(victim)
                    self._wait_until_back()

    def _kill(self, victim: str) -> None:
        found = processes(self._subject.data)
        names = EVERYTHING if victim == "everything" else (victim,)
        pids = [process.pid for name in names for process in found.get(name, [])]
        for pid in pids[:1] if victim in FIRST_ONLY else pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._ledger.killed(victim)

    def _wait_until_back(self) -> None:
        deadline = time.monotonic() + BACK_SECONDS
        while not self._subject.is_ready():
            assert time.monotonic() < deadline, f"the application is not ready after {BACK_SECONDS} s"
            time.sleep(0.5)
