"""Folders for the temporary files of one task. What a killed process left is removed by the next task."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from product_importer.core.settings import settings

# A folder without a lock that is younger may be about to be locked.
MIN_AGE_SECONDS = 60


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a private folder in `SPOOL_DIR`; it is removed at the end of the block.

    Its process holds a lock on it. Folders of the same prefix whose lock nobody holds are removed first.

    Raises:
        OSError: there is no room, or the folder cannot be written to.
    """
    parent = settings().spools
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_abandoned(parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        # Another process may remove it at the same time, or hold its lock.
        with suppress(FileNotFoundError, NotADirectoryError, BlockingIOError):
            if time.time() - folder.stat().st_mtime > MIN_AGE_SECONDS:
                _remove_if_unlocked(folder)


def _remove_if_unlocked(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
