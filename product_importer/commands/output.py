"""Write a file to standard output, or to a file that appears only when it is complete."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path


class OutputError(Exception):
    """The file cannot be written; the message is one line."""


def check(target: str) -> None:
    """Check before long work that the output's folder can be written to.

    Raises:
        OutputError: the folder does not exist or is not writable.
    """
    if target != "-" and not os.access(Path(target).parent, os.W_OK | os.X_OK):
        raise OutputError(f"{target} cannot be written: its folder does not exist or is not writable")


def write(pieces: Iterable[bytes], target: str) -> None:
    """Write to standard output for `-`, or to a file that appears under its name only when it is complete.

    Raises:
        OutputError: the file cannot be written.
        BrokenPipeError: the program that reads standard output has closed it.
    """
    if target == "-":
        _print(pieces)
        return
    try:
        _replace(pieces, Path(target))
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from None


def _print(pieces: Iterable[bytes]) -> None:
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python flushes standard output again at its end: that must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _replace(pieces: Iterable[bytes], path: Path) -> None:
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.writelines(pieces)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
