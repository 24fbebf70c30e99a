"""Find the processes of the application under test, and what processor time they have taken."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
from psycopg2.extensions import connection as PgConnection

# By command line: an import worker has no --queue.
GROUPS: dict[str, Callable[[list[str]], bool]] = {
    "web": lambda words: "product_importer" in words and "web" in words,
    "worker": lambda words: "product_importer" in words and "worker" in words and "--queue" not in words,
}


def roots(data: Path) -> dict[str, psutil.Process]:
    """Return the first process of each group of the application with this data folder."""
    found: dict[str, psutil.Process] = {}
    # In the order of their start, so that parents come before their children.
    for process in sorted(psutil.process_iter(["cmdline", "environ"]), key=lambda process: process.create_time()):
        if (process.info["environ"] or {}).get("DATA_DIR") == str(data):
            for group, belongs in GROUPS.items():
                if group not in found and belongs(process.info["cmdline"] or []):
                    found[group] = process
    assert set(found) == set(GROUPS), f"found only {', '.join(found) or 'nothing'}"
    return found


def postgres(connection: PgConnection) -> psutil.Process:
    """Return the first process of the server behind a connection; it must run on this machine."""
    return psutil.Process(psutil.Process(connection.info.backend_pid).ppid())


class Family:
    """A process and its descendants, to be asked for often: only processes that are new are looked at."""

    def __init__(self, root: psutil.Process):
        self._known = set(psutil.pids())
        self._members = {process.pid: process for process in tree(root)}

    def members(self) -> list[psutil.Process]:
        """Return those that run now."""
        pids = set(psutil.pids())
        for pid in sorted(pids - self._known):
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.ppid() in self._members:
                    self._members[pid] = process
        self._known = pids
        self._members = {pid: process for pid, process in self._members.items() if pid in pids}
        return list(self._members.values())


def tree(root: psutil.Process) -> list[psutil.Process]:
    """Return a process and all its descendants; none if it has ended."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def read(process: psutil.Process, figure: Callable[[psutil.Process], float]) -> float:
    """Return a figure of a process; 0 if the process has ended."""
    try:
        return figure(process)
    except (psutil.Error, OSError):
        return 0


def processor_seconds(root: psutil.Process) -> float:
    """Return the processor time that a process and its descendants have taken, also those that have ended."""
    while True:
        members = tree(root)
        seconds = sum(read(process, lambda one: sum(one.cpu_times()[:4])) for process in members)
        # The time of a process that ends meanwhile passes to its parent: it would be missed, or counted twice.
        if tree(root) == members:
            return seconds
