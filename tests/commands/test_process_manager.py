"""The process manager, with real processes and real kill -9."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from product_importer.web.ports import PortError, require_free_port
from tests.waiting import wait_for

pytestmark = pytest.mark.processes

PROJECT = Path(__file__).parents[2]
SECONDS = 60
MANAGER = """
import sys
from product_importer.commands.process_manager import Command, supervise
children = [
    Command(name, [sys.executable, "-c", program], essential=name == "web")
    for name, program in zip(sys.argv[2::2], sys.argv[3::2])
]
sys.exit(supervise(children, grace_seconds=0.5, healthy_seconds=float(sys.argv[1])))
"""
# A child that writes its process id. With `fork_horse` it has a child in its own process group, as RQ's workers do.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from product_importer.commands.process_manager import exit_with_parent
exit_with_parent()
{signals}
horse = os.fork() if {fork_horse} else -1
if horse == 0:
    os.setpgrp()
me = Path({folder!r}) / ("horse" if horse == 0 else "pid")
me.with_suffix(".new").write_text(str(os.getpid()))
me.with_suffix(".new").rename(me)
{then}
"""
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


@contextmanager
def running(*children: str, healthy_seconds: float = 0) -> Iterator[subprocess.Popen[str]]:
    """Run a process manager with these children (name, program, name, program …)."""
    process = subprocess.Popen(
        [sys.executable, "-c", MANAGER, str(healthy_seconds), *children],
        cwd=PROJECT,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def program(folder: Path, *, signals: str = "", fork_horse: bool = False, then: str = "time.sleep(600)") -> str:
    folder.mkdir()
    return PROGRAM.format(folder=str(folder), signals=signals, fork_horse=fork_horse, then=then)


def pid_in(folder: Path, name: str = "pid") -> int:
    path = folder / name
    wait_for(path.exists, SECONDS, f"{path} is written")
    return int(path.read_text())


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    listed = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")


def wait_for_end(*pids: int) -> None:
    for pid in pids:
        wait_for(lambda pid=pid: not is_alive(pid), SECONDS, f"process {pid} has ended")  # type: ignore[misc]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_processes_and_is_no_failure(tmp_path: Path, number: int) -> None:
    with running("web", program(tmp_path / "web"), "worker", program(tmp_path / "worker")) as manager:
        pids = [pid_in(tmp_path / "web"), pid_in(tmp_path / "worker")]
        manager.send_signal(number)
        assert manager.wait(SECONDS) == 0
        assert not any(map(is_alive, pids))


def test_a_worker_that_ignores_signals_is_killed_with_its_work_horse(tmp_path: Path) -> None:
    worker = program(tmp_path / "worker", signals=STUBBORN, fork_horse=True)
    with running("worker", worker) as manager:
        pids = [pid_in(tmp_path / "worker"), pid_in(tmp_path / "worker", "horse")]
        manager.send_signal(signal.SIGTERM)
        assert manager.wait(SECONDS) == 0
        assert not any(map(is_alive, pids))


def test_a_killed_process_manager_ends_all_processes(tmp_path: Path) -> None:
    worker = program(tmp_path / "worker", signals=STUBBORN, fork_horse=True)
    with running("web", program(tmp_path / "web"), "worker", worker) as manager:
        pids = [pid_in(tmp_path / "web"), pid_in(tmp_path / "worker"), pid_in(tmp_path / "worker", "horse")]
        manager.kill()
        wait_for_end(*pids)


def test_a_killed_worker_is_replaced_and_its_work_horse_ended(tmp_path: Path) -> None:
    with running("worker", program(tmp_path / "worker", fork_horse=True)):
        worker, horse = pid_in(tmp_path / "worker"), pid_in(tmp_path / "worker", "horse")
        os.kill(worker, signal.SIGKILL)
        wait_for_end(horse)
        wait_for(lambda: pid_in(tmp_path / "worker") != worker, SECONDS, "a new worker")


def test_a_web_process_that_cannot_start_ends_all_processes(tmp_path: Path) -> None:
    web = program(tmp_path / "web", then="sys.exit('no page')")
    with running("web", web, "worker", program(tmp_path / "worker"), healthy_seconds=30) as manager:
        assert manager.wait(SECONDS) == 1
        assert manager.stderr is not None
        output = manager.stderr.read()
    assert "no page" in output
    assert "web does not stay alive, its last lines above say why: stopping everything" in output


def test_a_web_process_that_had_worked_is_restarted(tmp_path: Path) -> None:
    with running("web", program(tmp_path / "web")):
        first = pid_in(tmp_path / "web")
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: pid_in(tmp_path / "web") != first, SECONDS, "a new web process")


def test_a_missing_program_is_named() -> None:
    command = (
        "from product_importer.commands.process_manager import Command, supervise; import sys;"
        " sys.exit(supervise([Command('web', ['/no'], essential=True)]))"
    )
    done = subprocess.run([sys.executable, "-c", command], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "web cannot be started: [Errno 2] No such file or directory: '/no'" in done.stderr


def test_the_error_for_a_taken_port_suggests_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            PortError, match=rf"port {port} is taken by another program: stop it or set PORT=\d+"
        ) as caught:
            require_free_port("127.0.0.1", port)
    suggested = int(str(caught.value).rpartition("=")[2])
    require_free_port("127.0.0.1", suggested)
    require_free_port("127.0.0.1", port)


def test_a_host_of_another_machine_is_named() -> None:
    with pytest.raises(PortError, match=r"HOST=192\.0\.2\.1 is not an address of this machine"):
        require_free_port("192.0.2.1", 3000)
