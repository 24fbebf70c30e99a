"""Run web and workers as one program: start them together, restart what ends, stop them together.

* Each command runs in its own session. Ctrl-C therefore reaches only this process, which decides the order.
* On SIGINT, SIGTERM and SIGHUP every command gets SIGTERM, a few seconds of grace, then SIGKILL for its whole
  session. An RQ worker would finish its running import first; imports resume, so nothing waits for that. RQ's work
  horse has its own process group but stays in its worker's session: hence sessions are killed.
* A second signal during the shutdown kills at once.
* A command that ends is restarted after a pause that doubles. The rest of its session is killed first, so that no
  old work horse runs beside the new one. When an essential command exits by itself soon after its start, everything
  is stopped and the exit code is 1: it would fail again.
* Commands end with this process even when it is killed. Each holds the reading end of a pipe, and
  `exit_with_parent()` in the command notices when the writing end is closed. (Linux's PR_SET_PDEATHSIG reaches
  neither a work horse nor macOS.)
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from product_importer.core.logging.logs import escaped

PARENT_PIPE = "PRODUCT_IMPORTER_PARENT_PIPE"
GRACE_SECONDS = 4.0
POLL_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 30.0
# After this uptime, reset the pause before a restart; an essential command is restarted, too.
HEALTHY_SECONDS = 10.0
WATCH_SECONDS = 3.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Command:
    """A program to keep running. Its output goes where ours goes."""

    name: str
    arguments: Sequence[str]
    essential: bool = False
    environment: dict[str, str] = field(default_factory=dict)
    """Added to our own."""


def supervise(
    commands: Sequence[Command],
    *,
    grace_seconds: float = GRACE_SECONDS,
    healthy_seconds: float = HEALTHY_SECONDS,
    watch: Callable[[], None] | None = None,
) -> int:
    """Keep the commands running until a signal comes; call in the main thread.

    `watch` is called every few seconds.

    Returns:
        0 after a signal, 1 when an essential command does not stay alive.
    """
    return _ProcessManager(commands, grace_seconds, healthy_seconds, watch).run()


def exit_with_parent() -> bool:
    """In a command: end this process and its session as soon as the process manager has ended or was killed.

    Does nothing in a process that no process manager started; returns whether one did.
    """
    pipe = os.environ.pop(PARENT_PIPE, None)
    if pipe:
        threading.Thread(target=_follow_parent, args=(int(pipe),), name="parent", daemon=True).start()
    return bool(pipe)


def kill_session(leader: int) -> None:
    """Kill every process of a session and return when none is left; a caller in the session kills itself last."""
    while members := [pid for pid in _session_members(leader) if pid != os.getpid()]:
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    if os.getsid(0) == leader:
        os.kill(os.getpid(), signal.SIGKILL)


class _ProcessManager:
    def __init__(
        self,
        commands: Sequence[Command],
        grace_seconds: float,
        healthy_seconds: float,
        watch: Callable[[], None] | None,
    ) -> None:
        self._grace_seconds = grace_seconds
        self._watch = watch
        self._signals = 0
        self._pipe, self._held_end = os.pipe()
        self._children = [_Child(command, self._pipe, healthy_seconds) for command in commands]

    def run(self) -> int:
        before = {number: signal.signal(number, self._note_signal) for number in STOP_SIGNALS}
        try:
            failed = self._keep_running()
            self._stop()
        finally:
            for child in self._children:
                child.kill()
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(self._pipe)
            os.close(self._held_end)
        return 1 if failed else 0

    def _keep_running(self) -> bool:
        """Return True when an essential command has failed, False when a signal has come."""
        watched = time.monotonic()
        while not self._signals:
            for child in self._children:
                if not child.keep_running():
                    return True
            if self._watch and time.monotonic() - watched > WATCH_SECONDS:
                self._watch()
                watched = time.monotonic()
            time.sleep(POLL_SECONDS)
        return False

    def _stop(self) -> None:
        signals = self._signals
        if signals:
            # After SIGHUP the terminal is gone.
            with suppress(OSError):
                _say("stopping …")
        for child in self._children:
            child.terminate()
        deadline = time.monotonic() + self._grace_seconds
        while any(child.is_running() for child in self._children):
            if self._signals > signals or time.monotonic() > deadline:
                return
            time.sleep(POLL_SECONDS / 5)

    def _note_signal(self, _number: int, _frame: object) -> None:
        self._signals += 1


class _Child:
    """A command and its current process."""

    def __init__(self, command: Command, pipe: int, healthy_seconds: float) -> None:
        self._command = command
        self._pipe = pipe
        self._healthy_seconds = healthy_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0
        self._pause = FIRST_PAUSE_SECONDS

    def keep_running(self) -> bool:
        """Restart the command when it is due; return False when it is essential and does not stay alive."""
        if self.is_running():
            return True
        if self._process and not self._note_end(self._process):
            return False
        if time.monotonic() >= self._next_start:
            return self._start()
        return True

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill what is left of the command's session, even when its first process has ended."""
        if self._process:
            kill_session(self._process.pid)
            self._process.wait()
            self._process = None

    def _start(self) -> bool:
        self._started = time.monotonic()
        try:
            self._process = subprocess.Popen(
                self._command.arguments,
                stdin=subprocess.DEVNULL,
                env=os.environ | self._command.environment | {PARENT_PIPE: str(self._pipe)},
                pass_fds=[self._pipe],
                start_new_session=True,
            )
        except OSError as error:
            _say(f"{self._command.name} cannot be started: {error}")
            return self._plan_restart(uptime=0, by_itself=True)
        return True

    def _note_end(self, process: subprocess.Popen[bytes]) -> bool:
        uptime = time.monotonic() - self._started
        self.kill()
        how = f"exit code {process.returncode}" if process.returncode >= 0 else f"signal {-process.returncode}"
        _say(f"{self._command.name} ended unexpectedly after {uptime:.0f} s ({how})")
        return self._plan_restart(uptime, by_itself=process.returncode >= 0)

    def _plan_restart(self, uptime: float, by_itself: bool) -> bool:
        if uptime >= self._healthy_seconds:
            self._pause = FIRST_PAUSE_SECONDS
        elif self._command.essential and by_itself:
            _say(f"{self._command.name} does not stay alive, its last lines above say why: stopping everything")
            return False
        _say(f"starting {self._command.name} again in {self._pause:g} s")
        self._next_start = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, MAX_PAUSE_SECONDS)
        return True


def _follow_parent(pipe: int) -> None:
    # Nothing is ever written: reading returns when the writing end is closed.
    os.read(pipe, 1)
    kill_session(os.getsid(0))


def _session_members(leader: int) -> list[int]:
    return [pid for pid in _all_processes() if _session_of(pid) == leader]


def _session_of(pid: int) -> int | None:
    """Return the session of a process, None when it has ended or is a zombie."""
    try:
        if Path("/proc/self/stat").exists():
            # pid (name) state …: the name may contain a closing parenthesis.
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state in "ZX":
                return None
        return os.getsid(pid)
    except OSError:
        return None


def _all_processes() -> list[int]:
    if Path("/proc/self/stat").exists():
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    # macOS. Zombies have the state Z.
    listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,state="], capture_output=True, text=True, check=True)
    return [int(pid) for pid, state in map(str.split, listed.stdout.splitlines()) if not state.startswith("Z")]


def _say(message: str) -> None:
    print(f"product-importer: {escaped(message)}", file=sys.stderr, flush=True)
