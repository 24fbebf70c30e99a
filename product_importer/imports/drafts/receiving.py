"""Receive the file of a draft, and keep its row up to date on the way."""

import time
from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, func, update
from sqlmodel import Session, col

from product_importer.core import db
from product_importer.core.errors import Conflict, DomainError, NotFound
from product_importer.core.ids import new_id
from product_importer.core.storage import storage
from product_importer.imports.draft_models import ImportDraft
from product_importer.imports.drafts import inspection, rows, starting
from product_importer.imports.drafts.inspection import Inspected
from product_importer.imports.drafts.schemas import DraftRead, DraftStatus
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload.incoming_file import IncomingFile, StoredFile
from product_importer.imports.upload.receiver import clean_filename

REPORT_SECONDS = 0.5
# Of a column of PostgreSQL.
MAX_EXPECTED = 1 << 63
GONE = "This upload has ended: the file was discarded, or is being uploaded anew."


class IncomingDraft:
    """A file that is being received as a draft. Every method blocks: call it in a thread."""

    def __init__(self, filename: str, expected_bytes: int | None = None, draft_id: UUID | None = None):
        """Create a draft; with `draft_id`, take up one whose file has not arrived, from the start.

        `expected_bytes` is what the sender says; it is not known where that cannot be.

        Raises:
            NotFound: there is no such draft.
            Conflict: its file has arrived.
            TooMany: there are too many drafts.
            StorageFull: nothing can be stored.
        """
        self.id = draft_id or new_id()
        self._key = f"{self.id if draft_id is None else new_id()}.csv"
        begin = _create if draft_id is None else _take_up
        expected = expected_bytes if 0 <= (expected_bytes or 0) < MAX_EXPECTED else None
        db.run(begin, self.id, self._key, clean_filename(filename), expected)
        try:
            self._file = IncomingFile(self._key)
        except DomainError as error:
            db.run(_end, self.id, self._key, DraftStatus.BROKEN, error=error)
            raise
        self._reported, self._head_bytes = float("-inf"), 0
        self._is_done = False

    def write(self, chunk: bytes) -> None:
        """Store the next bytes.

        Raises:
            TooLarge, Invalid, StorageFull: the file cannot be imported, whatever is chosen; the draft's `error`
                says so, too.
            NotFound: the draft was discarded, or is being uploaded anew.
        """
        try:
            self._file.write(chunk)
        except DomainError as error:
            self._fail(error, DraftStatus.BROKEN)
            raise
        if time.monotonic() - self._reported >= REPORT_SECONDS:
            self._report()

    def finish(self) -> DraftRead | ImportRead:
        """Inspect the whole file; return the draft, or its import if that was to start.

        If the file cannot be imported, whatever is chosen, or the import cannot start, the draft's `error` says why.

        Raises:
            NotFound: the draft was discarded, or is being uploaded anew.
        """
        try:
            file = self._file.commit()
        except DomainError as error:
            return self._fail(error, DraftStatus.RECEIVED)
        self._is_done = True
        try:
            return self._received(file)
        except BaseException:
            storage().delete(self._key)
            raise

    def abort(self) -> None:
        """Delete what has arrived, and call the draft broken, unless the upload has ended."""
        if self._is_done:
            return
        self._is_done = True
        self._file.abort()
        # Without a word from us, it is seen as broken a minute later.
        with suppress(NotFound, *db.OUTAGE):
            db.run(_end, self.id, self._key, DraftStatus.BROKEN, size=self._file.size)

    def _report(self) -> None:
        self._reported = time.monotonic()
        try:
            db.run(_progress, self.id, self._key, self._file.size, self._new_head())
        except NotFound:
            self._is_done = True
            self._file.abort()
            raise

    def _new_head(self) -> bytes | None:
        """Return the beginning of the text, if there is more of it than was reported."""
        head = self._file.inspection.contents.head
        if len(head) == self._head_bytes:
            return None
        self._head_bytes = len(head)
        return bytes(head)

    def _fail(self, error: DomainError, status: DraftStatus) -> DraftRead:
        self._is_done = True
        self._file.abort()
        return db.run(_end, self.id, self._key, status, error=error, size=self._file.size)

    def _received(self, file: StoredFile) -> DraftRead | ImportRead:
        options = db.run(_options, self.id, self._key)
        try:
            inspected, head = inspection.inspect(self._key, self._file.inspection, options)
        except DomainError as error:
            storage().delete(self._key)
            return db.run(_end, self.id, self._key, DraftStatus.RECEIVED, error=error, size=file.size_bytes)
        return db.run(_receive, self.id, file, inspected, head)


