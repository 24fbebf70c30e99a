"""The command `export`: write products as CSV."""

import sys
from collections.abc import Mapping

from pydantic import ValidationError

from product_importer import migrations
from product_importer.catalog.export import Export
from product_importer.catalog.schemas import ProductFilter
from product_importer.commands import output
from product_importer.core.errors import field_errors


def run(target: str, filters: Mapping[str, str | None]) -> int:
    """Write the products that match to `target`, `-` for standard output.

    Returns:
        0, or 1 when the program that reads standard output has closed it.

    Raises:
        SystemExit: a filter is invalid; the message is one line.
        OutputError: the file cannot be written.
    """
    given = {name: value for name, value in filters.items() if value is not None}
    migrations.migrate()
    try:
        export = Export(ProductFilter.model_validate(given))
        output.write(export, target)
    except ValidationError as error:
        reasons = (f"{one['field']}: {one['message']}" for one in field_errors(error.errors()))
        raise SystemExit(f"product-importer: {'; '.join(reasons)}") from None
    except BrokenPipeError:
        return 1
    print(f"{export.rows:,} product{'' if export.rows == 1 else 's'} exported.", file=sys.stderr)
    return 0
