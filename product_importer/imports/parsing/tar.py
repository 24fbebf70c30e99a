"""Read the members of a tar one after another, forwards only and in bounded memory.

Python's `tarfile` parses the headers. It is not used to walk: it would read a name of any length into memory.
"""

import io
import posixpath
import re
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from product_importer.imports.parsing.unpacking import Damaged

# Headers that hold long names and the like are read as a whole.
MAX_EXTRA_BYTES = 64 * 1024
MAX_MEMBERS = 100_000
SKIP_BYTES = 1024 * 1024
PAX_RECORD = re.compile(rb"(\d{1,6}) ([^=\n]+)=")


class TarMembers:
    """The files in a tar, each with its name and its content; iterating skips what was not read."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream

    def __iter__(self) -> Iterator[tuple[str, BinaryIO]]:
        """Yield the path and the content of each regular file.

        Raises:
            Damaged: the tar is damaged, or holds what no table has: parts of a file, a header without end.
        """
        for _ in range(MAX_MEMBERS):
            info = self._next_header()
            if info is None:
                return
            if not info.isreg():
                continue
            if info.type == tarfile.GNUTYPE_SPARSE:
                raise Damaged("it holds a file with holes (sparse)")
            content = _Content(self._stream, info.size)
            yield posixpath.normpath(info.name), io.BufferedReader(content)
            content.skip(-info.size % tarfile.BLOCKSIZE)
        raise Damaged(f"it lists more than {MAX_MEMBERS:,} files")

    def _next_header(self) -> tarfile.TarInfo | None:
        """Return the next header of a file, with what the headers before it say about it; None at the end."""
        found: dict[str, str] = {}
        while True:
            block = _exactly(self._stream, tarfile.BLOCKSIZE)
            if not block.strip(b"\0"):
                return None
            try:
                info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
            except (tarfile.HeaderError, ValueError) as error:
                raise Damaged(f"a header in it is wrong ({error})") from error
            if info.size < 0:
                raise Damaged("a file in it has a negative size")
            if info.type == tarfile.GNUTYPE_LONGNAME:
                found["path"] = self._extra(info).rstrip(b"\0").decode("utf-8", "replace")
            elif info.type in (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                found |= _pax(self._extra(info))
            elif info.type in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
                self._extra(info)
            else:
                return _with(info, found)

    def _extra(self, info: tarfile.TarInfo) -> bytes:
        if info.size > MAX_EXTRA_BYTES:
            raise Damaged(f"a header in it has {info.size:,} bytes")
        content = _exactly(self._stream, info.size)
        _exactly(self._stream, -info.size % tarfile.BLOCKSIZE)
        return content


class _Content(io.RawIOBase):
    """The content of one file in a tar."""

    def __init__(self, stream: BinaryIO, size: int):
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), self._left))
        if not piece and self._left:
            raise Damaged("it breaks off before its end")
        buffer[: len(piece)] = piece
        self._left -= len(piece)
        return len(piece)

    def skip(self, padding: int) -> None:
        """Move behind the content and what fills its last block."""
        while self._left:
            self._left -= len(_exactly(self._stream, min(self._left, SKIP_BYTES)))
        _exactly(self._stream, padding)


def _with(info: tarfile.TarInfo, found: dict[str, str]) -> tarfile.TarInfo:
    """Return a header with the path and the size of the headers before it."""
    if any(key.startswith("GNU.sparse.") for key in found):
        raise Damaged("it holds a file with holes (sparse)")
    info.name = found.get("path", info.name)
    if "\0" in info.name:
        raise Damaged("the name of a file in it has a NUL character")
    if "size" in found:
        if not (found["size"].isascii() and found["size"].isdigit() and len(found["size"]) < 20):
            raise Damaged("a file in it has no size")
        info.size = int(found["size"])
    return info


def _pax(records: bytes) -> dict[str, str]:
    """Return the pairs of an extended header: each is its own length, a space, key, `=`, value, line break."""
    found: dict[str, str] = {}
    at = 0
    while match := PAX_RECORD.match(records, at):
        end = at + int(match[1])
        if not match.end() < end <= len(records):
            raise Damaged("a header in it is wrong")
        found[match[2].decode("utf-8", "replace")] = records[match.end() : end - 1].decode("utf-8", "replace")
        at = end
    return found


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """Return so many bytes.

    Raises:
        Damaged: there are fewer.
    """
    content = b""
    while len(content) < size:
        piece = stream.read(size - len(content))
        if not piece:
            raise Damaged("it breaks off before its end")
        content += piece
    return content
