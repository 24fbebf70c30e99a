"""Find out of an import what a new draft of the same file needs."""

from product_importer.core.errors import Conflict, DomainError
from product_importer.core.storage import ObjectNotFound, opened
from product_importer.imports.columns.header import fold
from product_importer.imports.drafts.inspection import Inspected
from product_importer.imports.drafts.inspection import inspect as inspect_stored
from product_importer.imports.drafts.preview import FILE_GONE
from product_importer.imports.models import ImportJob
from product_importer.imports.options import STORED, ImportOptions, parse
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.stream_inspection import HEAD_BYTES, StreamInspection
from product_importer.imports.schemas import COLUMN_WORDS

# What the first bytes of a text show by themselves.
DETECTED = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")


def options_of(job: ImportJob) -> ImportOptions:
    """Return options with which the file of an import is read in the same way."""
    format = Format.model_validate(job.format)
    given = {name: job.choices[name] for name in STORED if name in job.choices} | {"dry_run": False}
    given["columns"] = _columns(job)
    given["header_line"] = format.header_line
    if format.kind == "csv":
        given["delimiter"] = format.delimiter
        given["encoding"] = None if format.is_guessed or format.encoding in DETECTED else format.encoding
    elif format.kind not in ("json", "jsonl", "parquet"):
        given["sheet"] = format.part
    return parse(given)


def inspect(job: ImportJob) -> tuple[Inspected, bytes | None]:
    """Return what a small text, or the beginning of another file, shows; and the beginning of the text, if it is one.

    Raises:
        Conflict: the file is not stored.
    """
    try:
        with opened(job.storage_key) as stream:
            inspection = StreamInspection()
            inspection.feed(stream.read(HEAD_BYTES))
            inspection.feed(b"", final=job.size_bytes <= HEAD_BYTES)
    except ObjectNotFound:
        raise Conflict(FILE_GONE) from None
    except DomainError as error:
        raise Conflict(f"The file cannot be read again: {error.detail}") from error
    head = bytes(inspection.contents.head) or None
    if head is None or job.size_bytes > HEAD_BYTES:
        return Inspected.of(inspection), head
    return inspect_stored(job.storage_key, inspection, options_of(job))


def _columns(job: ImportJob) -> dict[str, str]:
    """Return what the columns became, by their names; columns of one name became the same."""
    by_name = {fold(name): (name, field) for name, field in zip(job.header, job.fields, strict=True)}
    return {name: COLUMN_WORDS.get(field, field) for name, field in by_name.values()}
