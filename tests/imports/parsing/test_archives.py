"""Packed files are unpacked within limits."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable

import pyarrow as pa
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


def zstd(content: bytes) -> bytes:
    return pa.compress(content, "zstd", asbytes=True)


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzipped, "bzip2": bz2.compress, "xz": lzma.compress, "zstd": zstd
}  # fmt: skip


def tarred(files: dict[str, bytes] | None = None, format: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=format) as archive:
        for name, content in ({"a.csv": CSV} if files is None else files).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


@pytest.mark.parametrize("piece", [1, 9, 100_000])
@pytest.mark.parametrize(
    ("content", "container", "part"),
    [
        (CSV, "plain", None),
        (gzipped(CSV), "gzip", None),
        (gzipped(CSV[:25]) + gzipped(CSV[25:]) + bytes(40), "gzip", None),
        *[(pack(CSV), container, None) for container, pack in PACK.items()],
        *[(pack(CSV[:25]) + pack(CSV[25:]), container, None) for container, pack in PACK.items()],
        (lzma.compress(CSV) + bytes(8), "xz", None),
        (tarred(), "tar", "a.csv"),
        *[(pack(tarred()), "tar", "a.csv") for pack in PACK.values()],
        (tarred({"./.a": b"x", "./d/a.csv": CSV, "readme.md": b"x" * 2_000}), "tar", "d/a.csv"),
        (tarred({f"{'d' * 200}/ü.csv": CSV}), "tar", f"{'d' * 200}/ü.csv"),
        (tarred({f"{'d' * 200}/ü.csv": CSV}, tarfile.GNU_FORMAT), "tar", f"{'d' * 200}/ü.csv"),
        (tarred({"x.png": b"x" * 99_999, "a.tsv": CSV}, tarfile.USTAR_FORMAT), "tar", "a.tsv"),
        (zipped({"a.csv": CSV}), "zip", "a.csv"),
        (
            zipped({"products.csv": CSV, "README.txt": b"x", "a/b.jpg": b"x", "Thumbs.db": b""}),
            "zip",
            "products.csv",
        ),
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
        *[(pack(pack(CSV)), "packed twice") for pack in PACK.values()],
        *[(pack(CSV)[:-9], "file") for pack in PACK.values()],
        *[
            (pack(CSV) + b"garbage after it", "unpacked" if name != "gzip" else "damaged")
            for name, pack in PACK.items()
        ],
        (tarred({"a.csv.gz": gzipped(CSV)}), "packed twice"),
        (tarred({"a.tar": tarred()}), "packed twice"),
        (gzipped(gzipped(tarred())), "packed twice"),
        (tarred({".a.csv": CSV}), "holds: nothing"),
        (tarred({"a.csv": CSV, "b.csv": CSV}), "“a.csv”, “b.csv”"),
        (tarred()[:700], "breaks off"),
        (tarred()[:520], "breaks off"),
        (tarred()[:150] + b"9" + tarred()[151:], "damaged"),
        (gzipped(tarred())[:-9], "breaks off"),
        (zipped({"a.csv": b"PAR1\x15" + bytes(600)}), "Parquet"),
        (zipped({}), "holds: nothing"),
        (zipped({"d/": b""}), "holds: nothing"),
        (zipped({"a.csv": CSV, "b.csv": CSV}), "“a.csv”, “b.csv”"),
        (zipped({"a.md": CSV, "b.html": CSV}), "exactly one table"),
        (zipped({"a.csv": CSV, "b.json": CSV}), "“a.csv”, “b.json”"),
        (zipped({"a.zip": zipped({"a.csv": CSV})}), "packed twice"),
        (zipped({"a.csv.gz": gzipped(CSV)}), "packed twice"),
        (zipped({"a.csv": CSV}, zipfile.ZIP_BZIP2), "unusual method"),
        (zipped({"a.csv": CSV}, zipfile.ZIP_LZMA), "unusual method"),
        (zipped({"a.csv": CSV})[:-30], "damaged"),
        (zipped({"a.csv": CSV * 99}).replace(b"\x4b\x8a", b"\xff\xff", 1)[:60] + bytes(90), "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office file"),
        (gzipped(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)), "packed twice"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PARE\x15\x04", "encrypted Parquet"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}), "no workbook"),
    ],
)
def test_an_unreadable_file_gets_a_clear_error(content, words):
    with pytest.raises(Invalid) as raised:
        detected(content)
    assert raised.value.kind == "not-csv"
    assert words in raised.value.detail


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_files_beside_the_table_are_told(client, pack):
    from product_importer.imports import tasks

    for files, said in (({"a.csv": CSV, ".b": b""}, []), ({"a.csv": CSV, "b.txt": b"", "d/c.jpg": b""}, ["b.txt"])):
        answer = client.post("/api/upload-csv", files={"file": ("a", pack(files))})
        tasks.run_import(answer.json()["job_id"])
        job = client.get(answer.headers["location"]).json()
        assert job["status"] == "completed"
        assert [warning["code"] for warning in job["warnings"]] == ["other_files" for _ in said]
        assert all(name in warning["message"] for name, warning in zip(said, job["warnings"], strict=True))


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


BOMBS = {
    **PACK,
    "zip": lambda content: zipped({"a.csv": content}),
    "tar": lambda content: tarred({"a.csv": content}),
    "tar.xz": lambda content: lzma.compress(tarred({"x.jpg": content, "a.csv": CSV})),
}


@pytest.mark.parametrize("pack", BOMBS.values(), ids=BOMBS)
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


@pytest.mark.parametrize("pack", [PACK["gzip"], PACK["bzip2"]], ids=["gzip", "bzip2"])
def test_no_piece_of_a_bomb_fills_the_memory(pack):
    from product_importer.imports.parsing.unpacking import PIECE_BYTES, UNPACKERS

    content = pack(bytes(50 * 1024 * 1024))
    unpacker = UNPACKERS["gzip" if pack is gzipped else "bzip2"]()
    sizes = [*map(len, unpacker.feed(content)), *map(len, unpacker.finish())]
    assert (sum(sizes), max(sizes) <= PIECE_BYTES) == (50 * 1024 * 1024, True)


def test_an_xz_that_needs_much_memory_is_rejected():
    content = lzma.compress(CSV, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 512 * 1024 * 1024}])
    with pytest.raises(Invalid, match="Memory"):
        detected(content)


def test_a_zstd_that_needs_much_memory_is_rejected():
    # A frame header with a window of 2 GiB, and an empty last block.
    with pytest.raises(Invalid, match="zstd"):
        detected(b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00" + bytes(600))


def test_text_that_begins_like_bzip2_is_text():
    assert detected(b"BZh9,sku,name,description\n1,a,b,c\n")[0].container == "plain"


@pytest.mark.parametrize("container", PACK)
@pytest.mark.parametrize(("text", "kind"), [(b'{"sku": 1, "a": 2}\n', "jsonl"), (b'[{"sku": 1, "a": 2}]', "json")])
def test_packed_json_is_read(container, text, kind):
    content = PACK[container](text)
    format, names = detected(content)
    assert (format.container, format.kind, names) == (container, kind, ["sku", "a"])
    assert [row for _, row in rows_of(content, format)[0]] == [["1", "2"]]
    format, _ = detected(zipped({"a.ndjson": text, "b.md": b""}))
    assert (format.container, format.kind, format.part) == ("zip", kind, "a.ndjson")


BAD_TARS: dict[str, Callable[[bytearray], None]] = {
    "a name without end": lambda tar: tar.__setitem__(slice(124, 135), b"77777777777"),
    "a negative size": lambda tar: tar.__setitem__(slice(124, 136), b"\xff" * 12),
    "a name with a NUL": lambda tar: tar.__setitem__(slice(512, 600), tar[512:600].replace(b"ddd", b"d\0d", 1)),
    "a size that is none": lambda tar: tar.__setitem__(slice(124, 136), b"zzzzzzzzzzzz"),
}


@pytest.mark.parametrize("harm", BAD_TARS.values(), ids=BAD_TARS)
@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_malicious_tar_is_rejected(harm, format):
    with pytest.raises(Invalid, match="damaged"):
        detected(harmed(tarred({"d" * 300 + ".csv": CSV}, format), harm))


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_name_without_end_in_a_tar_is_not_read(format):
    """It could be as long as the unpacked file."""
    with pytest.raises(Invalid, match="a header in it has 8,589,934,591 bytes"):
        detected(harmed(tarred({"d" * 300 + ".csv": CSV}, format), BAD_TARS["a name without end"]))


def harmed(tar: bytes, harm: Callable[[bytearray], None]) -> bytes:
    """Return a changed tar with the right checksum of its first header."""
    content = bytearray(tar)
    harm(content)
    content[148:156] = b"%06o\0 " % (sum(content[:148]) + 8 * 32 + sum(content[156:512]))
    return bytes(content)


def test_what_is_no_file_in_a_tar_does_not_count():
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for kind, name in ((tarfile.DIRTYPE, "d"), (tarfile.SYMTYPE, "l.csv"), (tarfile.LNKTYPE, "h.csv")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        member = tarfile.TarInfo("d/a.csv")
        member.size = len(CSV)
        archive.addfile(member, io.BytesIO(CSV))
    assert detected(target.getvalue())[0].part == "d/a.csv"


def test_a_sparse_file_in_a_tar_is_rejected():
    with pytest.raises(Invalid, match="sparse"):
        detected(harmed(tarred(), lambda tar: tar.__setitem__(slice(156, 157), tarfile.GNUTYPE_SPARSE)))


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
