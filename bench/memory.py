"""Measure the peak of the anonymous memory of the worker and of the web process, including their children.

Anonymous memory is what a process has made itself. Without it are the pages of files, such as libraries, which the
kernel can drop at any time, and the servers' shared memory.
"""

import re
import threading
from itertools import count
from pathlib import Path
from typing import Self

import psutil

from bench.processes import Family, read, roots

MEBIBYTE = 2**20
SAMPLE_SECONDS = 0.05
SAMPLES_PER_WALK = 4
PROC = Path("/proc")


class Peak:
    """A context manager; after it `megabytes` holds the peak of each group, in MiB."""

    def __init__(self, data: Path):
        self._data = data
        self._groups: list[_Group] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.megabytes: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._groups = [_Group(name, Family(root)) for name, root in roots(self._data).items()]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.megabytes = {group.name: group.peak / MEBIBYTE for group in self._groups}

    def _sample(self) -> None:
        for number in count():
            for group in self._groups:
                group.take(is_due=number % SAMPLES_PER_WALK == 0)
            if self._done.wait(SAMPLE_SECONDS):
                return


class _Group:
    """The processes of a group, and the peak of their anonymous memory in bytes.

    A page that a parent and its child share since the fork is counted once. To tell such pages, the kernel walks
    through all of a process, which slows an import down. So that is done now and then, and when a process is new.
    """

    def __init__(self, name: str, family: Family):
        self.name = name
        self.peak = 0.0
        self._family = family
        self._counted_twice = 0.0
        self._walked: set[int] = set()

    def take(self, is_due: bool) -> None:
        """Take a sample."""
        members = self._family.members()
        plain = sum(read(process, anonymous) for process in members)
        pids = {process.pid for process in members}
        if is_due or pids != self._walked:
            self._counted_twice = max(0.0, plain - sum(read(process, anonymous_share) for process in members))
            self._walked = pids
        self.peak = max(self.peak, plain - self._counted_twice)


def anonymous(process: psutil.Process) -> float:
    """Return the bytes of a process's anonymous memory; where the kernel does not tell, of all its memory."""
    return _kernel_bytes(process, "status", "RssAnon")


def anonymous_share(process: psutil.Process) -> float:
    """Return the same, with each page divided by the number of processes that share it."""
    return _kernel_bytes(process, "smaps_rollup", "Pss_Anon")


def share(process: psutil.Process) -> float:
    """Return the bytes of all its memory, with each page divided by the number of processes that share it."""
    return _kernel_bytes(process, "smaps_rollup", "Pss")


def shared_memory(process: psutil.Process) -> float:
    """Return the part of `share` that servers make for all their processes, such as PostgreSQL's shared buffers."""
    return _kernel_bytes(process, "smaps_rollup", "Pss_Shmem")


def _kernel_bytes(process: psutil.Process, name: str, figure: str) -> float:
    """Return a figure from a file of `/proc/PID`.

    Raises:
        OSError, psutil.Error: the process has ended.
    """
    if not PROC.exists():
        return float(process.memory_info().rss)
    found = re.search(rf"^{figure}:\s+(\d+) kB$", (PROC / str(process.pid) / name).read_text(), re.MULTILINE)
    # A process that has ended, but whose parent has not yet noticed, has no memory.
    return int(found[1]) * 1024 if found else 0.0
