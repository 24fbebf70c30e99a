"""An upload on its way in: stored while it arrives, and refused before anything else exists."""

import codecs
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

from sqlmodel import Session, select

from product_importer.core import db
from product_importer.core.errors import Invalid, StorageFull, TooLarge
from product_importer.core.ids import new_id
from product_importer.core.settings import settings
from product_importer.core.storage import opened, storage
from product_importer.imports import header, mapping, service
from product_importer.imports.choices import Choices
from product_importer.imports.models import ImportJob
from product_importer.imports.reader import NOT_CSV, read_head, read_header
from product_importer.imports.schemas import ImportRead

MAX_FILENAME = 255
# So much of a file is enough to judge its header, before the rest is sent.
HEAD_BYTES = 256 * 1024
# So many rows tell which columns are filled.
SAMPLE_ROWS = 300
# An upload that has not grown for so long will not any more.
ORPHANED_SECONDS = 6 * 3600
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class IncomingUpload:
    """One file that is being received; as a context manager it leaves nothing unless it was accepted.

    The page and the REST endpoint both write their chunks here. Every method blocks: call them in a thread.
    """

    def __init__(self, filename: str, choices: Choices | None = None):
        """Begin to receive a file. With `choices`, those of `accept`, a bad header is refused before the end."""
        self._choices = choices
        self._id = new_id()
        self._filename = clean_filename(filename)
        self._key = f"{self._id}.csv"
        with _storing():
            self._writer = storage().writer(self._key)
        self._digest = hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._size = 0
        self._lines = 1
        self._head: bytearray | None = bytearray()
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
            TooLarge: more than `MAX_UPLOAD_MB` arrived.
            Invalid: the bytes are not text in UTF-8, or the header lacks a column: known long before the end.
            StorageFull: they cannot be stored.
        """
        if self._size + len(chunk) > settings().max_upload_bytes:
            raise TooLarge(
                f"The file is larger than {settings().max_upload_mb} MB. Split it, or raise MAX_UPLOAD_MB.",
                limit_bytes=settings().max_upload_bytes,
            )
        self._check_text(chunk)
        with _storing():
            self._writer.write(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)
        self._check_head(chunk)

    def accept(
        self, choices: Choices | None = None, idempotency_key: str | None = None, refuse_running: bool = False
    ) -> ImportRead:
        """Check the header, and only then create the import and nudge a worker.

        An upload that bears the key of an earlier one of the same file is that import, and its own file goes.

        Raises:
            Conflict: the key was used for another file, or with other choices; with `refuse_running`, the very
                same file is being imported right now.
            Invalid: the file is empty, is not text, or lacks a required column; nothing is kept of it.
        """
        choices = choices or self._choices or Choices()
        self._check_text(b"", final=True)
        with _storing():
            self._writer.commit()
        try:
            with opened(self._key) as stream:
                matched, columns = _match(stream, choices)
            job = ImportJob(
                id=self._id,
                filename=self._filename,
                storage_key=self._key,
                size_bytes=self._size,
                sha256=self._digest.hexdigest(),
                header=list(matched.names),
                fields=list(matched.fields),
                choices=choices.stored(),
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

    def _check_head(self, chunk: bytes) -> None:
        if self._head is None:
            return
        self._head += chunk[: HEAD_BYTES - len(self._head)]
        if len(self._head) == HEAD_BYTES:
            # Up to its last line break, so that no character is cut in two.
            lines = bytes(self._head[: self._head.rfind(b"\n") + 1])
            self._head = None
            try:
                names = read_header(io.BytesIO(lines))
            except Invalid:
                # The header may be longer than this; the whole file tells.
                return
            if self._choices is None:
                # A form may say behind its file what the columns are.
                header.refuse_hopeless(names)
            else:
                _match(io.BytesIO(lines), self._choices)

    def _check_text(self, chunk: bytes, final: bool = False) -> None:
        if self._size == 0 and chunk.startswith(UTF_16):
            raise Invalid("The file is in UTF-16. Save it as “CSV UTF-8” and upload it again.", **NOT_CSV)
        pending = len(self._decoder.getstate()[0])
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            raise self._undecodable(error, chunk, pending) from error
        self._lines += chunk.count(b"\n")

    def _undecodable(self, error: UnicodeDecodeError, chunk: bytes, pending: int) -> Invalid:
        offset = self._size + error.start - pending
        line = self._lines + chunk.count(b"\n", 0, max(0, error.start - pending))
        wrong = error.object[error.start : error.start + 1].hex().upper()
        return Invalid(
            f"Byte {offset:,} (line {line:,}) is 0x{wrong}, which is not UTF-8 text. "
            "Is this a CSV file? If so, save it as “CSV UTF-8” and upload it again.",
            kind="not-text",
            title="The file is not text in UTF-8",
            line=line,
            offset=offset,
        )


def sweep(session: Session) -> None:
    """Remove what no import knows: the leavings of processes that were killed in the middle of an upload."""
    known = set(session.scalars(select(ImportJob.storage_key)))
    for key in set(storage().keys(older_than_seconds=ORPHANED_SECONDS)) - known:
        storage().delete(key)


def _match(stream: BinaryIO, choices: Choices) -> tuple[header.Header, Mapping[str, str] | None]:
    """Return which column of a file is what, and the mapping that says so: the given one, or the remembered one.

    Raises:
        Invalid, Unprocessable: the header lacks a column, or does not have those that were mapped.
    """
    names, sample = read_head(stream, SAMPLE_ROWS)
    columns: Mapping[str, str] | None
    columns = choices.columns if choices.columns is not None else db.run(mapping.recall, names)
    return header.match(names, columns, sample), columns


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
