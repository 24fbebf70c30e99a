"""gzip and zip are unpacked within limits."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile

import pytest

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports.parsing import archives
from product_importer.imports.upload.receiver import IncomingUpload
from tests.imports.parsing.reading import detected, rows_of

CSV = "sku,name,description\na,Größe,c\n".encode()
ROWS = [(2, ["a", "Größe", "c"])]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def gzipped(content: bytes) -> bytes:
    """Compress without the time: test ids contain the content, and must be the same in every process."""
    return gzip.compress(content, mtime=0)


def tarred() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        member = tarfile.TarInfo("a.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    return target.getvalue()


@pytest.mark.parametrize("piece", [1, 9, 100_000])
@pytest.mark.parametrize(
    ("content", "container", "part"),
    [
        (CSV, "plain", None),
        (gzipped(CSV), "gzip", None),
        (gzipped(CSV[:25]) + gzipped(CSV[25:]) + bytes(40), "gzip", None),
        (zipped({"a.csv": CSV}), "zip", "a.csv"),
        (zipped({"a.csv": CSV}, zipfile.ZIP_STORED), "zip", "a.csv"),
        (zipped({"no ending": CSV}), "zip", "no ending"),
        (zipped({"d/": b"", "d/A.CSV": CSV, "readme.md": b"x"}), "zip", "d/A.CSV"),
        (zipped({"__MACOSX/._a.csv": b"\0", "a.csv": CSV, ".DS_Store": b"\0", ".git/b.csv": b"x"}), "zip", "a.csv"),
    ],
)
def test_a_packed_file_reads_as_its_csv(content, container, part, piece):
    format, names = detected(content, piece=piece)
    assert (format.container, format.part, names) == (container, part, ["sku", "name", "description"])
    assert rows_of(content, format) == (ROWS, [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzipped(CSV)[:-12], "breaks off"),
        (gzipped(CSV)[:-3], "breaks off"),
        (gzipped(CSV) + b"garbage after it", "damaged"),
        (gzipped(CSV)[:20] + b"\0\0\0\0" + gzipped(CSV)[24:], "damaged"),
        (gzipped(gzipped(CSV)), "packed twice"),
        (gzipped(zipped({"a.csv": CSV})), "packed twice"),
        (gzipped(tarred()), "tar archive"),
        (tarred(), "tar archive"),
        (zipped({}), "holds: nothing"),
        (zipped({"d/": b""}), "holds: nothing"),
        (zipped({"a.csv": CSV, "b.csv": CSV}), "“a.csv”, “b.csv”"),
        (zipped({"a.md": CSV, "b.json": CSV}), "exactly one CSV"),
        (zipped({"a.zip": zipped({"a.csv": CSV})}), "packed twice"),
        (zipped({"a.csv.gz": gzipped(CSV)}), "packed twice"),
        (zipped({"a.csv": CSV}, zipfile.ZIP_BZIP2), "unusual method"),
        (zipped({"a.csv": CSV}, zipfile.ZIP_LZMA), "unusual method"),
        (zipped({"a.csv": CSV})[:-30], "damaged"),
        (zipped({"a.csv": CSV * 99}).replace(b"\x4b\x8a", b"\xff\xff", 1)[:60] + bytes(90), "damaged"),
        (bz2.compress(CSV), "bzip2"),
        (lzma.compress(CSV), "xz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office file"),
        (gzipped(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "packed twice"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PAR1\x15\x04", "Parquet"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}), "one CSV"),
    ],
)
def test_an_unreadable_file_gets_a_clear_error(content, words):
    with pytest.raises(Invalid) as raised:
        detected(content)
    assert raised.value.kind == "not-csv"
    assert words in raised.value.detail


def test_a_zip_with_a_password_is_rejected():
    content = bytearray(zipped({"a.csv": CSV}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    with pytest.raises(Invalid, match="password"):
        detected(bytes(content))


def test_a_damaged_file_in_a_zip_is_rejected():
    content = bytearray(zipped({"a.csv": CSV}, zipfile.ZIP_STORED))
    content[content.index(b"Gr") + 1] ^= 1
    with pytest.raises(Invalid, match="damaged"):
        detected(bytes(content))


def bomb(megabytes: int) -> bytes:
    return CSV + b"a,b,c\n" * (megabytes * 1024 * 1024 // 6 + 1)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped({"a.csv": content})], ids=["gzip", "zip"])
def test_a_decompression_bomb_is_rejected_by_its_unpacked_size(monkeypatch, pack):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    with pytest.raises(TooLarge, match="1 MB"):
        detected(pack(bomb(1)))


def test_a_gzip_bomb_is_rejected_during_the_upload_and_leaves_nothing(database, monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 2)
    content = gzip.compress(bomb(60))
    with pytest.raises(TooLarge), IncomingUpload("x.csv.gz") as incoming:
        for start in range(0, len(content), 1_000):
            incoming.write(content[start : start + 1_000])
        pytest.fail("the whole file was accepted")
    assert list(storage().keys()) == []


def test_a_zip_with_a_false_size_is_rejected():
    content = bytearray(zipped({"a.csv": bomb(60)}))
    at = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, at + 24, len(CSV))
    with pytest.raises(Invalid, match="damaged"):
        detected(bytes(content))


def test_a_zip_of_too_many_files_is_rejected_before_its_list_is_read(monkeypatch):
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 1_000)
    with pytest.raises(Invalid, match="more files"):
        detected(zipped({f"{number}.csv": CSV for number in range(30)}))


def test_a_bad_byte_in_a_gzip_is_reported_with_its_offset_in_the_text():
    with pytest.raises(Invalid) as raised:
        detected(gzip.compress(CSV + b"\xff"))
    assert (raised.value.kind, raised.value.extra["line"], raised.value.extra["offset"]) == (
        "not-text",
        3,
        len(CSV),
    )
