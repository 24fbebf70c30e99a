"""The application under test: what `up` starts and may be killed, and beside it a web process and workers to spare.

A leak shows in processes that live long. Those that are killed now and then begin anew.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.valkey import ValkeyServer
from tests.application import Application
from tests.faults.servers import Postgres, Valkey
from tests.waiting import wait_for

WORKERS = 2
SPARED = "SOAK_SPARED"
# In the order in which they are looked for in a command line.
COMMANDS = {
    "product_importer up": "up",
    "product_importer web": "web",
    "worker --queue webhooks": "webhook worker",
    "product_importer worker": "import worker",
    "embedded.supervisor": "supervisor",
}
JOB = "import job"
STOP_SECONDS = 60
# So many of the last characters are shown of what has ended.
SAID = 3_000


class Subject:
    """The application, its servers and its processes."""

    def __init__(self) -> None:
        # Embedded servers, whatever the environment says: they are killed.
        given = {"DATABASE_URL": "", "REDIS_URL": "", "AUTH": "off", "BATCH_SIZE": "1000"}
        self.application = Application(WORKERS=str(WORKERS), **given)
        self.spared = Application(**given, **{SPARED: "1"})
        self.spared.shares(self.application.data)
        self.postgres = Postgres(self.application)
        self.valkey = Valkey(self.application)
        self._extra: dict[str, subprocess.Popen[str]] = {}

    @property
    def data(self) -> Path:
        return self.application.data

    @property
    def urls(self) -> list[str]:
        """The addresses of both web processes."""
        return [self.application.url, self.spared.url]

    def start(self) -> None:
        """Start everything, and wait until all of it is ready."""
        self.application.start()
        self.keep_spared()
        for url in self.urls:
            wait_for(lambda url=url: answers(url), 120, f"{url} is ready")  # type: ignore[misc]

    def keep_spared(self) -> list[str]:
        """Start what is spared and does not run; return what is known of those that had ended."""
        commands = {"web": ["web"], "worker": ["worker"], "webhooks": ["worker", "--queue", "webhooks"]}
        ended = {name: code for name, process in self._extra.items() if (code := process.poll()) is not None}
        said = self.spared.output.read_text()[-SAID:] if ended else ""
        for name, command in commands.items():
            if name not in self._extra or name in ended:
                self._extra[name] = self.spared.spawn(*command)
        return [f"the spared {name} has ended with {code}:\n{said}" for name, code in ended.items()]

    def is_ready(self) -> bool:
        """Whether what `up` started is ready, which fails if that has ended."""
        return self.application.is_ready()

    def stop(self) -> int:
        """Stop everything; return the exit code of `up`."""
        for process in self._extra.values():
            process.send_signal(signal.SIGTERM)
        for process in self._extra.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
        return self.application.stop()

    def remove(self) -> None:
        """Kill what is left, and remove all files."""
        for members in processes(self.data).values():
            for process in members:
                with suppress(psutil.Error):
                    process.kill()
        self.application.remove()


def answers(url: str) -> bool:
    """Whether a web process says that it is ready."""
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/api/ready").status_code == httpx.codes.OK
    return False


def processes(data: Path) -> dict[str, list[psutil.Process]]:
    """Return the application's processes and those of its servers by kind; a spared kind ends in `(spared)`."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter(["cmdline", "environ"]):
        environment = process.info["environ"] or {}
        if environment.get("DATA_DIR") == str(data) and (kind := _kind(process)):
            found.setdefault(f"{kind} (spared)" if SPARED in environment else kind, []).append(process)
    for kind, pid in (("PostgreSQL", PostgresServer(data).pid()), ("Valkey", ValkeyServer(data).pid())):
        found[kind] = list(_tree(pid)) if pid else []
    return found


def _kind(process: psutil.Process) -> str | None:
    """Return what a process belongs to, by the first process of its session: every command has a session."""
    try:
        leader = os.getsid(process.pid)
        words = " ".join(psutil.Process(leader).cmdline())
    except (psutil.Error, OSError):
        return None
    kind = next((kind for command, kind in COMMANDS.items() if command in words), None)
    return JOB if kind == "import worker" and leader != process.pid else kind


def _tree(pid: int) -> Iterator[psutil.Process]:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        yield process
        yield from process.children(recursive=True)
