"""Find the application's processes, and send them signals."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.application import Application


def family(application: Application, words: str = "") -> list[psutil.Process]:
    """Return the application's processes whose command line contains `words`."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ", "ppid"]):
        environment = process.info["environ"] or {}
        if environment.get("DATA_DIR") == str(application.data) and words in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def workers(application: Application) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return the import workers, and the child processes that run their jobs, not those that wait for one."""
    everyone = [
        process
        for process in family(application, "product_importer worker")
        if "--queue" not in (process.info["cmdline"] or [])
    ]
    pids = {process.pid for process in everyone}
    # As it was when the process was found: the process of a job may have ended since.
    leaders = [process for process in everyone if process.info["ppid"] not in pids]
    return leaders, [process for process in everyone if process.info["ppid"] in pids and leads_group(process)]


def leads_group(process: psutil.Process) -> bool:
    """Whether a process has a group of its own, which it gets together with its job; one that is gone has none."""
    try:
        return os.getpgid(process.pid) == process.pid
    except ProcessLookupError:
        return False


def send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    """Send a signal to each process. There must be at least one."""
    listed = list(processes)
    assert listed, "there is nothing to send a signal to"
    for process in listed:
        # It may have ended in the meantime.
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


@contextmanager
def suspended(processes: list[psutil.Process]) -> Iterator[None]:
    """Suspend processes (SIGSTOP) until the end of the block, or until `wake`."""
    for process in processes:
        # That of an earlier job may have ended in the meantime.
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        wake(processes)


def wake(processes: list[psutil.Process]) -> None:
    for process in processes:
        if process.is_running():
            process.resume()


def parents(application: Application) -> list[psutil.Process]:
    return workers(application)[0]


def jobs(application: Application) -> list[psutil.Process]:
    return workers(application)[1]


def both(application: Application) -> list[psutil.Process]:
    return [*parents(application), *jobs(application)]


def web(application: Application) -> list[psutil.Process]:
    return family(application, "product_importer web")


# The groups of processes that can be killed.
VICTIMS = {victims.__name__: victims for victims in (parents, jobs, both, web)}
