"""Where a command writes a table: standard output, or a file that is there only when it is whole."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path


class OutputError(Exception):
    """The file cannot be written; the message is one line."""


def check(target: str) -> None:
    """Look, before long work begins, whether there is a folder for its output.

    Raises:
        OutputError: there is none, or none that may be written to.
    """
    if target != "-" and not os.access(Path(target).parent, os.W_OK | os.X_OK):
        raise OutputError(f"{target} cannot be written: its folder is not there, or not yours")


def write(pieces: Iterable[str], target: str) -> None:
    """Write to standard output for `-`, or to a file that appears under its name only when it is whole.

    Raises:
        OutputError: the file cannot be written.
        BrokenPipeError: whoever read standard output has enough.
    """
    if target == "-":
        _print(pieces)
        return
    try:
        _replace(pieces, Path(target))
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}") from None


def _print(pieces: Iterable[str]) -> None:
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What Python would still flush at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _replace(pieces: Iterable[str], path: Path) -> None:
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
