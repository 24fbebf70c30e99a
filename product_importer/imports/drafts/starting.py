"""Start the import of a draft, which takes over its id, its file, and the columns that were shown."""

from collections.abc import Mapping
from functools import partial

from sqlmodel import Session

from product_importer.core.errors import Conflict, Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.core.storage import ObjectNotFound
from product_importer.imports import service
from product_importer.imports.columns import saved_mappings
from product_importer.imports.draft_models import ImportDraft
from product_importer.imports.drafts.columns import told
from product_importer.imports.drafts.inspection import Inspected
from product_importer.imports.drafts.preview import FILE_GONE, read_columns
from product_importer.imports.drafts.schemas import DraftPreview, DraftStatus
from product_importer.imports.models import ImportJob
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import accepting
from product_importer.imports.upload.incoming_file import StoredFile

IMPORT, DRY_RUN = "import", "dry_run"


def fix_columns(session: Session, draft: ImportDraft, shown_as: Mapping[str, str] | None = None) -> None:
    """Remember the columns as they are shown now, for the import that starts when the upload has ended.

    `shown_as` is what a page has shown, by `columns.told`: a mapping that was saved since then does not change it.
    Nothing is remembered while too little has arrived to show them.

    Raises:
        DomainError: the file cannot be imported with these options.
    """
    find = partial(saved_mappings.find, session) if shown_as is None else lambda _names: dict(shown_as)
    shown = read_columns(draft, find)
    draft.start_options = _with_columns(draft, shown) if shown.columns else None


def start_received(session: Session, draft: ImportDraft) -> ImportRead:
    """Start the import, or the dry run, that `will_start` asks for, and delete the draft.

    Raises:
        DomainError: the file cannot be imported with these options.
    """
    if draft.start_options is None:
        fix_columns(session, draft)
    options = ImportOptions.model_validate(draft.start_options or draft.options)
    options = options.model_copy(update={"dry_run": draft.will_start == DRY_RUN})
    job, columns = _prepared(draft, options)
    session.delete(draft)
    session.flush()
    return service.start_import(session, job, columns, refuse_running=True)


def _prepared(draft: ImportDraft, options: ImportOptions) -> tuple[ImportJob, Mapping[str, str] | None]:
    assert draft.status == DraftStatus.RECEIVED and draft.storage_key is not None and draft.sha256 is not None
    file = StoredFile(draft.storage_key, draft.size_bytes, draft.sha256)
    inspection = Inspected.model_validate(draft.inspected).restored(draft.head)
    try:
        return accepting.prepare(file, inspection, options, job_id=draft.id, filename=draft.filename)
    except ObjectNotFound:
        raise Conflict(FILE_GONE) from None


def _with_columns(draft: ImportDraft, shown: DraftPreview) -> dict[str, object]:
    """Return the options with the columns that are shown: nothing else is guessed or remembered later.

    Raises:
        Invalid: it cannot be imported with these columns.
    """
    if shown.problem:
        raise Invalid(
            shown.problem,
            kind=ProblemType.INVALID_CSV_HEADER,
            title="The columns do not suffice",
            missing=shown.missing,
            found=[column.name for column in shown.columns],
        )
    return {**draft.options, "columns": told(shown.columns)}
