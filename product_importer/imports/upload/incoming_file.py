"""Store a file while it arrives, and inspect and hash its bytes on the way."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from product_importer.core.errors import StorageFull
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports.parsing.archives import too_large
from product_importer.imports.parsing.stream_inspection import StreamInspection


class StoredFile(NamedTuple):
    """A file in the storage."""

    key: str
    size_bytes: int
    sha256: str


class IncomingFile:
    """The bytes of one file that is being received. Every method blocks: call it in a thread."""

    def __init__(self, key: str, encoding: str | None = None):
        """Begin to store a file under a key; `encoding` is that of its text, if it was chosen already."""
        with _storage_errors():
            self._writer = storage().writer(key)
        self._key = key
        self._digest = BackgroundDigest()
        self.inspection = StreamInspection(encoding)
        self.size = 0
        self._is_done = False

    def write(self, chunk: bytes) -> None:
        """Store the next bytes.

        Raises:
            TooLarge: more than `MAX_UPLOAD_MB` arrived, or is packed in the file.
            Invalid: no option could make the file readable.
            StorageFull: they cannot be stored.
        """
        if self.size + len(chunk) > settings().max_upload_bytes:
            raise too_large()
        self._digest.update(chunk)
        self.inspection.feed(chunk)
        with _storage_errors():
            self._writer.write(chunk)
        self.size += len(chunk)

    def commit(self) -> StoredFile:
        """Store the file for good, after its last byte.

        Raises:
            TooLarge, Invalid, StorageFull: as `write` does; the file can then only be aborted.
        """
        self.inspection.feed(b"", final=True)
        with _storage_errors():
            self._writer.commit()
        self._is_done = True
        sha256 = self._digest.hexadecimal()
        self._digest.close()
        return StoredFile(self._key, self.size, sha256)

    def abort(self) -> None:
        """Delete what has arrived, unless the file was stored or deleted already."""
        if not self._is_done:
            self._is_done = True
            self._writer.abort()
            self._digest.close()


class BackgroundDigest:
    """Computes a SHA-256 in a thread of its own, at most one chunk behind."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="digest")
        self._last: Future[None] | None = None

    def update(self, chunk: bytes) -> None:
        """Add the next bytes."""
        if self._last is not None:
            self._last.result()
        self._last = self._thread.submit(self._digest.update, chunk)

    def hexadecimal(self) -> str:
        """Return the digest of all bytes so far."""
        if self._last is not None:
            self._last.result()
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Convert errors of the storage to `StorageFull`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageFull(f"The file could not be stored: {reason}. The upload was discarded.") from error
