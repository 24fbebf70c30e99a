"""The command `export`: write products as CSV, as a workbook, as JSON Lines or as Parquet."""

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import PurePath

from pydantic import ValidationError

from product_importer import migrations
from product_importer.catalog.export import Export
from product_importer.catalog.export_query import ExportFormat, ExportQuery
from product_importer.commands import output
from product_importer.core.errors import DomainError, field_errors
from product_importer.core.logging.logs import escaped

ENDINGS = {
    **{f".{format}": format for format in ExportFormat},
    "": ExportFormat.CSV,
    ".txt": ExportFormat.CSV,
    ".ndjson": ExportFormat.JSONL,
}


def run(target: str, given: Mapping[str, object]) -> int:
    """Write the products that match to `target`, `-` for standard output; `given` is what `ExportQuery` holds.

    Returns:
        0, or 1 when the program that reads standard output has closed it.

    Raises:
        SystemExit: an option is invalid, or the products do not fit the format; the message is one line.
        OutputError: the file cannot be written.
    """
    query = _query(target, {name: value for name, value in given.items() if value is not None})
    output.check(target)
    migrations.migrate()
    try:
        with closing(Export(query, query.columns, query.format)) as export:
            output.write(export, target)
    except DomainError as error:
        raise SystemExit(f"product-importer: {escaped(error.detail)}") from None
    except BrokenPipeError:
        return 1
    print(f"{export.rows:,} product{'' if export.rows == 1 else 's'} exported.", file=sys.stderr)
    return 0


def _query(target: str, given: dict[str, object]) -> ExportQuery:
    """Return what is exported, in the format given or that of the file's ending.

    Raises:
        SystemExit: an option is invalid, or there is no format; the message is one line.
    """
    if "format" not in given:
        given["format"] = _format_of(target)
    try:
        return ExportQuery.model_validate(given)
    except ValidationError as error:
        reasons = (f"{one['field']}: {one['message']}" for one in field_errors(error.errors()))
        raise SystemExit(f"product-importer: {escaped('; '.join(reasons))}") from None


def _format_of(target: str) -> ExportFormat:
    ending = "" if target == "-" else PurePath(target).suffix.lower()
    if ending not in ENDINGS:
        name = escaped(PurePath(target).name)
        raise SystemExit(
            f"product-importer: {name}: its ending names no format of exports; choose one with --format "
            f"{'|'.join(ExportFormat)}"
        )
    return ENDINGS[ending]
