"""Store uploaded files by key, in a folder or an object store."""

import io
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import obstore
from obstore.exceptions import BaseError, NotFoundError

from product_importer.core.errors import first_line
from product_importer.core.ids import new_id
from product_importer.core.settings import settings

READ_BUFFER_BYTES = 1024 * 1024
# Where Linux lists the files that this process has open.
OPEN_FILES = "/proc/self/fd"
# Sync to disk after so many bytes while the upload goes on, so that little is left to sync at its end.
SYNC_BYTES = 16 * 1024 * 1024


class Writer(Protocol):
    """An object that is being written; it exists only after `commit`."""

    def write(self, chunk: bytes) -> object: ...

    def commit(self) -> None: ...

    def abort(self) -> None: ...


class Storage(Protocol):
    """Objects by key. The application makes the keys, never a user."""

    def writer(self, key: str) -> Writer: ...

    def open(self, key: str) -> BinaryIO: ...

    def file(self, key: str, /) -> BinaryIO | None:
        """Open an object as an unbuffered file with a descriptor, or return None where objects are no files."""

    def adopt(self, key: str, file: BinaryIO, /) -> bool:
        """Make an object of a file that has no name, without copying it; return False where that is not possible."""

    def delete(self, key: str) -> None: ...

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]: ...


class StorageError(Exception):
    """Nothing can be stored at `UPLOAD_DIR`; the message is one line."""


class ObjectNotFound(Exception):
    """There is no object of that key."""


@lru_cache
def storage() -> Storage:
    """Return the storage that `UPLOAD_DIR` names.

    Raises:
        StorageError: the folder cannot be created or written to.
    """
    place = settings().uploads
    return ObjectStorage(place) if "://" in place else FolderStorage(Path(place))


def probe() -> None:
    """Check that the storage works: store an object and delete it.

    Raises:
        StorageError: it does not work: a folder's owner may have changed, or a disk or a quota may be full.
    """
    key = f"probe-{new_id()}"
    try:
        writer = storage().writer(key)
        writer.write(b"probe")
        writer.commit()
        storage().delete(key)
    except (OSError, BaseError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise StorageError(f"{settings().uploads}: {reason}") from error


@contextmanager
def opened(key: str) -> Iterator[BinaryIO]:
    """Open an object for reading.

    Raises:
        ObjectNotFound: there is no object of that key.
    """
    with storage().open(key) as stream:
        yield stream


class FolderStorage:
    """Stores objects as files in a folder that only its owner can read."""

    def __init__(self, folder: Path):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder}: {error.strerror}; set UPLOAD_DIR to another folder") from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StorageError(f"{folder}: not writable; change its owner, or set UPLOAD_DIR to another folder")
        self._folder = folder

    def writer(self, key: str) -> Writer:
        return _FileWriter(self._folder / key)

    def open(self, key: str) -> BinaryIO:
        return self._opened(key, READ_BUFFER_BYTES)

    def file(self, key: str) -> BinaryIO:
        return self._opened(key, 0)

    def adopt(self, key: str, file: BinaryIO) -> bool:
        if os.fstat(file.fileno()).st_dev != self._folder.stat().st_dev:
            return False
        # Other processes, also those of other machines, shall find its content behind the name.
        os.fsync(file.fileno())
        try:
            # Python follows the link to the open file only with a folder given.
            opened = os.open(OPEN_FILES, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.link(str(file.fileno()), self._folder / key, src_dir_fd=opened, follow_symlinks=True)
            finally:
                os.close(opened)
        except OSError:
            # It never could have a name: a copy meets what else is wrong.
            return False
        return True

    def _opened(self, key: str, buffer_bytes: int) -> BinaryIO:
        try:
            return (self._folder / key).open("rb", buffering=buffer_bytes)
        except FileNotFoundError as error:
            raise ObjectNotFound(key) from error

    def delete(self, key: str) -> None:
        (self._folder / key).unlink(missing_ok=True)

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]:
        """Yield the keys of files last written at least so many seconds ago, partial files included."""
        before = time.time() - older_than_seconds
        return (
            entry.name for entry in os.scandir(self._folder) if entry.is_file() and entry.stat().st_mtime <= before
        )


class _FileWriter:
    """Writes to a partial file and renames it at the end, so that a file under its key is always complete."""

    def __init__(self, path: Path):
        self._path = path
        self._partial = path.with_name(f"{path.name}.part")
        self._file = os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._synced: Future[None] | None = None
        self._unsynced = 0

    def write(self, chunk: bytes) -> object:
        self._unsynced += len(chunk)
        if self._unsynced > SYNC_BYTES and self._is_synced():
            self._synced, self._unsynced = self._disk.submit(os.fsync, self._file.fileno()), 0
        return self._file.write(chunk)

    def commit(self) -> None:
        self._disk.shutdown()
        self._is_synced()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.rename(self._path)

    def abort(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._disk.shutdown()
        # Closing the raw file does not flush the buffer, which would fail again on a full disk.
        self._file.raw.close()

    def _is_synced(self) -> bool:
        """Whether the last sync is done. Raise its error, which the operating system reports only once."""
        if self._synced is None:
            return True
        return self._synced.done() and self._synced.result() is None


class ObjectStorage:
    """Stores objects in a bucket by obstore, with credentials from the provider's environment variables."""

    def __init__(self, url: str):
        self._store = obstore.store.from_url(url)

    def writer(self, key: str) -> Writer:
        return _ObjectWriter(self._store, key)

    def open(self, key: str) -> BinaryIO:
        try:
            reader = obstore.open_reader(self._store, key, buffer_size=8 * READ_BUFFER_BYTES)
        except (NotFoundError, FileNotFoundError) as error:
            raise ObjectNotFound(key) from error
        return cast(BinaryIO, io.BufferedReader(_RawReader(reader), READ_BUFFER_BYTES))

    def file(self, _: str) -> None:
        return None

    def adopt(self, _: str, __: BinaryIO) -> bool:
        return False

    def delete(self, key: str) -> None:
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return

    def keys(self, older_than_seconds: float = 0) -> Iterator[str]:
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        for batch in obstore.list(self._store):
            yield from (entry["path"] for entry in batch if entry["last_modified"] <= before)


class _ObjectWriter:
    """Writes a multipart upload, whose object exists only after its completion."""

    def __init__(self, store: "obstore.store.ObjectStore", key: str):
        self._writer = obstore.open_writer(store, key)

    def write(self, chunk: bytes) -> object:
        return self._writer.write(chunk)

    def commit(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        # The parts of an incomplete upload stay invisible until the bucket's lifecycle rule removes them.
        del self._writer


class _RawReader(io.RawIOBase):
    """Wraps obstore's reader as a raw stream."""

    def __init__(self, reader: "obstore.ReadableFile"):
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        chunk = self._reader.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
