"""Store an upload while it arrives, check it, and create its import."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Self
from uuid import UUID
from zipfile import ZipFile

from sqlmodel import Session, col, select

from product_importer.core import db
from product_importer.core.errors import StorageFull
from product_importer.core.ids import new_id
from product_importer.core.settings import settings
from product_importer.core.storage import opened, storage
from product_importer.imports import admission, service
from product_importer.imports.columns import header, saved_mappings
from product_importer.imports.columns.header import Header
from product_importer.imports.models import ImportJob
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.archives import open_archive, too_large
from product_importer.imports.parsing.books.kinds import NAMES, is_read_by_calamine
from product_importer.imports.parsing.file_format import Format, Kind
from product_importer.imports.parsing.format_detection import detect_format, early_header
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.sheet_choice import naming_sheet
from product_importer.imports.parsing.stream_inspection import HEAD_BYTES, StreamInspection
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import confirmation

MAX_FILENAME = 255
# Smaller files are read and merged in a second or two; larger ones may delay other imports.
LARGE_BYTES = 16 * 1024 * 1024
# An unfinished upload that has not grown for this long is orphaned.
ORPHANED_SECONDS = 6 * 3600
# Accepting a workbook may wait for a reader process: in a pool of its own, it does not delay the bytes of uploads.
ACCEPT_POOL = ThreadPoolExecutor(32, thread_name_prefix="accepting")


def refuse_too_many(idempotency_key: str | None = None) -> None:
    """Refuse an upload before anything of it is read; `accept` checks the limit again.

    Raises:
        TooMany: too many imports are unfinished, and none was made with this key.
    """
    db.run(admission.refuse_early, idempotency_key)


class IncomingUpload:
    """One file that is being received; as a context manager, it deletes the file unless it was accepted.

    The page and the REST endpoint both write their chunks here. Every method blocks: call it in a thread.
    With `options`, a bad file is refused at its first error. Without, the options may still follow the file: only
    errors that no option can avoid are raised before `accept`.
    """

    def __init__(self, filename: str, options: ImportOptions | None = None, kind: Kind | None = None):
        """Begin to receive a file. `options` are those that `accept` will get, if they are known already.

        A file of a known `kind` is read as that, whatever its text looks like.
        """
        self._id = new_id()
        self._filename = clean_filename(filename)
        self._key = f"{self._id}.csv"
        with _storage_errors():
            self._writer = storage().writer(self._key)
        self._digest = BackgroundDigest()
        self._options = options
        self._kind = kind
        self._inspection = StreamInspection(options.encoding if options else None)
        self._is_header_checked = options is None or kind is not None
        self._size = 0
        self._is_done = False

    @property
    def id(self) -> UUID:
        """The id that the import will have."""
        return self._id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def write(self, chunk: bytes) -> None:
        """Store the next bytes.

        Raises:
            TooLarge: more than `MAX_UPLOAD_MB` arrived, or is packed in the file.
            Invalid: the bytes so far show that the file is no catalogue.
            StorageFull: they cannot be stored.
        """
        if self._size + len(chunk) > settings().max_upload_bytes:
            raise too_large()
        self._digest.update(chunk)
        self._inspection.feed(chunk)
        with _storage_errors():
            self._writer.write(chunk)
        self._size += len(chunk)
        if self._options is not None:
            self._check_early(self._options)

    def accept(
        self,
        options: ImportOptions | None = None,
        idempotency_key: str | None = None,
        refuse_running: bool = False,
        ask_header_line: bool = False,
    ) -> ImportRead:
        """Check the header, then create the import and notify a worker.

        If an earlier upload of the same file has the same key, return its import and delete the new file.

        Raises:
            Conflict: the key was used for another file or with other options; with `refuse_running`, the same file
                is being imported right now; with `ask_header_line`, the column names were found below the first line.
            Invalid: the file is empty, is not text, or lacks a required column; the upload is discarded.
            Unprocessable: an option means nothing for this kind of file.
            UnsupportedMedia: the file is not of the known kind.
            TooLarge: more than `MAX_UPLOAD_MB` is packed in the file.
            TooMany: too many imports are unfinished.
        """
        options = options or self._options or ImportOptions()
        self._inspection.feed(b"", final=True)
        with _storage_errors():
            self._writer.commit()
        try:
            with opened(self._key) as stream:
                found = detect_format(stream, self._inspection, options, self._kind)
                is_large = (self._workbook_bytes(stream) if found.size is None else found.size) > LARGE_BYTES
            format = found.format
            with naming_sheet(format.part if format.kind in NAMES else None, lambda: found.other_sheets):
                matched, columns = _match(found.head, options)
            if ask_header_line:
                confirmation.check_header_line(format, matched.names, options)
            job = ImportJob(
                id=self._id,
                filename=self._filename,
                storage_key=self._key,
                size_bytes=self._size,
                is_large=is_large,
                sha256=self._digest.hexadecimal(),
                format=format.model_dump(),
                warnings=found.warnings.stored(),
                header=list(matched.names),
                fields=list(matched.fields),
                choices=_choices(options, format),
                idempotency_key=idempotency_key,
            )
            accepted = db.run(service.start_import, job, columns, refuse_running)
            if accepted.id != self._id:
                storage().delete(self._key)
        except BaseException:
            storage().delete(self._key)
            raise
        finally:
            self._is_done = True
            self._digest.close()
        return accepted

    def abort(self) -> None:
        """Delete what has arrived, unless the file was accepted or deleted already."""
        if not self._is_done:
            self._is_done = True
            self._writer.abort()
            self._digest.close()

    def _workbook_bytes(self, stream: BinaryIO) -> int:
        if self._inspection.container == "ole":
            return self._size
        with open_archive(stream, ZipFile) as archive:
            return sum(member.file_size for member in archive.infolist())

    def _check_early(self, options: ImportOptions) -> None:
        contents = self._inspection.contents
        if contents.detector.error is not None:
            raise contents.detector.error
        if self._is_header_checked or len(contents.head) < HEAD_BYTES:
            return
        self._is_header_checked = True
        head = early_header(contents, options)
        if head is not None:
            _match(head, options)


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


async def in_accept_pool(accept: Callable[..., ImportRead], *values: Any, **options: Any) -> ImportRead:
    """Call a function that accepts an upload in a thread of its pool, and return the import."""
    # The context says who uploads; an executor does not pass it on by itself.
    call = partial(copy_context().run, accept, *values, **options)
    return await asyncio.get_running_loop().run_in_executor(ACCEPT_POOL, call)


def delete_orphans(session: Session) -> None:
    """Delete orphaned upload files: those that no import needs, left by processes killed during an upload."""
    known = set(session.scalars(select(ImportJob.storage_key).where(col(ImportJob.file_deleted_at).is_(None))))
    for key in set(storage().keys(older_than_seconds=ORPHANED_SECONDS)) - known:
        storage().delete(key)


def _match(head: HeaderSample, options: ImportOptions) -> tuple[Header, Mapping[str, str] | None]:
    """Return a file's matched header, and the column mapping that was used: the given or the saved one, or None.

    Raises:
        Invalid, Unprocessable: the header lacks a required column, or one that is mapped.
    """
    header.check_column_count(head.names)
    columns: Mapping[str, str] | None
    columns = options.columns if options.columns is not None else db.run(saved_mappings.find, head.names)
    return header.match(head.names, columns, head.sample), columns


def _choices(options: ImportOptions, format: Format) -> dict[str, object]:
    """Return the options that the job's row keeps.

    Where a formula without a value looks like a blank cell, blank cells keep values: none is cleared by mistake.
    """
    return options.stored() | ({"blank": "keep"} if is_read_by_calamine(format) else {})


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Convert errors of the storage to `StorageFull`."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageFull(f"The file could not be stored: {reason}. The upload was discarded.") from error


def clean_filename(filename: str) -> str:
    """Return the last part of a file's path, without control characters; it is only shown."""
    name = re.split(r"[/\\]", filename)[-1]
    return "".join(character for character in name if character.isprintable())[:MAX_FILENAME] or "unnamed.csv"
