"""Directories, locks and error files that the embedded servers, their supervisors and their users share."""

import errno
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypedDict


class ServiceError(Exception):
    """A server cannot run, or cannot be used. The message is one line with the reason and what to do."""


@dataclass(frozen=True)
class Account:
    """The system account that a server runs as."""

    name: str
    uid: int
    gid: int


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess.Popen` that switch the account."""

    user: int
    group: int
    extra_groups: list[int]


class Server(Protocol):
    """What supervisors and users need of a kind of server."""

    title: str
    stop_signal: signal.Signals

    @property
    def socket(self) -> Path:
        """The Unix socket's path, in a private directory."""

    def prepare(self) -> tuple[list[str], Account | None]:
        """Prepare the data directory; return the command and the account that must run it."""

    def answers(self) -> bool:
        """Whether the server accepts connections and is set up."""

    def complete(self) -> None:
        """Do the set-up that needs a running server; called until `answers()` returns True."""

    def pid(self) -> int | None:
        """Return the process id of the running server, or None if it is unknown."""


@dataclass(frozen=True)
class ServiceFiles:
    """The files of one embedded server, apart from its data.

    Their names stay as they are: processes of an older version may run at the same time.
    """

    data_dir: Path
    name: str

    @property
    def users(self) -> Path:
        """Locked shared by each process that uses the server, exclusively by the supervisor that stops it."""
        return self.data_dir / "run" / f"{self.name}.users"

    @property
    def supervisor(self) -> Path:
        """Locked by the supervisor."""
        return self.data_dir / "run" / f"{self.name}.guardian"

    @property
    def server(self) -> Path:
        """Locked by the server and its children, which is safer than trusting a process id."""
        return self.data_dir / "run" / f"{self.name}.server"

    @property
    def error(self) -> Path:
        """The error with which the last supervisor ended; absent while one runs."""
        return self.data_dir / "run" / f"{self.name}.error"

    @property
    def log(self) -> Path:
        """The output of the server and its supervisor."""
        return self.data_dir / "logs" / f"{self.name}.log"

    def make_directories(self) -> None:
        """Create `DATA_DIR` and the private directories in it; a directory that exists keeps its mode."""
        make_data_folder(self.data_dir)
        private_directory(self.data_dir / "run")
        private_directory(self.data_dir / "logs")


class Lock:
    """An `flock`. The kernel releases it when the last process that holds it ends, even by kill -9.

    A forked child inherits the lock; a program started by exec does so only if it is given `fd`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _give_to_owner_of_parent(path)

    def try_shared(self) -> bool:
        """Take a shared lock; return False if another process holds an exclusive one."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take an exclusive lock; return False if another process holds any."""
        return self._try(fcntl.LOCK_EX)

    def is_replaced(self) -> bool:
        """Whether the path no longer names the locked file, because the directory was removed."""
        try:
            return not os.path.samestat(os.fstat(self.fd), self.path.stat())
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Release the lock, unless a child has inherited it."""
        os.close(self.fd)

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self.fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock exclusively.

    This takes a shared lock for a moment, so whoever wants an exclusive one must try more than once.
    """
    lock = Lock(path)
    try:
        return not lock.try_shared()
    finally:
        lock.close()


def is_shared(path: Path) -> bool:
    """Whether a process holds a shared lock."""
    lock = Lock(path)
    try:
        return lock.try_shared() and not lock.try_exclusive()
    finally:
        lock.close()


def wait_until(condition: Callable[[], bool], seconds: float, interval: float = 0.02) -> bool:
    """Return True as soon as the condition holds, False if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def make_data_folder(path: Path) -> None:
    """Create `DATA_DIR` if it does not exist."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        # The account that runs PostgreSQL for root must pass through. What is inside is private.
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)


def private_directory(path: Path, account: Account | None = None) -> Path:
    """Create a directory that only its owner can enter: the account, or else the owner of its parent."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return path
    if account:
        os.chown(path, account.uid, account.gid)
    else:
        _give_to_owner_of_parent(path)
    return path


def run_as(account: Account | None) -> RunAs:
    """Return the arguments with which `subprocess` runs a program as the account."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def has_access(account: Account | None, test: str, path: Path) -> bool:
    """Whether the account may read (`-r`), write (`-w`) or execute (`-x`) the path; the system's `test` decides."""
    command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
    return subprocess.run(command, cwd="/", check=False, **run_as(account)).returncode == 0


def clean_environment() -> dict[str, str]:
    """Return the environment without keys and what would change a server: PGPORT, PGDATA, LC_ALL and the like."""
    left_out = ("PG", "LC_", "LANG", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def explain(error: OSError, data_dir: Path) -> str:
    """Return one line that says what failed and what to do about it."""
    where = error.filename or data_dir
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {where} is full: free some space, or set DATA_DIR to a folder on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}: {error.strerror}; change its owner, or set DATA_DIR to another folder"
    if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
        return f"the file system of {data_dir} has no locks: set DATA_DIR to a folder on a local disk"
    return f"{where}: {error.strerror or error} (DATA_DIR is {data_dir})"


def _give_to_owner_of_parent(path: Path) -> None:
    """As root, give a new file to the owner of its folder, who could not open it later otherwise."""
    if os.geteuid() == 0:
        parent = path.parent.stat()
        if parent.st_uid != path.stat().st_uid:
            os.chown(path, parent.st_uid, parent.st_gid)
