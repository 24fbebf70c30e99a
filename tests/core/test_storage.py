"""A folder and an object store behave alike and never list incomplete objects."""

from collections.abc import Iterator

import pytest

from product_importer.core import storage as storages
from product_importer.core.storage import FolderStorage, ObjectNotFound, ObjectStorage, Storage
from tests import object_store


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with object_store.started() as environment:
        yield environment


@pytest.fixture(params=["folder", "object store"])
def storage(request, tmp_path, monkeypatch) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "uploads")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return ObjectStorage(f"s3://uploads/{tmp_path.name}")


# More than one part of a multipart upload.
CONTENT = bytes(range(256)) * 50_000


def test_an_object_is_written_read_and_deleted(storage):
    writer = storage.writer("a.csv")
    for start in range(0, len(CONTENT), 1_000_000):
        writer.write(CONTENT[start : start + 1_000_000])
    writer.commit()
    with storage.open("a.csv") as stream:
        assert stream.read(10) == CONTENT[:10]
        assert stream.read() == CONTENT[10:]
    assert list(storage.keys()) == ["a.csv"]
    storage.delete("a.csv")
    storage.delete("a.csv")
    assert list(storage.keys()) == []


def test_an_object_can_be_read_from_any_position(storage):
    writer = storage.writer("a.zip")
    writer.write(CONTENT)
    writer.commit()
    with storage.open("a.zip") as stream:
        assert stream.seekable()
        assert stream.seek(-300, 2) == len(CONTENT) - 300
        assert stream.read() == CONTENT[-300:]
        assert stream.seek(10_000_001) == 10_000_001
        assert (stream.read(5), stream.tell()) == (CONTENT[10_000_001:10_000_006], 10_000_006)
        stream.seek(0)
        assert stream.read() == CONTENT


def test_an_aborted_object_leaves_nothing(storage):
    writer = storage.writer("a.csv")
    writer.write(CONTENT)
    writer.abort()
    assert list(storage.keys()) == []
    with pytest.raises(ObjectNotFound):
        storage.open("a.csv")


def test_an_object_synced_during_the_upload_is_complete_and_a_disk_error_is_raised(tmp_path, monkeypatch):
    monkeypatch.setattr(storages, "SYNC_BYTES", 1_000)
    folder = FolderStorage(tmp_path)
    writer = folder.writer("a.csv")
    for start in range(0, len(CONTENT), 100_000):
        writer.write(CONTENT[start : start + 100_000])
    writer.commit()
    assert (tmp_path / "a.csv").read_bytes() == CONTENT
    broken = folder.writer("b.csv")
    with open("/dev/null", "wb") as device, monkeypatch.context() as patch:  # noqa: PTH123
        # The kernel cannot sync this device: the first sync fails.
        patch.setattr(broken, "_file", device)
        broken.write(CONTENT[:2_000])
        # Keep the file open until the syncing thread has met the error.
        with pytest.raises(OSError, match="Invalid argument"):
            broken.commit()
    broken.abort()
    assert list(folder.keys()) == ["a.csv"]


def test_only_the_owner_can_read_the_folder(tmp_path):
    folder = FolderStorage(tmp_path / "uploads")
    folder.writer("a.csv").commit()
    assert (tmp_path / "uploads").stat().st_mode & 0o077 == 0
    assert (tmp_path / "uploads" / "a.csv").stat().st_mode & 0o077 == 0
