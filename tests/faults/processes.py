"""The application's processes, found by what they are, and what can be done to them."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress

import psutil

from tests.application import Application


def family(application: Application, words: str = "") -> list[psutil.Process]:
    """Return the application's processes whose command has these words."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get("DATA_DIR") == str(application.data) and words in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


def workers(application: Application) -> tuple[list[psutil.Process], list[psutil.Process]]:
    """Return the import workers' own processes, and the processes that run their jobs."""
    everyone = [
        process
        for process in family(application, "product_importer worker")
        if "--queue" not in (process.info["cmdline"] or [])
    ]
    pids = {process.pid for process in everyone}
    parents = [process for process in everyone if process.ppid() not in pids]
    return parents, [process for process in everyone if process.ppid() in pids]


def send(number: signal.Signals, processes: Iterable[psutil.Process]) -> None:
    """Send a signal to each, of which there must be one at least."""
    listed = list(processes)
    assert listed, "there is nothing to send a signal to"
    for process in listed:
        # It may have ended by itself just now.
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def kill_parent(application: Application) -> None:
    send(signal.SIGKILL, workers(application)[0])


def kill_job(application: Application) -> None:
    send(signal.SIGKILL, workers(application)[1])


def kill_both(application: Application) -> None:
    parents, jobs = workers(application)
    assert jobs, "no job runs"
    send(signal.SIGKILL, parents + jobs)


def kill_web(application: Application) -> None:
    send(signal.SIGKILL, family(application, "product_importer web"))


KILLS = (kill_parent, kill_job, kill_both, kill_web)
