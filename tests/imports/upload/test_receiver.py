"""Receive an upload: check it while it arrives, and keep nothing of a rejected one."""

import pytest

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports.options import ImportOptions
from product_importer.imports.upload.receiver import IncomingUpload, clean_filename

GOOD = b"sku,name,description\na,b,c\n"


def stored() -> list[str]:
    return sorted(storage().keys())


def upload_error(content: bytes, size: int = 7) -> Invalid:
    with pytest.raises(Invalid) as error, IncomingUpload("x.csv") as incoming:
        for start in range(0, len(content), size):
            incoming.write(content[start : start + size])
        incoming.accept()
    assert stored() == []
    return error.value


def test_an_accepted_upload_is_stored_completely(database):
    with IncomingUpload("../../etc/cat\x00alogue.csv") as incoming:
        for byte in GOOD:
            incoming.write(bytes([byte]))
        job = incoming.accept()
    assert (job.filename, job.size_bytes, job.status) == ("catalogue.csv", len(GOOD), "pending")
    assert stored() == [f"{job.id}.csv"]
    with storage().open(f"{job.id}.csv") as stream:
        assert stream.read() == GOOD


def test_an_upload_that_breaks_off_leaves_nothing(database):
    with pytest.raises(ConnectionError), IncomingUpload("x.csv") as incoming:
        incoming.write(GOOD)
        assert len(stored()) == 1
        raise ConnectionError
    assert stored() == []


def test_an_upload_over_the_limit_leaves_nothing(database, monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    with pytest.raises(TooLarge, match="1 MB"), IncomingUpload("x.csv") as incoming:
        incoming.write(GOOD)
        for _ in range(3):
            incoming.write(b"x" * 500_000)
    assert stored() == []


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_a_byte_that_is_not_utf8_is_found_for_any_size_of_pieces(database, size):
    error = upload_error(b"sku,name,description\na,\xc3\xa4,c\nb,caf\xe9,d\n", size)
    assert (error.kind, error.extra["line"], error.extra["offset"]) == ("not-text", 3, 33)
    assert "0xE9" in error.detail


def test_a_character_that_is_cut_off_at_the_end_is_found(database):
    assert upload_error("sku,name,description\nä,b,c".encode() + b"\xc3").kind == "not-text"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty-file"),
        (b"\xef\xbb\xbf\r\n", "empty-file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not-csv"),
        (b"\x7fELF\x02\x01\x01\0\0\0\xf0\xff\x83", "not-text"),
        (b"PK\x03\x04\0\0,\n", "not-csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1_000), "not-csv"),
        (b"sku,name\na,b\n", "invalid-csv-header"),
        # It breaks off behind the objects that name its columns.
        (b"[" + b'{"sku":"a","name":"b","description":"c"},' * 400 + b'{"sku', "not-csv"),
    ],
)
def test_a_file_that_is_no_catalogue_is_rejected_and_leaves_nothing(database, content, kind):
    assert upload_error(content).kind == kind


@pytest.mark.parametrize(
    ("given", "kept"),
    [("C:\\fakepath\\a.csv", "a.csv"), ("a/b.csv", "b.csv"), ("", "unnamed.csv"), ("x" * 300, "x" * 255)],
)
def test_a_filename_is_reduced_to_its_last_part(given, kept):
    assert clean_filename(given) == kept


