"""What the embedded servers, their guardians and their users share on disk: directories, locks, messages."""

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
    """An embedded server cannot run. The message is one line that says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The system account that a server runs as."""

    name: str
    uid: int
    gid: int


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that switch the account."""

    user: int
    group: int
    extra_groups: list[int]


class Server(Protocol):
    """What a guardian and a user need to know of one kind of server."""

    title: str
    stop_signal: signal.Signals

    @property
    def socket(self) -> Path:
        """The Unix socket's path, in a private directory."""

    def prepare(self) -> tuple[list[str], Account | None]:
        """Make the data directory ready and return the command and the account that it must run as."""

    def answers(self) -> bool:
        """Tell whether the server accepts work now."""

    def complete(self) -> None:
        """Do what can only be done while the server runs; called until `answers()`."""

    def pid(self) -> int | None:
        """Return the process id of a server that is known to run, None while it cannot be told."""


@dataclass(frozen=True)
class ServiceFiles:
    """The files of one embedded server outside its own data."""

    data_dir: Path
    name: str

    @property
    def users(self) -> Path:
        """Locked shared by every process that uses the server, exclusively by the guardian that stops it."""
        return self.data_dir / "run" / f"{self.name}.users"

    @property
    def supervisor(self) -> Path:
        """Locked by the one guardian."""
        return self.data_dir / "run" / f"{self.name}.guardian"

    @property
    def server(self) -> Path:
        """Locked by the server and its children, so that no process id has to be trusted."""
        return self.data_dir / "run" / f"{self.name}.server"

    @property
    def error(self) -> Path:
        """Why the last guardian gave up; absent while one works."""
        return self.data_dir / "run" / f"{self.name}.error"

    @property
    def log(self) -> Path:
        """What the server and its guardian print."""
        return self.data_dir / "logs" / f"{self.name}.log"

    def make_directories(self) -> None:
        """Create `DATA_DIR` and the private directories in it; a directory that exists keeps its mode."""
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            # The account that runs PostgreSQL for root must pass through; what lies inside is private itself.
            self.data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        private_directory(self.data_dir / "run")
        private_directory(self.data_dir / "logs")


class Lock:
    """An `flock` that the kernel releases when the last process that inherited it is gone, by kill -9 too.

    A forked child inherits it; a program started by exec does not, unless given `fd`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _give_to_owner_of_parent(path)

    def try_shared(self) -> bool:
        """Take the lock together with others, unless somebody has it exclusively."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Take the lock alone, unless somebody has it."""
        return self._try(fcntl.LOCK_EX)

    def is_replaced(self) -> bool:
        """Tell whether the path names another file by now: somebody removed the directory."""
        try:
            return not os.path.samestat(os.fstat(self.fd), self.path.stat())
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Let go, unless a child has inherited the lock."""
        os.close(self.fd)

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self.fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_locked(path: Path) -> bool:
    """Tell whether some process holds the lock exclusively.

    The test shares the lock for a moment: whoever wants it exclusively has to try more than once.
    """
    lock = Lock(path)
    try:
        return not lock.try_shared()
    finally:
        lock.close()


def is_shared(path: Path) -> bool:
    """Tell whether some process holds the lock together with others."""
    lock = Lock(path)
    try:
        return lock.try_shared() and not lock.try_exclusive()
    finally:
        lock.close()


def wait_until(condition: Callable[[], bool], seconds: float, interval: float = 0.02) -> bool:
    """Return True as soon as the condition holds, False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(interval)
    return True


def private_directory(path: Path, account: Account | None = None) -> Path:
    """Create a directory for its owner alone: the account, else whoever owns the parent."""
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
    """Return the arguments that make `subprocess` start a program as the account."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def can(account: Account | None, test: str, path: Path) -> bool:
    """Ask the system itself whether the account may `-r`, `-w` or `-x` the path."""
    command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
    return subprocess.run(command, cwd="/", check=False, **run_as(account)).returncode == 0


def clean_environment() -> dict[str, str]:
    """Return the environment without what would change a server unasked (PGPORT, PGDATA, LC_ALL …)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def explain(error: OSError, data_dir: Path) -> str:
    """Say in one line what to do about a failed file operation."""
    where = error.filename or data_dir
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {where} is full: free some space, or set DATA_DIR to a folder on another disk"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where}: {error.strerror}; change its owner, or set DATA_DIR to another folder"
    if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
        return f"the file system of {data_dir} has no locks: set DATA_DIR to a folder on a local disk"
    return f"{where}: {error.strerror or error} (DATA_DIR is {data_dir})"


def _give_to_owner_of_parent(path: Path) -> None:
    """Root leaves nothing behind that the owner of the folder could not open later."""
    if os.geteuid() == 0:
        parent = path.parent.stat()
        if parent.st_uid != path.stat().st_uid:
            os.chown(path, parent.st_uid, parent.st_gid)
