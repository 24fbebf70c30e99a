"""List, change, start and discard drafts. Services never commit: the caller owns the transaction."""

from collections.abc import Mapping
from uuid import UUID

from sqlmodel import Session

from product_importer.core.errors import Conflict, DomainError
from product_importer.core.ids import new_id
from product_importer.core.problem_types import ProblemType
from product_importer.imports import jobs
from product_importer.imports.draft_models import ImportDraft
from product_importer.imports.drafts import reopening, rows, starting
from product_importer.imports.drafts.inspection import raised
from product_importer.imports.drafts.schemas import DraftError, DraftRead, DraftStatus
from product_importer.imports.models import FINAL
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead


def list_drafts(session: Session) -> list[DraftRead]:
    """Return all drafts, newest first."""
    return [rows.shown(session, draft) for draft in rows.newest(session)]


def read_draft(session: Session, draft_id: UUID) -> DraftRead:
    """Return a draft.

    Raises:
        NotFound: there is no such draft; its import may have started, which has the same id.
    """
    return rows.shown(session, rows.find(session, draft_id))


def change_options(session: Session, draft_id: UUID, options: ImportOptions) -> DraftRead:
    """Choose options, and what columns become. Columns that are not named stay as they are found.

    `columns` of None uses a saved mapping where there is one, and an empty mapping does not. If the import was to
    start when the upload ends, it starts with these options; if it cannot, it will not start by itself.

    Raises:
        NotFound: there is no such draft.
    """
    draft = rows.lock(session, draft_id)
    draft.options = options.model_dump(mode="json")
    draft.start_options = None
    if draft.will_start is not None:
        try:
            starting.fix_columns(session, draft)
        except DomainError:
            draft.will_start = None
    if draft.storage_key is not None:
        # What kept an earlier start from success may be mended.
        draft.error = None
    return _changed(session, draft)


def start(
    session: Session, draft_id: UUID, dry_run: bool, shown_as: Mapping[str, str] | None = None
) -> DraftRead | ImportRead:
    """Start the import of a draft, with its id and the columns as they are shown; or when its upload has ended.

    `shown_as` is what a page has shown, by `columns.told`; None takes what it would show now.

    Raises:
        NotFound: there is no such draft.
        Conflict: its upload broke off; or the same file is being imported right now, `job_id`.
        TooMany: too many imports are unfinished.
        DomainError: the file cannot be imported with these options.
    """
    draft = rows.lock(session, draft_id)
    _check_startable(session, draft)
    draft.will_start, draft.error = starting.DRY_RUN if dry_run else starting.IMPORT, None
    starting.fix_columns(session, draft, shown_as)
    if draft.status == DraftStatus.RECEIVED:
        return starting.start_received(session, draft)
    return _changed(session, draft)


def discard(session: Session, draft_id: UUID) -> None:
    """Delete a draft, and its file unless an import or another draft needs it. A running upload ends with an error.

    Raises:
        NotFound: there is no such draft.
    """
    rows.delete(session, rows.lock(session, draft_id))


def from_import(session: Session, job_id: UUID) -> DraftRead:
    """Return a new draft of the file of an ended import, with its options and columns, to import it in another way.

    Raises:
        NotFound: there is no such import.
        Conflict: it has not ended, or its file was deleted.
        TooMany: there are too many drafts.
    """
    job = jobs.lock(session, job_id)
    if job.status not in FINAL:
        raise Conflict(f"The import is {job.status}. Wait for its end, or cancel it.")
    if job.action is not None:
        raise Conflict("This job has no file: it is an action on products.")
    if job.file_deleted_at is not None:
        raise Conflict("The uploaded file was deleted. Upload it again.", kind=ProblemType.NOT_RETRYABLE)
    draft = ImportDraft(
        id=new_id(),
        filename=job.filename,
        storage_key=job.storage_key,
        size_bytes=job.size_bytes,
        expected_bytes=job.size_bytes,
        sha256=job.sha256,
        status=DraftStatus.RECEIVED,
        options=reopening.options_of(job).model_dump(mode="json"),
    )
    inspected, draft.head = reopening.inspect(job)
    draft.inspected = inspected.model_dump(mode="json")
    return rows.shown(session, rows.add(session, draft))


def _check_startable(session: Session, draft: ImportDraft) -> None:
    if draft.storage_key is None and draft.error is not None:
        raise raised(DraftError.model_validate(draft.error))
    if rows.is_broken(session, draft):
        raise Conflict("The upload broke off, so there is no file to import. Upload it again.")


def _changed(session: Session, draft: ImportDraft) -> DraftRead:
    # The upload's progress is told from the same moment: a choice does not make a stalled upload lively.
    if draft.status == DraftStatus.RECEIVED:
        draft.updated_at = rows.now(session)
    session.flush()
    return rows.shown(session, draft)
