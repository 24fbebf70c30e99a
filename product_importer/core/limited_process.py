"""Work on a file from outside in a process of its own, which can neither hold up this one nor fill its memory.

The process gets the file and nothing else: no secrets, no connections. It has so much time and so much memory, ends
with its parent, and is killed in the end whatever it does. One is kept ready, for to start one takes half a second.
"""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from product_importer.core.errors import StorageFull, TooMany
from product_importer.core.problem_types import ProblemType

DEADLINE_SECONDS = 30
MEMORY_BYTES = 1536 * 1024 * 1024
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# At a time in this process, and how many may wait for their turn, and for how long.
MAX_AT_WORK = 2
MAX_WAITING = 14
TURN_SECONDS = 60.0
RETRY_SECONDS = 10

PACKAGE_PARENT = str(Path(__file__).resolve().parent.parent.parent)
# What Python itself may need to start; nothing else of the environment is handed on.
KEPT = ("PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
END = b"\n"


class OutOfTime(Exception):
    """The work took longer than `DEADLINE_SECONDS`."""


class NoAnswer(Exception):
    """The process ended without an answer: it was out of memory, or failed."""


class LimitedProcess:
    """A module that calls `serve` when it is run, and the processes that run it."""

    def __init__(self, module: str):
        self._module = module
        self._ready: _Process | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_AT_WORK + MAX_WAITING)
        self._turns = threading.BoundedSemaphore(MAX_AT_WORK)

    def ask(self, stream: BinaryIO, environment: Mapping[str, str]) -> bytes:
        """Return what the module answers to a file; it blocks, so call it in a thread.

        The process has the variables of `environment` and no others. They must be the same in every call.

        Raises:
            OutOfTime: it took too long.
            NoAnswer: it failed.
            TooMany: too many files wait for their turn.
            StorageFull: a file in an object store cannot be copied to this machine.
        """
        with self._turn(), _on_disk(stream) as descriptor:
            process = self._hand_over(descriptor, environment)
            try:
                self._make_ready(environment)
                return process.answer()
            finally:
                process.end()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with _held(self._places, 0), _held(self._turns, TURN_SECONDS):
            yield

    def _hand_over(self, descriptor: int, environment: Mapping[str, str]) -> "_Process":
        """Give the file to the process that is ready, or to a new one where there is none, or it was killed."""
        with self._lock:
            process, self._ready = self._ready, None
        if process is not None:
            with suppress(OSError):
                process.hand_over(descriptor)
                return process
            process.end()
        process = _Process.start(self._module, environment)
        with suppress(OSError):
            process.hand_over(descriptor)
        return process

    def _make_ready(self, environment: Mapping[str, str]) -> None:
        with self._lock:
            if self._ready is None:
                self._ready = _Process.start(self._module, environment)


class _Process(NamedTuple):
    """One process for one file, and the socket over which the file goes there and the answer comes back."""

    child: subprocess.Popen[bytes]
    channel: socket.socket

    @classmethod
    def start(cls, module: str, environment: Mapping[str, str]) -> "_Process":
        ours, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        with theirs:
            child = subprocess.Popen(
                # Warnings would print what stands in the file.
                [sys.executable, "-P", "-W", "ignore", "-m", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # Where no `.env` lies.
                cwd="/",
                env={**kept, "PYTHONPATH": PACKAGE_PARENT, **environment},
                # Ctrl-C is for the parent; the session stays the same, for a supervisor to kill.
                process_group=0,
            )
        return cls(child, ours)

    def hand_over(self, descriptor: int) -> None:
        socket.send_fds(self.channel, [b"."], [descriptor])

    def answer(self) -> bytes:
        """Wait for the whole answer."""
        deadline, answer = time.monotonic() + DEADLINE_SECONDS, bytearray()
        while not answer.endswith(END):
            if (left := deadline - time.monotonic()) <= 0:
                raise OutOfTime
            self.channel.settimeout(left)
            try:
                piece = self.channel.recv(io.DEFAULT_BUFFER_SIZE)
            except TimeoutError:
                raise OutOfTime from None
            except OSError:
                piece = b""
            answer += piece
            if not piece or len(answer) > MAX_ANSWER_BYTES:
                raise NoAnswer
        return bytes(answer)

    def end(self) -> None:
        """Kill it, if it still lives, and wait until it is gone."""
        self.child.kill()
        self.child.wait()
        self.channel.close()


def serve(answer: Callable[[BinaryIO], bytes]) -> None:
    """Be the process: wait for a file, and answer within the limits. The answer must not hold a line break.

    Raises:
        MemoryError: the memory does not suffice, and `answer` did not catch it.
    """
    channel = socket.socket(fileno=0)
    _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    if not descriptors:
        # The parent is gone, and nobody asks any more.
        return
    _limit()
    threading.Thread(target=_follow_parent, args=(channel,), daemon=True).start()
    with os.fdopen(descriptors[0], "rb") as stream:
        stream.seek(0)
        channel.sendall(answer(stream) + END)


def _limit() -> None:
    """Bound this process's time and memory, by the kernel: no code of Python's own is needed to end it."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(DEADLINE_SECONDS + 1)
    # macOS has the limit and does not take every value. Linux ends this process first when memory is short.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _follow_parent(channel: socket.socket) -> None:
    # Nothing more is sent: reading returns when the parent's end is closed.
    with suppress(OSError):
        channel.recv(1)
    os._exit(1)


@contextmanager
def _held(semaphore: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=seconds):
        detail = "Many workbooks are being looked at right now. Send the file again in a moment."
        raise TooMany(detail, kind=ProblemType.BUSY, retry_after=RETRY_SECONDS)
    try:
        yield
    finally:
        semaphore.release()


@contextmanager
def _on_disk(stream: BinaryIO) -> Iterator[int]:
    """Give the descriptor of a file; an object of an object store is copied into a file first."""
    with ExitStack() as opened:
        try:
            descriptor = stream.fileno()
        except io.UnsupportedOperation:
            descriptor = opened.enter_context(_copy(stream)).fileno()
        yield descriptor


def _copy(stream: BinaryIO) -> BinaryIO:
    copy = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - its caller closes it
    try:
        stream.seek(0)
        shutil.copyfileobj(stream, copy)
        copy.flush()
    except OSError as error:
        copy.close()
        raise StorageFull(f"The file could not be copied to this machine: {error.strerror}.") from error
    return copy
