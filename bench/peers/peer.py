"""One tool beside ours: how to install it, apart from everything, and how to run it."""

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
# Nothing may call home.
SILENCE = {"RUNTIME__DLTHUB_TELEMETRY": "false", "SLING_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Peer:
    """A tool. `how` is one line for the table, `most_rows` what it can take in a reasonable time.

    `command` makes its command line of its folder, the file, the server's socket folder and the database. A `script`
    of ours says itself how many seconds its work took; of others the whole command is measured.
    """

    name: str
    title: str
    how: str
    most_rows: int
    packages: tuple[str, ...] = ()
    debian: str = ""
    script: str = ""
    command: Callable[[Path, Path, Path, str], list[str]] | None = None
    table: str = "product"
    prepare: str = ""

    @property
    def folder(self) -> Path:
        """The folder of its environment, and of what it keeps."""
        return FOLDER / "tools" / self.name

    def run(self, path: Path, socket: Path, database: str) -> float:
        """Load a file; return the seconds of the work.

        Raises:
            RuntimeError: it failed; the message is what it said last.
        """
        command = self._command(path, socket, database)
        # libpq's own variables serve a tool that cannot be told a socket.
        server = {"PGHOST": str(socket), "PGPORT": "5432", "PGUSER": "postgres"}
        environment = os.environ | SILENCE | server | {"BENCH_FOLDER": str(self.folder)}
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
    """Install a tool where it is not there yet.

    Raises:
        RuntimeError, subprocess.CalledProcessError: it cannot be had.
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
