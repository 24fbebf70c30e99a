"""The most memory that the workers and the web process took at once, their children included."""

import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Self

import psutil

MEBIBYTE = 2**20
SAMPLE_SECONDS = 0.2
SAMPLES_A_LOOK = 5
# The words of the command lines: an import's worker has no --queue.
GROUPS: dict[str, Callable[[list[str]], bool]] = {
    "web": lambda words: "product_importer" in words and "web" in words,
    "worker": lambda words: "product_importer" in words and "worker" in words and "--queue" not in words,
}


class Peak:
    """A context manager; behind it `megabytes` holds the peak of each group.

    Of memory that processes share each is counted its part (PSS), where the kernel tells it, so that a sum is what
    they took together.
    """

    def __init__(self, data: Path):
        self._data = str(data)
        self._roots: dict[str, psutil.Process] = {}
        self._most_resident = dict.fromkeys(GROUPS, 0)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.megabytes = dict.fromkeys(GROUPS, 0.0)

    def __enter__(self) -> Self:
        self._roots = self._found()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _found(self) -> dict[str, psutil.Process]:
        """Return the first process of each group, of the application that keeps its data there."""
        roots: dict[str, psutil.Process] = {}
        # In the order of their start: children come after their parents.
        for process in sorted(psutil.process_iter(["cmdline", "environ"]), key=lambda process: process.create_time()):
            if (process.info["environ"] or {}).get("DATA_DIR") == self._data:
                for group, belongs in GROUPS.items():
                    if group not in roots and belongs(process.info["cmdline"] or []):
                        roots[group] = process
        assert set(roots) == set(GROUPS), f"found only {', '.join(roots) or 'nothing'}"
        return roots

    def _sample(self) -> None:
        for number in count():
            if self._done.wait(SAMPLE_SECONDS):
                return
            for group, root in self._roots.items():
                processes = _tree(root)
                resident = sum(_told(process, _resident) for process in processes)
                # For PSS the kernel walks through all pages, which an import feels if it is done all the time. It
                # grows without the other figure where a process changes what it shared.
                if resident > self._most_resident[group] or number % SAMPLES_A_LOOK == 0:
                    self._most_resident[group] = max(resident, self._most_resident[group])
                    taken = sum(_told(process, _proportional) for process in processes) / MEBIBYTE
                    self.megabytes[group] = max(self.megabytes[group], taken)


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _told(process: psutil.Process, figure: Callable[[psutil.Process], int]) -> int:
    """A process may end while it is asked."""
    try:
        return figure(process)
    except psutil.Error:
        return 0


def _resident(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _proportional(process: psutil.Process) -> int:
    taken = process.memory_full_info()
    return int(getattr(taken, "pss", taken.rss))
