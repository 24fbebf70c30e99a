"""Unpack gzip, bzip2, xz and zstd piece by piece, so that no file can fill the memory, whatever it unpacks to."""

import bz2
import io
import lzma
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

from product_importer.core.errors import TooMany
from product_importer.core.problem_types import ProblemType
from product_importer.imports.parsing.file_format import Container
from product_importer.imports.parsing.records import not_csv

PIECE_BYTES = 1024 * 1024
# What `xz -9` needs; zstd's own limit is twice as much.
XZ_MEMORY_BYTES = 66 * 1024 * 1024
# How many such files are unpacked at once, and how long others wait.
MAX_AT_ONCE = 2
TURN_SECONDS = 60.0
RETRY_SECONDS = 10
_turns = threading.BoundedSemaphore(MAX_AT_ONCE)


class Damaged(ValueError):
    """What is packed cannot be unpacked; the message says why."""


class Unpacker(Protocol):
    """Unpacks a file while it arrives."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to, at most `PIECE_BYTES` at a time.

        Raises:
            Invalid: the file is damaged.
        """

    def finish(self) -> Iterator[bytes]:
        """Yield the rest, after the last bytes.

        Raises:
            Invalid: the file is incomplete.
        """


class Gunzip:
    """Unpacks a gzip while it arrives; several in a row are one file, as the format allows."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._inflate.eof:
                # Some programs pad the file with zeros.
                chunk = chunk.lstrip(b"\0")
                self._inflate = zlib.decompressobj(wbits=31) if chunk else self._inflate
            else:
                yield self._unpack(chunk)
                chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> Iterator[bytes]:
        while piece := self._unpack(b""):
            yield piece
        if not self._inflate.eof:
            raise not_csv("The gzip file breaks off before its end. Send it again.")

    def _unpack(self, chunk: bytes) -> bytes:
        try:
            return self._inflate.decompress(chunk, PIECE_BYTES)
        except zlib.error as error:
            raise not_csv(f"The gzip file is damaged: {error}.") from error


class BlockUnpacker:
    """Unpacks bzip2 or xz while it arrives; several in a row are one file."""

    def __init__(self, name: str, new: Callable[[], "bz2.BZ2Decompressor | lzma.LZMADecompressor"]):
        self._name = name
        self._new = new
        self._one = new()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            if self._one.eof:
                # xz files may be padded with zeros.
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    return
                self._one = self._new()
            yield self._unpack(chunk)
            while not (self._one.eof or self._one.needs_input):
                yield self._unpack(b"")
            chunk = self._one.unused_data if self._one.eof else b""

    def finish(self) -> Iterator[bytes]:
        if not self._one.eof:
            raise not_csv(f"The {self._name} file breaks off before its end. Send it again.")
        return iter(())

    def _unpack(self, chunk: bytes) -> bytes:
        try:
            return self._one.decompress(chunk, PIECE_BYTES)
        except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
            raise not_csv(f"The {self._name} file cannot be unpacked: {error}. Pack it again, as gzip.") from error


# zstd is not here: its library has no interface that bounds what a piece of a file unpacks to.
UNPACKERS: dict[Container, Callable[[], Unpacker]] = {
    "gzip": Gunzip,
    "bzip2": lambda: BlockUnpacker("bzip2", bz2.BZ2Decompressor),
    "xz": lambda: BlockUnpacker("xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY_BYTES)),
}
# These need much memory, so they are unpacked only when they are stored, and not while slow clients send them.
WHILE_ARRIVING: tuple[Container, ...] = ("gzip", "bzip2")


def unpacking(stream: BinaryIO, container: Container) -> BinaryIO:
    """Return a stream of what is packed in another one, which is read from its present position.

    Raises:
        Invalid: on reading, if it is damaged or incomplete.
    """
    if container == "zstd":
        # Arrow would take time and memory of the processes for workbooks, which never unpack this.
        from product_importer.imports.parsing.zstd import Unzstd

        return io.BufferedReader(Unzstd(stream))
    return io.BufferedReader(_Pulled(stream, UNPACKERS[container]()), PIECE_BYTES)


@contextmanager
def memory_turn(container: Container) -> Iterator[None]:
    """Wait until a file of this container may be unpacked.

    Raises:
        TooMany: others take too long.
    """
    if container in ("plain", *WHILE_ARRIVING):
        yield
        return
    if not _turns.acquire(timeout=TURN_SECONDS):
        detail = "Many packed files are being read right now. Send the file again in a moment."
        raise TooMany(detail, kind=ProblemType.BUSY, retry_after=RETRY_SECONDS)
    try:
        yield
    finally:
        _turns.release()


class _Pulled(io.RawIOBase):
    """Reads what an unpacker makes of a stream."""

    def __init__(self, stream: BinaryIO, unpacker: Unpacker):
        self._pieces = self._unpacked(stream, unpacker)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    @staticmethod
    def _unpacked(stream: BinaryIO, unpacker: Unpacker) -> Iterator[bytes]:
        while chunk := stream.read(PIECE_BYTES):
            yield from unpacker.feed(chunk)
        yield from unpacker.finish()
