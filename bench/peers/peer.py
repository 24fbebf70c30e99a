"""Install a tool in its own environment, and run it."""

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.folder import FOLDER

SECONDS = 900
SCRIPTS = Path(__file__).parent
# Turns off telemetry.
NO_TELEMETRY = {"RUNTIME__DLTHUB_TELEMETRY": "false", "SLING_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Peer:
    """A tool. `how` is one line for the table, `max_rows` the rows that it imports in a reasonable time.

    `command` returns its command line, given its folder, the file, the server's socket folder and the database. A
    `script` of ours prints the seconds of its work; for other commands the whole run is measured.
    """

    name: str
    title: str
    how: str
    max_rows: int
    packages: tuple[str, ...] = ()
    debian: str = ""
    script: str = ""
    command: Callable[[Path, Path, Path, str], list[str]] | None = None
    table: str = "product"
    prepare: str = ""

    @property
    def folder(self) -> Path:
        """The folder of its environment and its files."""
        return FOLDER / "tools" / self.name

    def run(self, path: Path, socket: Path, database: str) -> float:
        """Load a file; return the seconds of the work.

        Raises:
            RuntimeError: it failed; the message is its last output.
        """
        command = self._command(path, socket, database)
        # libpq's variables are for tools that have no option for a socket.
        server = {"PGHOST": str(socket), "PGPORT": "5432", "PGUSER": "postgres"}
        environment = os.environ | NO_TELEMETRY | server | {"BENCH_FOLDER": str(self.folder)}
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        seconds = time.monotonic() - began
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}")
        return float(done.stdout.split()[-1]) if self.script else seconds

    def _command(self, path: Path, socket: Path, database: str) -> list[str]:
        if self.command:
            return self.command(self.folder, path, socket, database)
        python = self.folder / "bin" / "python" if self.packages else Path(sys.executable)
        return [str(python), str(SCRIPTS / self.script), str(path), str(socket), database]


def install(peer: Peer) -> None:
    """Install a tool if it is not installed yet.

    Raises:
        RuntimeError, subprocess.CalledProcessError: it cannot be installed.
    """
    peer.folder.mkdir(parents=True, exist_ok=True)
    if peer.packages:
        _install_packages(peer)
    if peer.debian and not shutil.which(peer.debian):
        _install_debian(peer.debian)


def _install_packages(peer: Peer) -> None:
    stamp = peer.folder / "installed.txt"
    wanted = "\n".join(peer.packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    venv.create(peer.folder, with_pip=True)
    pip = [str(peer.folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    _do([*pip, *peer.packages])
    stamp.write_text(wanted)


def _install_debian(package: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(f"{package} is not installed, and only root on Debian could install it here")
    if not shutil.which(package):
        _do(["apt-get", "update", "-qq"])
        _do(["apt-get", "install", "-y", "-qq", package])


def _do(command: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"{command[0]}: exit code {done.returncode}")
