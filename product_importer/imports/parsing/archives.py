"""Tell a file's container by its first bytes, and open what is packed in it. The file's own name does not count."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, BinaryIO, Literal, NamedTuple, TypeVar, cast

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.imports.parsing.file_format import Container, Format
from product_importer.imports.parsing.other_documents import EXPORT
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.parsing.tar import TarMembers
from product_importer.imports.parsing.unpacking import PIECE_BYTES, unpacking

Archive = TypeVar("Archive", bound=zipfile.ZipFile)

# Enough bytes to tell what a file is.
MAGIC_BYTES = 512
# The directory of a zip is read into memory as a whole; this limit allows some 100,000 files.
MAX_DIRECTORY_BYTES = 8 * 1024 * 1024

PACKED: dict[bytes, Container] = {
    b"\x1f\x8b\x08": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
# What follows `BZh` and a digit: a block, or the end of an empty file. Text can begin with `BZh`.
BZIP2_BLOCKS = (b"1AY&SY", b"\x17rE8P\x90")
PARQUET = b"PAR1\x15"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
SAVE_AS = "Save it as .xlsx or as “CSV UTF-8” and upload that."
REPACK = "Unpack it and upload the file in it, as it is or packed once."
# The container of an .xls, and of documents of other old programs.
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OTHERS = {
    b"%PDF-": f"a PDF document. {EXPORT}",
    b"\x89PNG": f"a picture. {SAVE_AS}",
    b"\xff\xd8\xff": f"a picture. {SAVE_AS}",
    b"GIF89a": f"a picture. {SAVE_AS}",
    b"PARE": f"an encrypted Parquet file. {SAVE_AS}",
    b"SQLite format 3\0": f"an SQLite database. {SAVE_AS}",
    b"7z\xbc\xaf\x27\x1c": f"packed with 7-Zip. {REPACK}",
    b"Rar!\x1a\x07": f"packed with RAR. {REPACK}",
}
TAR_AT, TAR = 257, b"ustar"

# The names of tables; where there are none, those of the second kind, which can as well be a readme.
TABLE_ENDINGS = ((".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson"), (".txt",))
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
        return "tar"
    if start.startswith(OLE):
        return "ole"
    for mark, container in PACKED.items():
        if start.startswith(mark) and (container != "bzip2" or start[4:10] in BZIP2_BLOCKS):
            return container
    return "zip" if start.startswith(ZIP) else "plain"


def unpacked(stream: BinaryIO, format: Format) -> BinaryIO:
    """Return a stream of the text in a stored file of this format.

    Raises:
        Invalid: it is a damaged archive; also on reading.
    """
    if format.container == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if format.container == "zip":
        assert format.part is not None
        return _opened(open_archive(stream, zipfile.ZipFile), format.part)
    if format.container == "tar":
        for name, content in TarMembers(_unpacked_tar(stream)):
            if name == format.part:
                return content
        raise not_csv("The tar has changed since it was stored.")
    if format.container in PACKED.values():
        return unpacking(stream, format.container)
    return stream


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


class OnlyTable(NamedTuple):
    """The path of the only table in an archive, and those of the other files that are not read."""

    path: str
    others: list[str]


def only_table(archive: zipfile.ZipFile) -> OnlyTable:
    """Return the only table in a zip. Folders, hidden files and those that macOS adds do not count.

    Raises:
        Invalid: there is none or more than one, or it is encrypted or packed with an unusual method.
    """
    members = archive.infolist()
    place, others = _only_table("zip", [member.filename for member in members])
    table = members[place]
    if table.flag_bits & ENCRYPTED:
        raise not_csv(f"“{table.filename}” is locked with a password. Pack it without one.")
    if table.compress_type not in METHODS:
        raise not_csv(f"“{table.filename}” is packed with an unusual method. Pack it as a normal zip.")
    return OnlyTable(table.filename, others)


def is_packed_tar(stream: BinaryIO, container: Container) -> bool:
    """Whether a tar is packed in a stored file.

    Raises:
        Invalid: the file is damaged.
    """
    stream.seek(0)
    start = unpacking(stream, container).read(MAGIC_BYTES)
    return start[TAR_AT:].startswith(TAR)


def only_table_in_tar(stream: BinaryIO) -> OnlyTable:
    """Return the only table in a tar, which may be packed as a whole; the same files count as in a zip.

    Raises:
        Invalid: there is none or more than one, or the tar is damaged.
        TooLarge: the tar has more than `MAX_UPLOAD_MB`.
    """
    stream.seek(0)
    limited = _Limited(_unpacked_tar(stream))
    try:
        names = [name for name, _ in TarMembers(cast(BinaryIO, limited))]
        while limited.read(PIECE_BYTES):
            # What packs the tar has a checksum at its end.
            pass
    except BROKEN as error:
        raise damaged(error) from error
    place, others = _only_table("tar", names)
    return OnlyTable(names[place], others)


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


class _Limited:
    """Raises an error when more than `MAX_UPLOAD_MB` are read."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._size = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes."""
        piece = self._stream.read(size)
        self._size += len(piece)
        if self._size > settings().max_upload_bytes:
            raise too_large("What the file holds")
        return piece


def _unpacked_tar(stream: BinaryIO) -> BinaryIO:
    """Return the tar in a file, which may be packed."""
    container = container_of(stream.read(MAGIC_BYTES))
    assert container != "ole"
    stream.seek(0)
    return stream if container == "tar" else unpacking(stream, container)


def _only_table(container: str, names: Sequence[str]) -> tuple[int, list[str]]:
    """Return the place of the only table among the files of an archive, and the names of other files.

    Raises:
        Invalid: there is none or more than one.
    """
    files = [place for place, name in enumerate(names) if not _is_ignored(name)]
    named = ([place for place in files if names[place].lower().endswith(endings)] for endings in TABLE_ENDINGS)
    tables = files if len(files) == 1 else next(filter(None, named), [])
    if len(tables) != 1:
        found = ", ".join(f"“{names[place]}”" for place in files[:10]) or "nothing"
        raise not_csv(
            f"A {container} must hold exactly one table (a CSV or JSON file); this one holds: {found}. "
            "Upload each by itself."
        )
    return tables[0], [names[place] for place in files if place != tables[0]]


def _opened(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    try:
        return cast(BinaryIO, archive.open(name))
    except BROKEN as error:
        raise damaged(error) from error


def _is_ignored(name: str) -> bool:
    parts = name.split("/")
    return parts[-1] == "" or parts[0] == "__MACOSX" or any(part.startswith(".") for part in parts)
