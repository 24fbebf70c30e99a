"""The command `export`: write products as CSV, as a workbook, as JSON Lines or as Parquet."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import PurePath

from pydantic import ValidationError

from product_importer.catalog.export_query import ExportFormat, ExportQuery
from product_importer.commands import output
from product_importer.core.errors import DomainError, field_errors
from product_importer.core.logging.logs import escaped
from product_importer.core.settings.remote import remote_settings

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
    try:
        export = _from_server if remote_settings().product_importer_url else _from_here
        exported = export(query, target)
    except DomainError as error:
        raise SystemExit(f"product-importer: {escaped(error.detail)}") from None
    except BrokenPipeError:
        return 1
    print(f"{exported} exported.", file=sys.stderr)
    return 0


# Each needs packages that the other does without.
def _from_here(query: ExportQuery, target: str) -> str:
    """Export from the servers of this machine; return how much."""
    from product_importer import migrations
    from product_importer.catalog import record
    from product_importer.catalog.export import Export
    from product_importer.core import db

    migrations.migrate()
    with closing(Export(query, query.columns, query.format, query.product_id)) as export:
        try:
            output.write(export, target)
        finally:
            db.run(record.exported, query, export.rows)
    return f"{export.rows:,} product{'' if export.rows == 1 else 's'}"


def _from_server(query: ExportQuery, target: str) -> str:
    """Export from another machine's server, which does not say how many products it sends; return how much."""
    from product_importer.commands.remote import exports, server

    byte_count = 0

    def counted() -> Iterator[bytes]:
        nonlocal byte_count
        for piece in exports.pieces(remote, query):
            byte_count += len(piece)
            yield piece

    with server.Server(remote_settings()) as remote:
        output.write(counted(), target)
    return f"{byte_count:,} bytes"


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
