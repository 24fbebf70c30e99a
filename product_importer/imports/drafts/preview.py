"""Show how a draft's file is read: its columns, and what they become."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from product_importer.core import db
from product_importer.core.errors import Conflict, DomainError
from product_importer.core.storage import ObjectNotFound, opened
from product_importer.imports.columns import header, saved_mappings
from product_importer.imports.columns.continuations import count_continuations
from product_importer.imports.columns.header import enumerated
from product_importer.imports.draft_models import ImportDraft
from product_importer.imports.drafts import rows
from product_importer.imports.drafts.columns import columns_of, missing_fields, told
from product_importer.imports.drafts.heads import detect_head
from product_importer.imports.drafts.inspection import Inspected, error_of, raised
from product_importer.imports.drafts.schemas import DraftColumn, DraftError, DraftPreview, DraftStatus
from product_importer.imports.options import BY_CODEC, ImportOptions
from product_importer.imports.parsing.format_detection import Detected, detect_format
from product_importer.imports.parsing.header_sample import HeaderSample
from product_importer.imports.pipeline.variant_rows import VariantGroups

FindMapping = Callable[[Sequence[str]], Mapping[str, str] | None]
# A first column that holds these does not tell which product a row belongs to.
NOT_GROUPING = ("name", "description", "active")
FILE_GONE = "The file is no longer stored. Choose it again."


def preview(draft_id: UUID) -> DraftPreview:
    """Return how a draft's file is read with its options; without columns while too little of it has arrived.

    Blocks for a fraction of a second, for a workbook up to some seconds.

    Raises:
        NotFound: there is no such draft.
    """
    draft = db.run(rows.find, draft_id)
    try:
        return read_columns(draft, lambda names: db.run(saved_mappings.find, names))
    except DomainError as error:
        return DraftPreview(error=error_of(error), sheets=list(error.extra.get("sheets", ())))


def read_columns(draft: ImportDraft, find_mapping: FindMapping) -> DraftPreview:
    """Return how a draft's file is read; `find_mapping` returns the saved mapping of columns.

    Raises:
        DomainError: it cannot be read with these options.
    """
    if draft.error is not None and draft.storage_key is None:
        raise raised(DraftError.model_validate(draft.error))
    options, inspected = ImportOptions.model_validate(draft.options), Inspected.model_validate(draft.inspected)
    # Which line has the names does not depend on what they become.
    found = _detected(draft, inspected, options.model_copy(update={"columns": None}))
    if found is None:
        return DraftPreview()
    header.check_column_count(found.head.names)
    saved = None if options.columns == {} else find_mapping(found.head.names)
    columns = columns_of(found.head, options.columns, saved)
    missing = missing_fields(columns)
    format = found.format
    return DraftPreview(
        columns=columns,
        missing=missing,
        problem=_problem(found.head, columns, missing),
        kind=format.kind,
        encoding=_encoding(format.encoding) if format.kind == "csv" else "",
        delimiter=format.delimiter if format.kind == "csv" else "",
        header_line=format.header_line,
        sheet=(format.part or "") if found.size is None else "",
        sheets=_sheets(inspected, found),
        continuations=_count_continuations(found.head, columns),
        variants=_count_variants(found.head, columns),
        sample_rows=len(found.head.sample),
        warnings=[*(warning["message"] for warning in found.warnings.stored()), *inspected.notes],
        is_whole=_is_whole(draft, inspected, options),
    )


def _detected(draft: ImportDraft, inspected: Inspected, options: ImportOptions) -> Detected | None:
    """Return how the file is read by the beginning of its text, else by the stored file; None if it is not there.

    Raises:
        DomainError: it cannot be read with these options.
    """
    if draft.head is not None:
        is_all = inspected.text is not None and inspected.text.size == len(draft.head)
        found = detect_head(draft.head, inspected, options, is_all)
        if found is not None:
            return found
    if draft.status != DraftStatus.RECEIVED or draft.storage_key is None:
        return None
    try:
        with opened(draft.storage_key) as stream:
            return detect_format(stream, inspected.restored(draft.head), options)
    except ObjectNotFound:
        raise Conflict(FILE_GONE) from None


def _is_whole(draft: ImportDraft, inspected: Inspected, options: ImportOptions) -> bool:
    is_checked = draft.head is None or (inspected.text is not None and inspected.chosen == options.encoding)
    return draft.status == DraftStatus.RECEIVED and is_checked


def _problem(head: HeaderSample, columns: Sequence[DraftColumn], missing: Sequence[str]) -> str:
    """Say why the file cannot be imported with these columns; empty if it can."""
    if missing:
        return f"Still missing: {enumerated(missing)}."
    try:
        header.match(head.names, told(columns))
    except DomainError as error:
        return error.detail
    return ""


def _count_continuations(head: HeaderSample, columns: Sequence[DraftColumn]) -> int:
    name = next((column.name for column in columns if column.target == "name"), None)
    if name is None or columns[0].target in NOT_GROUPING:
        return 0
    return count_continuations([column.name for column in columns], head.sample).get(name, 0)


def _count_variants(head: HeaderSample, columns: Sequence[DraftColumn]) -> int:
    try:
        groups = VariantGroups(header.match(head.names, told(columns)), keep_blank=False, continuation="fill")
    except DomainError:
        return 0
    count = 0
    for line, cells in enumerate(head.sample):
        row = [*cells, *[""] * (len(columns) - len(cells))]
        parent = groups.parent_of(row)
        count += parent is not None and groups.filled(row, parent) is not None
        if parent is None:
            groups.accept(line, row)
    return count


def _sheets(inspected: Inspected, found: Detected) -> list[str]:
    if found.size is not None or found.format.part is None:
        return []
    return inspected.sheets or [found.format.part, *found.other_sheets]


def _encoding(name: str) -> str:
    """Return our name of an encoding for Python's."""
    return "utf-16" if name.startswith("utf-16") else BY_CODEC.get(name, name)
