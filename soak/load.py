"""Run everything at once: people on their shelves, readers, and whoever kills; each in a thread of its own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from soak.client import Answer, Client
from soak.ledger import Ledger
from soak.shelf import Shelf
from soak.subject import Subject
from soak.work import WORK, thin_out

SHELVES = ("Red", "Blue", "Green")
# Between two pieces of work of one person: steady, and not as much as possible.
PAUSE_SECONDS = (1.0, 4.0)
READ_SECONDS = (0.2, 1.5)
TURNS_PER_CHECK = 4
FORMATS = ("csv", "xlsx", "jsonl", "parquet")
SEARCHES = ("Edited", "größ", "Ωμέγα", "plain 1", "with", "zzz", "text of product 4")
EXPORT_SHARE = 0.05
ROUTES = ("/api/jobs", "/api/health", "/metrics", "/api/webhooks", "/api/audit", "/products", "/imports")
JOIN_SECONDS = 600


class Load:
    """The steady load, between `with` and its end."""

    def __init__(self, subject: Subject, ledger: Ledger, seed: str):
        self.shelves = [Shelf(name, seed, subject, ledger) for name in SHELVES]
        self._subject, self._ledger, self._seed = subject, ledger, seed
        self._over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Work during the block; at its end, let everybody finish what they do."""
        works = [lambda shelf=shelf: self._work(shelf) for shelf in self.shelves]
        threads = [threading.Thread(target=work, daemon=True) for work in (*works, self._read)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(JOIN_SECONDS)
        for thread in threads:
            self._ledger.check(not thread.is_alive(), "somebody's work does not end")

    def _work(self, shelf: Shelf) -> None:
        for number in self._turns(shelf.random, PAUSE_SECONDS):
            work: Callable[[Shelf], None] = shelf.random.choices(list(WORK), list(WORK.values()))[0]
            with self._ledger.blaming(f"{shelf.name}: {work.__name__}"):
                work(shelf)
                self._ledger.note(work.__name__)
                thin_out(shelf)
            if number % TURNS_PER_CHECK == 0:
                with self._ledger.blaming(f"{shelf.name}: its products"):
                    shelf.check()

    def _read(self) -> None:
        """Search, open pages, and export."""
        random, client = Random(f"{self._seed} reader"), Client(self._subject.urls)
        for _ in self._turns(random, READ_SECONDS):
            path, parameters = _something_to_read(random)
            with self._ledger.blaming(f"GET {path}"):
                answer = client.send("GET", path, params=parameters)
                if is_too_slow(answer):
                    self._ledger.note("search that was given up")
                    continue
                assert answer.status == 200, f"{parameters}: {answer.status} {answer.body}"
                self._ledger.note("export" if path.endswith("export") else "search or page")

    def _turns(self, random: Random, pause: tuple[float, float]) -> Iterator[int]:
        number = 0
        while not self._over.wait(random.uniform(*pause)):
            number += 1
            yield number


def is_too_slow(answer: Answer) -> bool:
    """Whether a search took longer than it may, which a machine with much other work can bring about."""
    return answer.status == 422 and str(answer.body["type"]).endswith("/search-too-slow")


def _something_to_read(random: Random) -> tuple[str, dict[str, str]]:
    words = {random.choice(("name", "q", "description")): random.choice(SEARCHES)}
    if random.random() < EXPORT_SHARE:
        return "/api/products/export", words | {"format": random.choice(FORMATS)}
    if random.random() < 0.2:
        return random.choice(ROUTES), {}
    return "/api/products", words | {"sort": random.choice(("sku", "-updated_at", "name"))}
