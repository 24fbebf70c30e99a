"""Limit processes to a share of a core by a control group of Linux, of either version; root may make one."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.waiting import wait_for

ROOT = Path("/sys/fs/cgroup")
NAME = "product-importer-bench"
# Short, so that a process waits often and briefly, as it does on a slower processor.
PERIOD_MICROSECONDS = 20_000
# High: what else runs on the machine shall not take what a group may have.
WEIGHT, SHARES = 1_000, 20_000
REMOVE_SECONDS = 30


@contextmanager
def limited(groups: Iterable[tuple[Iterable[int], float]]) -> Iterator[None]:
    """Limit each group of processes, and what they start, to its share of a core during the block.

    Raises:
        OSError: there are no control groups, or this user may not make one.
    """
    made: list[Path] = []
    try:
        for number, (pids, share) in enumerate(groups):
            made.append(_make(f"{NAME}-{os.getpid()}-{number}", share))
            for pid in pids:
                # It may have ended meanwhile.
                with suppress(ProcessLookupError):
                    (made[-1] / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        for folder in made:
            _remove(folder)


def _make(name: str, share: float) -> Path:
    quota = int(share * PERIOD_MICROSECONDS)
    is_second_version = (ROOT / "cgroup.controllers").exists()
    folder = ROOT / name if is_second_version else ROOT / "cpu" / name
    if is_second_version:
        (ROOT / "cgroup.subtree_control").write_text("+cpu")
    folder.mkdir()
    if is_second_version:
        (folder / "cpu.weight").write_text(str(WEIGHT))
        (folder / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
    else:
        (folder / "cpu.shares").write_text(str(SHARES))
        (folder / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
        (folder / "cpu.cfs_quota_us").write_text(str(quota))
    return folder


def _remove(folder: Path) -> None:
    """Give the processes back to the first group, and remove theirs."""
    wait_for(lambda: _is_removed(folder), REMOVE_SECONDS, f"{folder} can be removed")


def _is_removed(folder: Path) -> bool:
    """Empty a group and remove it; return False if a process was started meanwhile, or ended and is still counted."""
    with suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                (folder.parent / "cgroup.procs").write_text(pid)
        folder.rmdir()
    return not folder.exists()
