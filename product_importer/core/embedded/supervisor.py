"""Supervise one embedded server: `python -m product_importer.core.embedded.supervisor postgres|valkey DATA_DIR`.

It starts the server, restarts it when it dies, and stops it cleanly when its last user is gone. Users are not
counted or listed: each holds a shared lock for as long as it lives, and the kernel takes that lock away
however the process ends. The guardian has its own session, so that Ctrl-C in a terminal does not reach it.
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
from product_importer.core.logs import escaped

SERVERS: dict[str, Callable[[Path], Server]] = {"postgres": PostgresServer, "valkey": ValkeyServer}

WATCH_SECONDS = 0.2
START_SECONDS = 0.02
QUICK_START_SECONDS = 2.0
# Somebody who only looks whether there is a guardian holds its lock for a moment.
TAKE_OVER_SECONDS = 2.0
MAX_FAILURES = 3
LARGEST_LOG = 10 * 1024 * 1024
PR_SET_PDEATHSIG = 1


def main(name: str, data_dir: Path) -> int:
    """Become the guardian and return at once, leaving it behind; return too when there is one already."""
    files = ServiceFiles(data_dir, name)
    lock = Lock(files.supervisor)
    if not wait_until(lock.try_exclusive, TAKE_OVER_SECONDS):
        return 0
    files.error.unlink(missing_ok=True)
    if os.fork():
        # Whoever started us sees an end, so that the guardian is nobody's child and nobody's zombie.
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
    """One server's life between its first user and its last."""

    def __init__(self, server: Server, files: ServiceFiles) -> None:
        self._server = server
        self._files = files
        self._users = Lock(files.users)
        self._child: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._failures = 0
        self._started = time.monotonic()
        self._told_to_stop = False
        self._log_start = 0
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._tell_to_stop)

    def run(self) -> None:
        """Keep the server running until nobody uses it, then stop it.

        Raises:
            ServiceError: the server does not come up.
        """
        while not self._is_over():
            if not self._is_alive():
                self._start()
            elif not self._ready:
                self._help_up()
            _limit_log(self._files.log)
            time.sleep(START_SECONDS if self._is_starting() else WATCH_SECONDS)
        self._stop()

    def _is_over(self) -> bool:
        """With the exclusive lock in hand a new user has to wait until the server is down."""
        return self._told_to_stop or self._users.try_exclusive() or self._users.is_replaced()

    def _is_alive(self) -> bool:
        """A server whose guardian was killed counts too, and so do the children of a killed server."""
        if self._child and self._child.poll() is None:
            return True
        return self._files.server.exists() and is_locked(self._files.server)

    def _start(self) -> None:
        self._count_failure()
        _say(f"starting {self._server.title}")
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
                # Safe: a guardian has one thread.
                preexec_fn=_end_with_parent(self._server.stop_signal),
                **run_as(account),
            )
        except (OSError, subprocess.SubprocessError) as error:
            who = f" as the user {account.name}" if account else ""
            raise ServiceError(f"{self._server.title} cannot be run{who}: {error}") from error
        finally:
            lock.close()

    def _count_failure(self) -> None:
        """A server that gives up by itself will do so again; one that was killed deserves some more tries."""
        if self._ready or not self._child:
            self._failures = 0
            return
        self._failures += 1
        gave_up = self._child.returncode is not None and self._child.returncode >= 0
        if gave_up or self._failures > MAX_FAILURES:
            raise ServiceError(self._reason())

    def _is_starting(self) -> bool:
        """Ask often at first; a recovering server writes every refusal into its log."""
        return not self._ready and time.monotonic() - self._started < QUICK_START_SECONDS

    def _help_up(self) -> None:
        """However long crash recovery takes: a server that works on it is not a failure."""
        if self._server.answers():
            self._ready = True
            _say(f"{self._server.title} is ready")
        else:
            self._server.complete()

    def _stop(self) -> None:
        _say(f"stopping {self._server.title}")
        told = 0
        while self._is_alive():
            pid = self._child.pid if self._child and self._child.poll() is None else self._server.pid()
            if pid and pid != told:
                told = pid
                _signal(pid, self._server.stop_signal)
            time.sleep(START_SECONDS)
        remove_socket_directory(self._server)
        _say(f"{self._server.title} has stopped")

    def _reason(self) -> str:
        """Take the server's own word from its log."""
        with self._files.log.open(errors="replace") as log:
            log.seek(self._log_start)
            lines = [line.strip() for line in log if line.strip()]
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line]
        said = (fatal or lines or ["it said nothing"])[-1]
        for mark in ("FATAL:", "PANIC:"):
            said = said.partition(mark)[2].strip() or said
        return f"{self._server.title} did not start: {said} (log: {self._files.log})"

    def _tell_to_stop(self, _number: int, _frame: object) -> None:
        self._told_to_stop = True


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
    _say(message)
    with suppress(OSError):
        files.error.write_text(message)


def _say(message: str) -> None:
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    with suppress(OSError):
        # A full disk must not end the guardian, and with it the server.
        os.write(1, f"{now} [{os.getpid()}] guardian: {escaped(message)}\n".encode())


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _limit_log(log: Path) -> None:
    """The server appends to an open file, so it is emptied in place; the one before is kept."""
    try:
        if log.stat().st_size > LARGEST_LOG:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
    except OSError as error:
        _say(f"the log cannot be rotated: {error}")


def _end_with_parent(number: int) -> Callable[[], None] | None:
    """On Linux a killed guardian takes its server along; elsewhere the next guardian finds and adopts it."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