def _create(session: Session, draft_id: UUID, key: str, filename: str, expected: int | None) -> None:
    draft = ImportDraft(
        id=draft_id,
        filename=filename,
        storage_key=key,
        expected_bytes=expected,
        status=DraftStatus.RECEIVING,
        options=ImportOptions().model_dump(mode="json"),
    )
    rows.add(session, draft)


def _take_up(session: Session, draft_id: UUID, key: str, filename: str, expected: int | None) -> None:
    draft = rows.lock(session, draft_id)
    # An upload that still seems to go on may have lost its server: it ends with an error if it has not.
    if draft.status == DraftStatus.RECEIVED and draft.storage_key is not None:
        raise Conflict("The draft's file has arrived. Discard it, or choose a new one.")
    if draft.filename != filename:
        # The start was meant for another file.
        draft.will_start = draft.start_options = None
    draft.filename, draft.storage_key, draft.expected_bytes = filename, key, expected
    draft.status, draft.size_bytes, draft.updated_at = DraftStatus.RECEIVING, 0, rows.now(session)
    draft.sha256 = draft.head = draft.error = None
    draft.inspected = {}


def _options(session: Session, draft_id: UUID, key: str) -> ImportOptions:
    return ImportOptions.model_validate(_own(session, draft_id, key).options)


def _own(session: Session, draft_id: UUID, key: str) -> ImportDraft:
    """Return the draft's row, locked.

    Raises:
        NotFound: it is no longer that of this upload.
    """
    draft = rows.lock(session, draft_id)
    if draft.storage_key != key or draft.status != DraftStatus.RECEIVING:
        raise NotFound(GONE)
    return draft


def _progress(session: Session, draft_id: UUID, key: str, size: int, head: bytes | None) -> None:
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(ImportDraft)
        .where(
            col(ImportDraft.id) == draft_id,
            col(ImportDraft.storage_key) == key,
            col(ImportDraft.status) == DraftStatus.RECEIVING,
        )
        .values(size_bytes=size, updated_at=func.now(), **({} if head is None else {"head": head}))
    )
    if not changed.rowcount:
        raise NotFound(GONE)


def _end(
    session: Session,
    draft_id: UUID,
    key: str,
    status: DraftStatus,
    *,
    error: DomainError | None = None,
    size: int = 0,
) -> DraftRead:
    """End an upload of which no file is left."""
    draft = _own(session, draft_id, key)
    draft.status, draft.storage_key, draft.size_bytes = status, None, size
    draft.error = None if error is None else inspection.error_of(error).model_dump(mode="json")
    draft.updated_at = rows.now(session)
    session.flush()
    return rows.shown(session, draft)


def _receive(
    session: Session, draft_id: UUID, file: StoredFile, inspected: Inspected, head: bytes | None
) -> DraftRead | ImportRead:
    """Note that the whole file has arrived, and start the import if that was asked for."""
    draft = _own(session, draft_id, file.key)
    draft.status, draft.size_bytes, draft.sha256 = DraftStatus.RECEIVED, file.size_bytes, file.sha256
    draft.inspected, draft.head, draft.updated_at = inspected.model_dump(mode="json"), head, rows.now(session)
    session.flush()
    if draft.will_start is None:
        return rows.shown(session, draft)
    try:
        with session.begin_nested():
            return starting.start_received(session, draft)
    except DomainError as error:
        session.refresh(draft)
        draft.will_start = draft.start_options = None
        draft.error = inspection.error_of(error).model_dump(mode="json")
        session.flush()
        return rows.shown(session, draft)
