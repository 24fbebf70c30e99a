"""Run the whole application in its own processes, for tests from outside."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import httpx

from product_importer.core.embedded.supervisor import _end_with_parent
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent
# The first start builds the page.
START_SECONDS = 480
# Below the ranges of Linux, 32768 to 60999, and of macOS, and above those that browsers refuse.
PORTS = range(20_000, 32_000)
MAX_TRIES = 100


def data_folder() -> Path:
    """Return a new folder for `DATA_DIR`; remove its parent after use.

    Other users may pass through the parent: PostgreSQL's own user must, when the tests run as root.
    """
    parent = Path(tempfile.mkdtemp(prefix="product-importer-test-"))
    parent.chmod(0o711)
    return parent / "data"


class Application:
    """`python -m product_importer up` in a folder of its own; `environment` adds variables to those of the tests.

    `before` are words put before every command, for example to give it another disk.
    """

    # The folder of its code, and the address on which it listens.
    root = ROOT
    address = "127.0.0.1"

    def __init__(self, before: Sequence[str] = (), **environment: str):
        self.before = before
        self.data = data_folder()
        self.environment = os.environ | {"DATA_DIR": str(self.data)} | environment
        self.moves_to(free_port())
        self.process: subprocess.Popen[str] | None = None

    def shares(self, data: Path) -> None:
        """Use the data of another application, and its embedded servers."""
        shutil.rmtree(self.data.parent)
        self.data = data
        self.environment |= {"DATA_DIR": str(data)}

    def moves_to(self, port: int) -> None:
        """Set the port for the next start."""
        self.port = port
        self.url = f"http://{self.address}:{port}"
        self.environment |= {"PORT": str(port)}
        self.client = httpx.Client(base_url=self.url, timeout=30)

    def start(self, *command: str, until: str = "/api/ready") -> None:
        """Start the application, and wait until it is ready to import, or until another path answers 200."""
        self.process = self.spawn(*(command or ("up",)))
        wait_for(lambda: self.is_ready(until), START_SECONDS, f"{until} answers (output: {self.output})")

    def spawn(self, *command: str) -> subprocess.Popen[str]:
        """Start one command of the command line and write its output to `output`."""
        return self.launch("-m", "product_importer", *command)

    def launch(self, *words: str) -> subprocess.Popen[str]:
        """Start Python with these words, as `spawn` does."""
        with self.output.open("a") as output:
            return subprocess.Popen(
                [*self.before, sys.executable, *words],
                cwd=self.root,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                # Ctrl-C kills the processes of pytest-xdist, and no fixture stops its application.
                preexec_fn=_end_with_parent(signal.SIGTERM),
            )

    @property
    def output(self) -> Path:
        """The file that holds what the application printed."""
        return self.data.parent / "output.log"

    def is_ready(self, path: str = "/api/ready") -> bool:
        """Whether a path answers 200; by default all servers and at least one worker are ready then."""
        assert self.process is not None
        assert self.process.poll() is None, f"it ended early:\n{self.output.read_text()}"
        try:
            return self.client.get(path).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop the application as Ctrl-C does, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(60)

    def remove(self) -> None:
        """Remove all its files."""
        shutil.rmtree(self.data.parent)

    def upload(self, content: bytes, filename: str = "catalogue.csv") -> str:
        """Upload a file by REST, and return the id of its import."""
        answer = self.client.post("/api/upload-csv", files={"file": (filename, content, "text/csv")})
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict:
        """Return an import as REST shows it."""
        return self.client.get(f"/api/jobs/{job_id}").json()

    def finished(self, job_id: str, seconds: float = 90) -> dict:
        """Wait until an import has ended, and return it."""
        final = ("completed", "failed", "cancelled")
        wait_for(lambda: self.job(job_id)["status"] in final, seconds, f"import {job_id} ends")
        return self.job(job_id)

    def empty(self, seconds: float = 90) -> None:
        """Delete all products, as soon as no import runs: one of another test may."""

        def is_empty() -> bool:
            return self.client.delete("/api/products", params={"confirm": "true"}).status_code == 200

        wait_for(is_empty, seconds, "all products are deleted")


def free_port() -> int:
    """Return a port on which nothing listens, and which the system gives to nobody until something listens on it.

    A connection from any process may take a port of the system's own range, and an application that builds its page
    listens minutes later.
    """
    for _ in range(MAX_TRIES):
        with socket.socket() as probe, suppress(OSError):
            # Not `random`: Hypothesis seeds it alike in all test processes.
            port = secrets.choice(PORTS)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no port of {PORTS} is free")


def catalogue(rows: int, name: str = "Name", first: int = 0) -> bytes:
    """Return a CSV with `rows` products."""
    lines = (f"SKU-{n:07},{name} {n},The text of product {n}" for n in range(first, first + rows))
    return ("sku,name,description\n" + "\n".join(lines) + "\n").encode()
