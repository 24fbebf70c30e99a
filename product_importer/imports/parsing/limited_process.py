"""Process an untrusted file in a child process with limited time and memory.

The process gets the file, a request, and where wanted a file to write to; nothing else: no secrets, no connections.
It ends with its parent, and is killed after its answer in any case. One process can be kept ready, since starting one
takes half a second.
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
MAX_REQUEST_BYTES = 4096
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# How many files are processed at once for this process, how many may wait, and for how long.
MAX_AT_WORK = 2
MAX_WAITING = 14
TURN_SECONDS = 60.0
RETRY_SECONDS = 10

PACKAGE_PARENT = str(Path(__file__).resolve().parents[3])
# Variables that Python may need to start; no others are passed on.
PASSED_VARIABLES = ("PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
END = b"\n"


class DeadlineExceeded(Exception):
    """The process took longer than `DEADLINE_SECONDS`."""


class ProcessFailed(Exception):
    """The process ended without an answer: it ran out of memory, or failed."""


class Task(NamedTuple):
    """What a process is to do: the file, what is asked about it, and a file for what is longer than an answer."""

    stream: BinaryIO
    request: bytes
    output: BinaryIO | None


class LimitedProcess:
    """Runs a module that calls `serve`, in one process for each file.

    `seconds` is the time for one file, `DEADLINE_SECONDS` where it is None; the module sets the same limit.
    """

    def __init__(self, module: str, seconds: int | None = None, keeps_ready: bool = True):
        self._module = module
        self._seconds = seconds
        self._keeps_ready = keeps_ready
        self._ready: _Process | None = None
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_AT_WORK + MAX_WAITING)
        self._turns = threading.BoundedSemaphore(MAX_AT_WORK)

    def ask(
        self,
        stream: BinaryIO,
        environment: Mapping[str, str],
        request: bytes = b"",
        output: BinaryIO | None = None,
    ) -> bytes:
        """Return the module's answer to a file and a request without a line break. Blocks, so call it in a thread.

        The process has the variables of `environment`, which must be the same in every call.

        Raises:
            DeadlineExceeded: the process took too long.
            ProcessFailed: the process failed.
            TooMany: too many files wait for their turn.
            StorageFull: a file in an object store cannot be copied to this machine.
        """
        with self._turn(), _on_disk(stream) as descriptor:
            descriptors = [descriptor] if output is None else [descriptor, output.fileno()]
            process = self._hand_over(request, descriptors, environment)
            try:
                if self._keeps_ready:
                    self._make_ready(environment)
                return process.answer(DEADLINE_SECONDS if self._seconds is None else self._seconds)
            finally:
                process.end()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with _held(self._places, 0), _held(self._turns, TURN_SECONDS):
            yield

    def _hand_over(self, request: bytes, descriptors: list[int], environment: Mapping[str, str]) -> "_Process":
        """Pass the file to the ready process, or to a new one if there is none or it was killed."""
        with self._lock:
            process, self._ready = self._ready, None
        if process is not None:
            with suppress(OSError):
                process.hand_over(request, descriptors)
                return process
            process.end()
        process = _Process.start(self._module, environment)
        with suppress(OSError):
            process.hand_over(request, descriptors)
        return process

    def _make_ready(self, environment: Mapping[str, str]) -> None:
        with self._lock:
            if self._ready is None:
                self._ready = _Process.start(self._module, environment)


class _Process(NamedTuple):
    """A process for one file, and the socket that carries the file there and the answer back."""

    child: subprocess.Popen[bytes]
    channel: socket.socket

    @classmethod
    def start(cls, module: str, environment: Mapping[str, str]) -> "_Process":
        ours, theirs = socket.socketpair()
        kept = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ}
        with theirs:
            child = subprocess.Popen(
                # Warnings could print content of the file.
                [sys.executable, "-P", "-W", "ignore", "-m", module],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # A folder without an `.env`.
                cwd="/",
                env={**kept, "PYTHONPATH": PACKAGE_PARENT, **environment},
                # So that Ctrl-C reaches only the parent. The session stays the same: a supervisor may kill it.
                process_group=0,
            )
        return cls(child, ours)

    def hand_over(self, request: bytes, descriptors: list[int]) -> None:
        socket.send_fds(self.channel, [request + END], descriptors)

    def answer(self, seconds: int) -> bytes:
        """Wait for the whole answer, at most so many seconds."""
        deadline, answer = time.monotonic() + seconds, bytearray()
        while not answer.endswith(END):
            if (left := deadline - time.monotonic()) <= 0:
                raise DeadlineExceeded
            self.channel.settimeout(left)
            try:
                piece = self.channel.recv(io.DEFAULT_BUFFER_SIZE)
            except TimeoutError:
                raise DeadlineExceeded from None
            except OSError:
                piece = b""
            answer += piece
            if not piece or len(answer) > MAX_ANSWER_BYTES:
                raise ProcessFailed
        return bytes(answer)

    def end(self) -> None:
        """Kill the process if it still runs, and wait for its end."""
        self.child.kill()
        self.child.wait()
        self.channel.close()


def serve(answer: Callable[[Task], bytes], seconds: int | None = None) -> None:
    """In the child process: wait for a file, set the limits and send the answer, which must not hold a line break.

    `seconds` is the time for the file, `DEADLINE_SECONDS` where it is None.

    Raises:
        MemoryError: `answer` needed more than `MEMORY_BYTES` and did not catch the error.
    """
    channel = socket.socket(fileno=0)
    # A request is short, so it comes in one piece.
    request, descriptors, _, _ = socket.recv_fds(channel, MAX_REQUEST_BYTES, 2)
    if not descriptors:
        # The parent has ended.
        return
    _limit(DEADLINE_SECONDS if seconds is None else seconds)
    threading.Thread(target=_end_with_parent, args=(channel,), daemon=True).start()
    with ExitStack() as opened:
        stream = opened.enter_context(os.fdopen(descriptors[0], "rb"))
        output = opened.enter_context(os.fdopen(descriptors[1], "wb")) if descriptors[1:] else None
        stream.seek(0)
        found = answer(Task(stream, request.removesuffix(END), output))
        if output is not None:
            output.flush()
        channel.sendall(found + END)


def _limit(seconds: int) -> None:
    """Let the kernel limit this process's time and memory, which works whatever Python code runs."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds + 1)
    # macOS has the limit but does not accept every value.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # Linux kills this process first when memory is short.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _end_with_parent(channel: socket.socket) -> None:
    # The parent sends nothing more, so reading returns when it has closed its end.
    with suppress(OSError):
        channel.recv(1)
    os._exit(1)


@contextmanager
def _held(semaphore: threading.BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not semaphore.acquire(timeout=seconds):
        detail = "Many files are being read right now. Send the file again in a moment."
        raise TooMany(detail, kind=ProblemType.BUSY, retry_after=RETRY_SECONDS)
    try:
        yield
    finally:
        semaphore.release()


@contextmanager
def _on_disk(stream: BinaryIO) -> Iterator[int]:
    """Yield a file descriptor of the stream; an object from an object store is copied into a temporary file first."""
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
