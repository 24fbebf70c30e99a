"""The limited process can read only its file, and always ends."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from product_importer.core.errors import TooMany
from product_importer.imports.parsing import limited_process
from product_importer.imports.parsing.limited_process import DeadlineExceeded, LimitedProcess, ProcessFailed
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

MODULE = "tests.imports.parsing.limited_process_child"
SECONDS = 30


@pytest.fixture
def stream(tmp_path):
    path = tmp_path / "file"
    path.write_text("content")
    with path.open("rb") as opened:
        yield opened


def is_gone(pid: int) -> bool:
    """Whether a process has ended; a zombie counts as ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def written_pid(path: Path) -> Callable[[], int]:
    return lambda: int(path.read_text()) if path.exists() else 0


def test_the_process_has_only_its_file(stream, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://:secret@example.com")
    found = json.loads(LimitedProcess(MODULE).ask(stream, {"ACT": "report"}))
    assert found["content"] == "content"
    # Python itself may set LC_CTYPE.
    assert found["environment"].keys() - {*limited_process.PASSED_VARIABLES, "LC_CTYPE"} == {"PYTHONPATH", "ACT"}
    assert found["sockets"] == [0]


def test_an_object_from_an_object_store_is_copied_into_a_file():
    content = io.BytesIO(b"in an object store")
    content.read()
    assert json.loads(LimitedProcess(MODULE).ask(content, {"ACT": "report"}))["content"] == "in an object store"


def test_each_file_has_its_own_process_and_a_killed_one_is_replaced(stream):
    work, pids = LimitedProcess(MODULE), set()
    for _ in range(3):
        pids.add(json.loads(work.ask(stream, {"ACT": "report"}))["pid"])
        assert work._ready is not None
        work._ready.child.kill()
        work._ready.child.wait()
    assert len(pids) == 3
    assert all(map(is_gone, pids))


@pytest.mark.parametrize("act", ["wait", "hold_the_interpreter"])
def test_a_process_that_exceeds_its_time_is_killed(stream, monkeypatch, tmp_path, act):
    pid = tmp_path / "pid"
    work = LimitedProcess(MODULE)
    monkeypatch.setattr(limited_process, "DEADLINE_SECONDS", 1)
    with pytest.raises(DeadlineExceeded):
        # Repeat until the process has begun before the deadline.
        while not pid.exists():
            work.ask(stream, {"ACT": act, "PID_FILE": str(pid)})
    assert is_gone(written_pid(pid)())


ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")


@pytest.mark.parametrize("act", ["fail", pytest.param("fill_the_memory", marks=ONLY_LINUX)])
def test_after_a_failed_process_the_next_file_is_read(stream, act):
    with pytest.raises(ProcessFailed):
        LimitedProcess(MODULE).ask(stream, {"ACT": act})
    assert json.loads(LimitedProcess(MODULE).ask(stream, {"ACT": "report"}))["content"] == "content"


@pytest.mark.parametrize("act", ["wait", "hold_the_interpreter"])
def test_the_process_ends_with_its_parent(tmp_path, act):
    """This holds during a call into C, too: the kernel ends the process when its time is over."""
    pid = tmp_path / "pid"
    environment = {"ACT": act, "PID_FILE": str(pid), "SECONDS": "1"}
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from product_importer.imports.parsing.limited_process import LimitedProcess\n"
            f"LimitedProcess({MODULE!r}).ask(open({__file__!r}, 'rb'), {environment!r})",
        ]
    )
    child = wait_for(written_pid(pid), SECONDS, "the process has begun")
    parent.kill()
    parent.wait()
    wait_for(lambda: is_gone(child), SECONDS, "the process has ended")


def test_too_many_files_at_once_get_an_error(stream, monkeypatch, tmp_path):
    monkeypatch.setattr(limited_process, "MAX_AT_WORK", 1)
    monkeypatch.setattr(limited_process, "MAX_WAITING", 0)
    work, pid = LimitedProcess(MODULE), tmp_path / "pid"
    environment = {"ACT": "wait", "PID_FILE": str(pid)}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work.ask, stream, environment)
        child = wait_for(written_pid(pid), SECONDS, "the first has begun")
        with pytest.raises(TooMany, match="in a moment"):
            work.ask(stream, environment)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(ProcessFailed):
            first.result()


def test_a_file_that_waits_too_long_gets_an_error(stream, monkeypatch, tmp_path):
    monkeypatch.setattr(limited_process, "MAX_AT_WORK", 1)
    monkeypatch.setattr(limited_process, "TURN_SECONDS", 0.01)
    work, pid = LimitedProcess(MODULE), tmp_path / "pid"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(work.ask, stream, {"ACT": "wait", "PID_FILE": str(pid)})
        child = wait_for(written_pid(pid), SECONDS, "the first has begun")
        with pytest.raises(TooMany):
            work.ask(stream, {"ACT": "wait"})
        os.kill(child, signal.SIGKILL)
        with pytest.raises(ProcessFailed):
            first.result()
