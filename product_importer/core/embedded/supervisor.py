"""Supervise one embedded server: `python -m product_importer.core.embedded.supervisor postgres|valkey DATA_DIR`.

It starts the server, restarts it when it dies, and stops it when its last user has ended. Each user holds a shared
lock while it runs, which the kernel releases however the process ends. The supervisor has its own session, so Ctrl-C
in a terminal does not reach it.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from product_importer.core.embedded.files import (
    Lock,
    Server,
    ServiceError,
    ServiceFiles,
    clean_environment,
    explain,
    is_locked,
    run_as,
    wait_until,
)
from product_importer.core.embedded.postgres import PostgresServer
from product_importer.core.embedded.sockets import remove_socket_directory
from product_importer.core.embedded.valkey import ValkeyServer
from product_importer.core.logging.logs import escaped

SERVERS: dict[str, Callable[[Path], Server]] = {"postgres": PostgresServer, "valkey": ValkeyServer}

WATCH_SECONDS = 0.2
START_SECONDS = 0.02
QUICK_START_SECONDS = 2.0
# A process that checks whether a supervisor runs holds the lock for a moment.
TAKE_OVER_SECONDS = 2.0
MAX_FAILURES = 3
MAX_LOG_BYTES = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1


def main(name: str, data_dir: Path) -> int:
    """Fork a supervisor and return at once; only return if one runs already."""
    files = ServiceFiles(data_dir, name)
    lock = Lock(files.supervisor)
    if not wait_until(lock.try_exclusive, TAKE_OVER_SECONDS):
        return 0
    files.error.unlink(missing_ok=True)
    if os.fork():
        # Init adopts the forked supervisor, so it never becomes a zombie.
        return 0
    _detach(files)
    try:
        Supervisor(SERVERS[name](data_dir), files).run()
    except ServiceError as error:
        _write_error_file(files, str(error))
    except OSError as error:
        _write_error_file(files, explain(error, data_dir))
    return 0


class Supervisor:
    """Runs one server from its first user to its last."""

    def __init__(self, server: Server, files: ServiceFiles) -> None:
        self._server = server
        self._files = files
        self._users = Lock(files.users)
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._failures = 0
        self._started = time.monotonic()
        self._stop_requested = False
        self._log_start = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._request_stop)

    def run(self) -> None:
        """Keep the server running until it has no users, then stop it.

        Raises:
            ServiceError: the server does not start.
        """
        while not self._should_stop():
            if not self._is_alive():
                self._start()
            elif not self._ready:
                self._check_ready()
            _limit_log(self._files.log)
            time.sleep(START_SECONDS if self._is_starting() else WATCH_SECONDS)
        self._stop()

    def _should_stop(self) -> bool:
        """Whether to stop the server. If this takes the exclusive lock, new users wait for the end of that."""
        return self._stop_requested or self._users.try_exclusive() or self._users.is_replaced()

    def _is_alive(self) -> bool:
        """Whether the server or a child of it runs, also one that a killed supervisor has started."""
        if self._child and self._child.poll() is None:
            return True
        return self._files.server.exists() and is_locked(self._files.server)

    def _start(self) -> None:
        self._count_failure()
        _log(f"starting {self._server.title}")
        self._ready = False
        self._started = time.monotonic()
        command, account = self._server.prepare()
        self._log_start = self._files.log.stat().st_size
        lock = Lock(self._files.server)
        if not wait_until(lock.try_exclusive, TAKE_OVER_SECONDS):
            raise ServiceError(f"another process holds {lock.path}: end it")
        try:
            self._child = subprocess.Popen(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[lock.fd],
                env=clean_environment(),
                # Safe, since the supervisor has only one thread.
                preexec_fn=_end_with_parent(self._server.stop_signal),
                **run_as(account),
            )
        except (OSError, subprocess.SubprocessError) as error:
            who = f" as the user {account.name}" if account else ""
            raise ServiceError(f"{self._server.title} cannot be run{who}: {error}") from error
        finally:
            lock.close()

    def _count_failure(self) -> None:
        """Raise if the server ended by itself before it was ready, or was killed more than `MAX_FAILURES` times."""
        if self._ready or not self._child:
            self._failures = 0
            return
        self._failures += 1
        gave_up = self._child.returncode is not None and self._child.returncode >= 0
        if gave_up or self._failures > MAX_FAILURES:
            raise ServiceError(self._reason())

    def _is_starting(self) -> bool:
        """Whether to poll quickly: later, a recovering server would log each rejected connection."""
        return not self._ready and time.monotonic() - self._started < QUICK_START_SECONDS

    def _check_ready(self) -> None:
        """Check whether the server is ready. Crash recovery may take any time: it is not a failure."""
        if self._server.answers():
            self._ready = True
            _log(f"{self._server.title} is ready")
        else:
            self._server.complete()

    def _stop(self) -> None:
        _log(f"stopping {self._server.title}")
        signalled = 0
        while self._is_alive():
            pid = self._child.pid if self._child and self._child.poll() is None else self._server.pid()
            if pid and pid != signalled:
                signalled = pid
                _signal(pid, self._server.stop_signal)
            time.sleep(START_SECONDS)
        remove_socket_directory(self._server)
        _log(f"{self._server.title} has stopped")

    def _reason(self) -> str:
        """Return the last error in the server's log since this start."""
        with self._files.log.open(errors="replace") as log:
            log.seek(self._log_start)
            lines = [line.strip() for line in log if line.strip()]
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        reason = (fatal or lines or ["no output"])[-1]
        for mark in ("FATAL:", "PANIC:"):
            reason = reason.partition(mark)[2].strip() or reason
        return f"{self._server.title} did not start: {reason} (log: {self._files.log})"

    def _request_stop(self, _number: int, _frame: object) -> None:
        self._stop_requested = True


def _detach(files: ServiceFiles) -> None:
    log = os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(nothing)
    os.close(log)
    os.chdir("/")


def _write_error_file(files: ServiceFiles, message: str) -> None:
    _log(message)
    with suppress(OSError):
        files.error.write_text(message)


def _log(message: str) -> None:
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    with suppress(OSError):
        # A full disk must not end the supervisor, and with it the server.
        os.write(1, f"{now} [{os.getpid()}] supervisor: {escaped(message)}\n".encode())


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _limit_log(log: Path) -> None:
    """Rotate the log in place, since the server keeps it open; one older file is kept."""
    try:
        if log.stat().st_size > MAX_LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
    except OSError as error:
        _log(f"the log cannot be rotated: {error}")


def _end_with_parent(number: int) -> Callable[[], None] | None:
    """On Linux, signal the server when its supervisor is killed; elsewhere the next supervisor adopts it."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
