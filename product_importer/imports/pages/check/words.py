"""The words for what becomes of rows, and for their problems."""

from product_importer.imports.edits.check_schemas import CheckSummary, RowState
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.pages.result_words import counted

# In the order of the filters: a number stands before the words.
FILTERS = {
    RowState.UPDATE: "to update",
    RowState.CREATE: "to create",
    RowState.PROBLEM: "problem",
    RowState.UNCHANGED: "unchanged",
    RowState.DUPLICATE: "duplicate",
    RowState.SKIPPED: "skipped",
}
NOUNS = (RowState.PROBLEM, RowState.DUPLICATE)
TITLES = {
    RowErrorCode.RAGGED: "The number of cells is wrong",
    RowErrorCode.MALFORMED: "The row is not well-formed",
    RowErrorCode.UNCLOSED_QUOTE: "A quote is not closed",
    RowErrorCode.DOUBTFUL: "Where the row ends is in doubt",
    RowErrorCode.TOO_LONG: "A text is too long",
    RowErrorCode.FORMULA_WITHOUT_VALUE: "A formula has no value",
    RowErrorCode.UNKNOWN_KEY: "A key is new",
    RowErrorCode.REPEATED_KEY: "A key stands there twice",
    RowErrorCode.TOO_DEEP: "A value is nested too deeply",
    RowErrorCode.NUL: "A NUL character cannot be stored",
    RowErrorCode.CONTINUATION: "The row continues the product above",
    RowErrorCode.REPEATED_HEADER: "The row repeats the column names",
    RowErrorCode.NO_SKU: "The SKU is missing",
    RowErrorCode.SCIENTIFIC_SKU: "The SKU has lost digits",
    RowErrorCode.NO_NAME: "The name is missing",
    RowErrorCode.BAD_ACTIVE: "Active or inactive is not understood",
    RowErrorCode.DUPLICATE: "Another row has the same SKU",
    RowErrorCode.DUPLICATE_SKU: "Several rows have the same SKU",
    RowErrorCode.EXISTS: "The product exists already",
    RowErrorCode.NOT_FOUND: "The product does not exist",
    RowErrorCode.NO_NAME_TO_KEEP: "The name is missing, and none is stored",
    RowErrorCode.CHANGED_SINCE_PREVIEW: "The product was changed after the dry run",
}


def filter_words(state: RowState, count: int) -> str:
    """Return a state with its count, such as "14 to update" or "2 problems"."""
    return counted(count, FILTERS[state]) if state in NOUNS else f"{count:,} {FILTERS[state]}"


def import_words(summary: CheckSummary) -> str:
    """Return the label of the button that imports what was checked."""
    return f"Import {counted(summary.changes, 'change')}" if summary.changes else "Import without changes"


def fix_words(summary: CheckSummary) -> str:
    """Return the label of the button that imports corrected rows."""
    return f"Import {counted(summary.good, 'fixed row')}" if summary.good else "Import the fixed rows"
