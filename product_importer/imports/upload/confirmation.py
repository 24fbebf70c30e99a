"""Ask what a person at the page must confirm before an upload becomes an import."""

from collections.abc import Sequence

from product_importer.core.errors import Conflict
from product_importer.core.problem_types import ProblemType
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.file_format import Format

# The question shows so many column names.
MAX_NAMES = 8


def check_header_line(format: Format, names: Sequence[str], options: ImportOptions) -> None:
    """Refuse a file whose column names were found below its first line, unless that line was named.

    Raises:
        Conflict: they were; `header_line` is the line.
    """
    line = format.header_line
    if line is None or options.header_line is not None:
        return
    shown = ", ".join(name or "(no name)" for name in names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
    raise Conflict(
        f"The column names seem to be in line {line:,}: {shown}. The lines above it will not be imported.",
        kind=ProblemType.NOT_CONFIRMED,
        title=f"Are the column names in line {line:,}?",
        header_line=line,
    )
