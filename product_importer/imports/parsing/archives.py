"""Tell a file's container by its first bytes, and unpack gzip and zip within bounds. File names do not count."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, Literal, TypeVar, cast

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.imports.parsing.file_format import Container, Format
from product_importer.imports.parsing.other_documents import EXPORT
from product_importer.imports.parsing.records import not_csv

Archive = TypeVar("Archive", bound=zipfile.ZipFile)

# Enough bytes to tell what a file is.
MAGIC_BYTES = 512
PIECE_BYTES = 1024 * 1024
# The directory of a zip is read into memory as a whole; this limit allows some 100,000 files.
MAX_DIRECTORY_BYTES = 8 * 1024 * 1024

GZIP = b"\x1f\x8b\x08"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
SAVE_AS = "Save it as .xlsx or as “CSV UTF-8” and upload that."
REPACK = "Unpack it and upload the CSV itself, as it is or packed with gzip or zip."
# The container of an .xls, and of documents of other old programs.
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OTHERS = {
    b"%PDF-": f"a PDF document. {EXPORT}",
    b"\x89PNG": f"a picture. {SAVE_AS}",
    b"\xff\xd8\xff": f"a picture. {SAVE_AS}",
    b"GIF89a": f"a picture. {SAVE_AS}",
    b"PAR1\x15": f"a Parquet file. {SAVE_AS}",
    b"SQLite format 3\0": f"an SQLite database. {SAVE_AS}",
    b"7z\xbc\xaf\x27\x1c": f"packed with 7-Zip. {REPACK}",
    b"Rar!\x1a\x07": f"packed with RAR. {REPACK}",
    b"\xfd7zXZ\0": f"packed with xz. {REPACK}",
    b"\x28\xb5\x2f\xfd": f"packed with zstd. {REPACK}",
    b"BZh91AY&SY": f"packed with bzip2. {REPACK}",
}
TAR_AT, TAR = 257, b"ustar"

TABLE_ENDINGS = (".csv", ".tsv", ".tab", ".txt")
# Encrypted, in the flags of a zip's member.
ENCRYPTED = 0x1
# Python's zipfile does not unpack other methods piece by piece, so a zip bomb would fill the memory.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile raises for damaged archives; a bad file name is a ValueError.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OverflowError)


def container_of(start: bytes) -> Container | Literal["ole"]:
    """Return a file's container by its first `MAGIC_BYTES`; a "zip" may turn out to be a workbook, "ole" is one.

    Raises:
        Invalid: it is a kind of file that cannot be imported; `not-csv`.
    """
    for mark, words in OTHERS.items():
        if start.startswith(mark):
            raise not_csv(f"This is {words}")
    if start[TAR_AT:].startswith(TAR):
        raise not_csv(f"This is a tar archive. {REPACK}")
    if start.startswith(GZIP):
        return "gzip"
    if start.startswith(OLE):
        return "ole"
    return "zip" if start.startswith(ZIP) else "plain"


def unpacked(stream: BinaryIO, format: Format) -> BinaryIO:
    """Return a stream of the text in a stored file of this format.

    Raises:
        Invalid: it is a damaged zip.
    """
    if format.container == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if format.container == "zip":
        assert format.part is not None
        return _opened(open_archive(stream, zipfile.ZipFile), format.part)
    return stream


class Gunzip:
    """Unpacks a gzip while it arrives; several in a row are one file, as the format allows."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what the next bytes unpack to, at most `PIECE_BYTES` at a time.

        Raises:
            Invalid: the file is damaged.
        """
        while chunk:
            if self._inflate.eof:
                # Some programs pad the file with zeros.
                chunk = chunk.lstrip(b"\0")
                self._inflate = zlib.decompressobj(wbits=31) if chunk else self._inflate
            else:
                yield self._unpack(chunk)
                chunk = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> Iterator[bytes]:
        """Yield the rest, after the last bytes.

        Raises:
            Invalid: the file is incomplete.
        """
        while piece := self._unpack(b""):
            yield piece
        if not self._inflate.eof:
            raise not_csv("The gzip file breaks off before its end. Send it again.")

    def _unpack(self, chunk: bytes) -> bytes:
        try:
            return self._inflate.decompress(chunk, PIECE_BYTES)
        except zlib.error as error:
            raise not_csv(f"The gzip file is damaged: {error}.") from error


def open_archive(stream: IO[bytes], kind: type[Archive]) -> Archive:
    """Open a zip as that kind of `ZipFile`.

    Raises:
        Invalid: it is damaged, or lists far more files than an upload has.
    """
    try:
        # The record that ZipFile itself reads. It is not public, but tells the size before the list is in memory.
        record = zipfile._EndRecData(stream)  # type: ignore[attr-defined]
        if record and record[zipfile._ECD_SIZE] > MAX_DIRECTORY_BYTES:  # type: ignore[attr-defined]
            raise not_csv("The zip lists more files than a catalogue has. Pack the CSV alone.")
        archive = kind(stream)
        if any(member.header_offset < 0 for member in archive.infolist()):
            raise zipfile.BadZipFile("a file in it begins before its start")
    except BROKEN as error:
        raise damaged(error) from error
    return archive


def only_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only CSV in a zip. Folders, hidden files and those that macOS adds do not count.

    Raises:
        Invalid: there is none or more than one, or it is encrypted or packed with an unusual method.
    """
    files = [member for member in archive.infolist() if not _is_ignored(member.filename)]
    tables = files if len(files) == 1 else [member for member in files if _is_table(member.filename)]
    if len(tables) != 1:
        found = ", ".join(f"“{member.filename}”" for member in files[:10]) or "nothing"
        raise not_csv(f"A zip must hold exactly one CSV; this one holds: {found}. Upload each by itself.")
    [table] = tables
    if table.flag_bits & ENCRYPTED:
        raise not_csv(f"“{table.filename}” is locked with a password. Pack it without one.")
    if table.compress_type not in METHODS:
        raise not_csv(f"“{table.filename}” is packed with an unusual method. Pack it as a normal zip.")
    return table


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of an unpacked stream in pieces.

    Raises:
        Invalid: the archive is damaged.
    """
    while True:
        try:
            piece = stream.read(PIECE_BYTES)
        except BROKEN as error:
            raise damaged(error) from error
        if not piece:
            return
        yield piece


def damaged(error: Exception) -> Invalid:
    """Return the error for an archive that cannot be unpacked."""
    return not_csv(
        f"The file is damaged, or was not transferred to its end, and cannot be unpacked: {error}. "
        "Send it again, or save or pack it again."
    )


def too_large(subject: str = "The file") -> TooLarge:
    """Return the error for content that is larger than `MAX_UPLOAD_MB`; `subject` names it."""
    limit = settings()
    return TooLarge(
        f"{subject} is larger than {limit.max_upload_mb} MB. Split it, or raise MAX_UPLOAD_MB.",
        limit_bytes=limit.max_upload_bytes,
    )


def _opened(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    try:
        return cast(BinaryIO, archive.open(name))
    except BROKEN as error:
        raise damaged(error) from error


def _is_ignored(name: str) -> bool:
    parts = name.split("/")
    return parts[-1] == "" or parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)


def _is_table(name: str) -> bool:
    return name.lower().endswith(TABLE_ENDINGS)