def test_a_bad_header_is_rejected_long_before_the_end_of_a_large_file(database):
    from product_importer.imports.parsing.stream_inspection import HEAD_BYTES

    with (
        pytest.raises(Invalid, match="Missing columns: description") as error,
        IncomingUpload("x.csv", ImportOptions()) as incoming,
    ):
        for _ in range(HEAD_BYTES // 1000 + 2):
            incoming.write(b"sku,name\n" + "ä".encode() * 500)
        pytest.fail("it was not rejected before the end")
    assert (error.value.kind, stored()) == ("invalid-csv-header", [])


def test_with_options_the_columns_are_checked_long_before_the_end(database):
    head, row = b"Code,Title,Text\n", b"a,b,c\n" * 100_000
    columns = {"Code": "sku", "Title": "name"}
    for chosen, missing in (
        (ImportOptions(), ["sku", "name", "description"]),
        (ImportOptions(columns=columns), ["description"]),
    ):
        with pytest.raises(Invalid) as error, IncomingUpload("x.csv", chosen) as incoming:
            incoming.write(head + row)
            pytest.fail("it was not rejected before the end")
        assert (error.value.extra["missing"], stored()) == (missing, [])
        assert error.value.extra["suggestions"]["description"] == "Text"
    for chosen in (ImportOptions(columns={**columns, "Text": "description"}), ImportOptions()):
        # The second time, the saved mapping is used.
        with IncomingUpload("x.csv", chosen) as incoming:
            incoming.write(head + row)
            assert incoming.accept().columns["Code"] == "sku"


def test_an_error_that_no_option_avoids_is_found_in_the_first_bytes(database):
    with pytest.raises(Invalid, match="picture"), IncomingUpload("x.csv") as incoming:
        incoming.write(b"\x89PNG\r\n\x1a\n")
        pytest.fail("it was not rejected at once")


def test_with_options_a_bad_byte_is_rejected_long_before_the_end(database):
    with pytest.raises(Invalid, match="0xFF"), IncomingUpload("x.csv", ImportOptions()) as incoming:
        incoming.write(GOOD + "ä,b,c\n".encode() * 100)
        incoming.write(b"\xff,b,c\n")
        pytest.fail("it was not rejected before the end")


def test_an_error_that_a_later_option_avoids_is_not_raised_early(database):
    content = "наименование;артикул\n".encode("windows-1251")
    with IncomingUpload("x.csv") as incoming:
        incoming.write("sku;name;description\nä;".encode() + content * 30_000)
        incoming.write(content)
        assert incoming.accept(ImportOptions(encoding="windows-1251")).format.encoding == "windows-1251"


def test_a_good_header_of_a_large_file_passes(database):
    with IncomingUpload("x.csv") as incoming:
        incoming.write(GOOD + b"d,e,f\n" * 100_000)
        assert incoming.accept().status == "pending"


def test_a_full_disk_gives_a_clear_error_and_leaves_nothing(database, monkeypatch):
    """`/dev/full` is a device that is always full."""
    from product_importer.core import storage as storages
    from product_importer.core.errors import StorageFull

    begin = storages._FileWriter.__init__

    def full(self, path):
        begin(self, path)
        self._file.close()
        self._file = open("/dev/full", "wb")  # noqa: SIM115, PTH123

    monkeypatch.setattr(storages._FileWriter, "__init__", full)
    with pytest.raises(StorageFull, match="No space left"), IncomingUpload("x.csv") as incoming:
        incoming.write(GOOD + b"d,e,f\n" * 500_000)
        incoming.accept()
    assert stored() == []


def test_a_long_header_with_quotes_is_not_checked_before_it_is_complete(database):
    names = ["sku", "name", "description", *(f'"größe\n{n}{"x" * 200}"' for n in range(1_900))]
    with IncomingUpload("x.csv") as incoming:
        incoming.write((",".join(names) + "\n").encode())
        assert incoming.accept().status == "pending"


def test_only_orphaned_uploads_are_deleted(database, monkeypatch):
    from product_importer.core import db
    from product_importer.imports.upload import receiver

    monkeypatch.setattr(receiver, "ORPHANED_SECONDS", -1)
    with IncomingUpload("x.csv") as incoming:
        incoming.write(GOOD)
        kept = incoming.accept()
    IncomingUpload("killed.csv").write(GOOD)
    assert len(stored()) == 2
    db.run(receiver.delete_orphans)
    assert stored() == [f"{kept.id}.csv"]
