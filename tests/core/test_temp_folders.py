"""Folders for temporary files are removed, at the latest by the next task."""

import os
import time
from pathlib import Path

import pytest

from product_importer.core.settings import settings
from product_importer.core.temp_folders import MIN_AGE_SECONDS, temporary_folder

PREFIX = "test-"


def made_earlier(folder: Path, seconds: float = MIN_AGE_SECONDS + 1) -> Path:
    (folder / "file").write_text("x")
    then = time.time() - seconds
    os.utime(folder, (then, then))
    return folder


def abandoned(name: str, seconds: float = MIN_AGE_SECONDS + 1) -> Path:
    folder = settings().spools / name
    folder.mkdir(parents=True)
    return made_earlier(folder, seconds)


def test_a_folder_is_private_and_removed_at_the_end():
    with temporary_folder(PREFIX) as folder:
        assert folder.parent == settings().spools and folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_text("x")
    assert not folder.exists()


def test_a_folder_is_removed_after_an_error():
    with pytest.raises(ZeroDivisionError), temporary_folder(PREFIX) as folder:
        raise ZeroDivisionError
    assert not folder.exists()


def test_the_next_task_removes_what_a_killed_process_left():
    left = abandoned(f"{PREFIX}left")
    other = abandoned("other-left")
    young = abandoned(f"{PREFIX}young", seconds=0)
    with temporary_folder(PREFIX):
        assert (left.exists(), other.exists(), young.exists()) == (False, True, True)
    for folder in (other, young):
        (folder / "file").unlink()
        folder.rmdir()


def test_the_folder_of_a_running_task_is_kept():
    with temporary_folder(PREFIX) as first:
        made_earlier(first)
        with temporary_folder(PREFIX) as second:
            assert first != second and (first / "file").exists()
