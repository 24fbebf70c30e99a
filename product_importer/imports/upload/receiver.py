"""Store an upload while it arrives, check it, and create its import."""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlmodel import Session

from product_importer.core import db
from product_importer.core.ids import new_id
from product_importer.core.storage import storage
from product_importer.imports import admission, service, stored_files
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.file_format import Kind
from product_importer.imports.parsing.format_detection import early_header
from product_importer.imports.parsing.stream_inspection import HEAD_BYTES
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import accepting
from product_importer.imports.upload.incoming_file import IncomingFile

MAX_FILENAME = 255
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
        self._file = IncomingFile(f"{self._id}.csv", options.encoding if options else None)
        self._options = options
        self._kind = kind
        self._is_header_checked = options is None or kind is not None

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
        self._file.write(chunk)
        if self._options is not None:
            self._check_early(self._options)

    def accept(
        self,
        options: ImportOptions | None = None,
        idempotency_key: str | None = None,
        refuse_running: bool = False,
    ) -> ImportRead:
        """Check the header, then create the import and notify a worker.

        If an earlier upload of the same file has the same key, return its import and delete the new file.

        Raises:
            Conflict: the key was used for another file or with other options; with `refuse_running`, the same file
                is being imported right now.
            Invalid: the file is empty, is not text, or lacks a required column; the upload is discarded.
            Unprocessable: an option means nothing for this kind of file.
            UnsupportedMedia: the file is not of the known kind.
            TooLarge: more than `MAX_UPLOAD_MB` is packed in the file.
            TooMany: too many imports are unfinished.
        """
        options = options or self._options or ImportOptions()
        file = self._file.commit()
        try:
            job, columns = accepting.prepare(
                file,
                self._file.inspection,
                options,
                job_id=self._id,
                filename=self._filename,
                kind=self._kind,
            )
            job.idempotency_key = idempotency_key
            accepted = db.run(service.start_import, job, columns, refuse_running)
        except BaseException:
            storage().delete(file.key)
            raise
        if accepted.id != self._id:
            storage().delete(file.key)
        return accepted

    def abort(self) -> None:
        """Delete what has arrived, unless the file was accepted or deleted already."""
        self._file.abort()

    def _check_early(self, options: ImportOptions) -> None:
        contents = self._file.inspection.contents
        if contents.detector.error is not None:
            raise contents.detector.error
        if self._is_header_checked or len(contents.head) < HEAD_BYTES:
            return
        self._is_header_checked = True
        head = early_header(contents, options)
        if head is not None:
            accepting.match(head, options)


async def in_accept_pool(accept: Callable[..., ImportRead], *values: Any, **options: Any) -> ImportRead:
    """Call a function that accepts an upload in a thread of its pool, and return the import."""
    # The context says who uploads; an executor does not pass it on by itself.
    call = partial(copy_context().run, accept, *values, **options)
    return await asyncio.get_running_loop().run_in_executor(ACCEPT_POOL, call)


def delete_orphans(session: Session) -> None:
    """Delete orphaned files: those that no import and no draft needs, left by processes killed during an upload."""
    for key in set(storage().keys(older_than_seconds=ORPHANED_SECONDS)) - stored_files.needed(session):
        storage().delete(key)


def clean_filename(filename: str) -> str:
    """Return the last part of a file's path, without control characters; it is only shown."""
    name = re.split(r"[/\\]", filename)[-1]
    return "".join(character for character in name if character.isprintable())[:MAX_FILENAME] or "unnamed.csv"
