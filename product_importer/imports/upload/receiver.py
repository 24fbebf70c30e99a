"""An upload on its way in: stored while it arrives, and refused before anything else exists."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Self
from uuid import UUID
from zipfile import ZipFile

from sqlmodel import Session, select

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
from product_importer.imports.parsing.format_detection import read_early, recognise
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.parsing.stream_inspection import HEAD_BYTES, Inspection
from product_importer.imports.schemas import ImportRead

MAX_FILENAME = 255
# Read and merged in a second or two; what is larger may keep others waiting.
LARGE_BYTES = 16 * 1024 * 1024
# An upload that has not grown for so long will not any more.
ORPHANED_SECONDS = 6 * 3600
# Workbooks wait for their turn while they are accepted: in threads of their own, so that no other upload's bytes do.
ACCEPTING = ThreadPoolExecutor(32, thread_name_prefix="accepting")


def refuse_too_many(idempotency_key: str | None = None) -> None:
    """Speak against an upload before anything of it is read; `accept` looks again.

    Raises:
        TooMany: too many imports are unfinished, and none was made with this key.
    """
    db.run(admission.foretell, idempotency_key)


class IncomingUpload:
    """One file that is being received; as a context manager it leaves nothing unless it was accepted.

    The page and the REST endpoint both write their chunks here. Every method blocks: call them in a thread.
    With `options` a file is refused as soon as it shows a fault; without, while they may still come behind it,
    only what no choice could mend is refused before `accept`.
    """

    def __init__(self, filename: str, options: ImportOptions | None = None):
        """Begin to receive a file. With `options`, those of `accept`, a bad header is refused before the end."""
        self._id = new_id()
        self._filename = clean_filename(filename)
        self._key = f"{self._id}.csv"
        with _storing():
            self._writer = storage().writer(self._key)
        self._digest = hashlib.sha256()
        self._options = options
        self._inspection = Inspection(options.encoding if options else None)
        self._is_head_judged = options is None
        self._size = 0
        self._is_over = False

    @property
    def id(self) -> UUID:
        """The id the import will have."""
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
            TooLarge: more than `MAX_UPLOAD_MB` arrived, or is packed in it.
            Invalid: this cannot be a catalogue, which is known long before the end.
            StorageFull: they cannot be stored.
        """
        if self._size + len(chunk) > settings().max_upload_bytes:
            raise too_large()
        self._inspection.feed(chunk)
        with _storing():
            self._writer.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)
        if self._options is not None:
            self._judge_early(self._options)

    def accept(
        self, options: ImportOptions | None = None, idempotency_key: str | None = None, refuse_running: bool = False
    ) -> ImportRead:
        """Check the header, and only then create the import and nudge a worker.

        An upload that bears the key of an earlier one of the same file is that import, and its own file goes.

        Raises:
            Conflict: the key was used for another file, or with other options; with `refuse_running`, the very
                same file is being imported right now.
            Invalid: the file is empty, is not text, or lacks a required column; nothing is kept of it.
            TooLarge: more than `MAX_UPLOAD_MB` is packed in it.
            TooMany: too many imports are unfinished.
        """
        options = options or self._options or ImportOptions()
        self._inspection.feed(b"", final=True)
        with _storing():
            self._writer.commit()
        try:
            with opened(self._key) as stream:
                format, head = recognise(stream, self._inspection, options)
                is_large = self._unpacked_bytes(stream) > LARGE_BYTES
            matched, columns = _match(head, options)
            job = ImportJob(
                id=self._id,
                filename=self._filename,
                storage_key=self._key,
                size_bytes=self._size,
                is_large=is_large,
                sha256=self._digest.hexdigest(),
                format=format.model_dump(),
                header=list(matched.names),
                fields=list(matched.fields),
                choices=options.stored(),
                idempotency_key=idempotency_key,
            )
            accepted = db.run(service.start_import, job, columns, refuse_running)
            if accepted.id != self._id:
                storage().delete(self._key)
        except BaseException:
            storage().delete(self._key)
            raise
        finally:
            self._is_over = True
        return accepted

    def abort(self) -> None:
        """Remove what has arrived, unless it was accepted or refused already."""
        if not self._is_over:
            self._is_over = True
            self._writer.abort()

    def _unpacked_bytes(self, stream: BinaryIO) -> int:
        if self._inspection.container == "zip":
            with open_archive(stream, ZipFile) as archive:
                return sum(member.file_size for member in archive.infolist())
        return self._inspection.contents.size

    def _judge_early(self, options: ImportOptions) -> None:
        contents = self._inspection.contents
        if contents.text.fault is not None:
            raise contents.text.fault
        if self._is_head_judged or len(contents.head) < HEAD_BYTES:
            return
        self._is_head_judged = True
        head = read_early(contents, options)
        if head is not None:
            _match(head, options)


async def accepted(accept: Callable[..., ImportRead], *values: Any, **options: Any) -> ImportRead:
    """Call what accepts an upload in a thread, and return its import."""
    return await asyncio.get_running_loop().run_in_executor(ACCEPTING, partial(accept, *values, **options))


def sweep(session: Session) -> None:
    """Remove what no import knows: the leavings of processes that were killed in the middle of an upload."""
    known = set(session.scalars(select(ImportJob.storage_key)))
    for key in set(storage().keys(older_than_seconds=ORPHANED_SECONDS)) - known:
        storage().delete(key)


def _match(head: HeaderSample, options: ImportOptions) -> tuple[Header, Mapping[str, str] | None]:
    """Return which column of a file is what, and the mapping that says so: the given one, or the remembered one.

    Raises:
        Invalid, Unprocessable: the header lacks a column, or does not have those that were mapped.
    """
    header.check_count(head.names)
    columns: Mapping[str, str] | None
    columns = options.columns if options.columns is not None else db.run(saved_mappings.recall, head.names)
    return header.match(head.names, columns, head.sample), columns


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StorageFull(f"The file could not be stored: {reason}. Nothing of it was kept.") from error


def clean_filename(filename: str) -> str:
    """Return the last part of a name as the browser sent it, without control characters; it is only shown."""
    name = re.split(r"[/\\]", filename)[-1]
    return "".join(character for character in name if character.isprintable())[:MAX_FILENAME] or "unnamed.csv"
