"""Read the file for the command `import` from a path, a URL or standard input."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from product_importer.core.outbound import address_policy, downloads

READ_BYTES = 1024 * 1024

Write = Callable[[bytes], object]
# Called with the host that a download is redirected to.
Redirected = Callable[[str], object]


class SourceError(Exception):
    """The file cannot be opened, or not be read to its end; the message is one line."""


@dataclass(frozen=True)
class Source:
    """A file to import: its name, and `copy_to`, which passes its bytes to a function as they arrive."""

    name: str
    copy_to: Callable[[Write, Redirected], None]


@contextmanager
def opened(place: str) -> Iterator[Source]:
    """Open a path, a URL, or standard input for `-`. A download begins with `copy_to`.

    Raises:
        SourceError: it cannot be opened; `copy_to` raises it when reading fails.
    """
    if place == "-":
        yield Source("stdin", partial(_copy, sys.stdin.buffer, "Standard input"))
    elif "://" in place:
        yield _remote(place)
    else:
        with _file(place) as file:
            yield Source(Path(place).name, partial(_copy, file, place))


def _remote(url: str) -> Source:
    policy = address_policy.policy()
    try:
        policy.check_url(url)
    except address_policy.AddressNotAllowed as error:
        raise SourceError(f"The URL: {error}") from None
    return Source(downloads.file_name(url), partial(_download, url, policy))


def _download(url: str, policy: address_policy.AddressPolicy, write: Write, redirected: Redirected) -> None:
    try:
        downloads.download(url, policy, write, redirected)
    except downloads.DownloadError as error:
        raise SourceError(f"The download: {error}") from None


def _file(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None


def _copy(stream: BinaryIO, name: str, write: Write, _: Redirected) -> None:
    while piece := _read(stream, name):
        write(piece)


def _read(stream: BinaryIO, name: str) -> bytes:
    try:
        return stream.read(READ_BYTES)
    except OSError as error:
        raise SourceError(f"{name} cannot be read to its end: {error.strerror}") from None
