"""Measure the peak memory of the workers and of the web process, including their children."""

import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Self

import psutil

MEBIBYTE = 2**20
SAMPLE_SECONDS = 0.2
SAMPLES_PER_PSS = 5
# By command line: an import worker has no --queue.
GROUPS: dict[str, Callable[[list[str]], bool]] = {
    "web": lambda words: "product_importer" in words and "web" in words,
    "worker": lambda words: "product_importer" in words and "worker" in words and "--queue" not in words,
}


class Peak:
    """A context manager; after it `megabytes` holds the peak of each group.

    It sums the proportional set size (PSS), where the kernel has it, so that shared memory is counted once.
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
        """Return the first process of each group of the application with this data folder."""
        roots: dict[str, psutil.Process] = {}
        # In the order of their start, so that parents come before their children.
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
                resident = sum(_read(process, _resident) for process in processes)
                # PSS makes the kernel walk through all pages, which slows an import down, so it is read only when
                # the resident size has grown, and now and then: it also grows when shared pages are changed.
                if resident > self._most_resident[group] or number % SAMPLES_PER_PSS == 0:
                    self._most_resident[group] = max(resident, self._most_resident[group])
                    taken = sum(_read(process, _proportional) for process in processes) / MEBIBYTE
                    self.megabytes[group] = max(self.megabytes[group], taken)


def _tree(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _read(process: psutil.Process, figure: Callable[[psutil.Process], int]) -> int:
    """Return a figure of a process; 0 if the process has ended."""
    try:
        return figure(process)
    except psutil.Error:
        return 0


def _resident(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _proportional(process: psutil.Process) -> int:
    taken = process.memory_full_info()
    return int(getattr(taken, "pss", taken.rss))
