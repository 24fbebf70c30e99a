"""Refuse options that mean nothing for the kind of a file, rather than ignore them."""

from product_importer.core.errors import invalid_fields
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.books import kinds
from product_importer.imports.parsing.file_format import Kind
from product_importer.imports.parsing.sheet_choice import refuse_sheet

NAMES: dict[Kind, str] = {
    **kinds.NAMES,
    "xlsx": "an Excel workbook (.xlsx)",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "parquet": "a Parquet file",
}
# Why each option means nothing for such files; all of them are options about the text of a CSV or about a workbook.
REASONS = {
    "encoding": "it says itself how its text is encoded",
    "delimiter": "it has no delimiter",
    "sheet": "it has no sheets",
    "header_line": "it has no header line to choose",
}


def refuse_options(kind: Kind, options: ImportOptions) -> None:
    """Refuse options about the text of a CSV for other files, and the name of a sheet for what is no workbook.

    Raises:
        Unprocessable: one was given; `errors` names each.
        Invalid: the file is a CSV, and a sheet was named; `unknown-sheet`.
    """
    if kind == "csv":
        refuse_sheet(options.sheet)
        return
    of_books = ("sheet", "header_line") if kind in kinds.NAMES else ()
    meaningless = [name for name in REASONS if name not in of_books]
    given = [name for name in meaningless if getattr(options, name) is not None]
    if given:
        raise invalid_fields(
            [
                {"field": name, "message": f"The file is {NAMES[kind]}: {REASONS[name]}. Leave it out."}
                for name in given
            ]
        )
