"""Read the file for the command `import` from a path, a URL or standard input."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from product_importer.core.outbound import address_policy, downloads

READ_BYTES = 1024 * 1024

# Called with the host that a download is redirected to.
Redirected = Callable[[str], object]


class SourceError(Exception):
    """The file cannot be opened, or not be read to its end; the message is one line."""


@dataclass(frozen=True)
class Source:
    """A file to import: its name, and its bytes as they arrive; `is_repeatable` if they can be read again.

    Close the generator of its bytes after use.
    """

    name: str
    pieces: Callable[[Redirected], Generator[bytes]]
    is_repeatable: bool = False


@contextmanager
def opened(place: str, max_bytes: int | None) -> Iterator[Source]:
    """Open a path, a URL, or standard input for `-`. A download begins with `pieces`, and ends far above `max_bytes`.

    Raises:
        SourceError: it cannot be opened; `pieces` raises it when reading fails.
    """
    if place == "-":
        yield Source("stdin", partial(_pieces, sys.stdin.buffer, "Standard input"))
    elif "://" in place:
        yield _remote(place, max_bytes)
    else:
        with _file(place) as file:
            yield Source(Path(place).name, partial(_from_start, file, place), file.seekable())


def _remote(url: str, max_bytes: int | None) -> Source:
    policy = address_policy.policy()
    try:
        policy.check_url(url)
    except address_policy.AddressNotAllowed as error:
        raise SourceError(f"The URL: {error}") from None
    return Source(downloads.file_name(url), partial(_download, url, policy, max_bytes))


def _download(
    url: str, policy: address_policy.AddressPolicy, max_bytes: int | None, redirected: Redirected
) -> Generator[bytes]:
    try:
        yield from downloads.download(url, policy, redirected, max_bytes)
    except downloads.DownloadError as error:
        raise SourceError(f"The download: {error}") from None


def _file(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None


def _from_start(file: BinaryIO, path: str, redirected: Redirected) -> Generator[bytes]:
    if file.seekable():
        file.seek(0)
    yield from _pieces(file, path, redirected)


def _pieces(stream: BinaryIO, name: str, _: Redirected) -> Generator[bytes]:
    while piece := _read(stream, name):
        yield piece


def _read(stream: BinaryIO, name: str) -> bytes:
    try:
        return stream.read(READ_BYTES)
    except OSError as error:
        raise SourceError(f"{name} cannot be read to its end: {error.strerror}") from None
