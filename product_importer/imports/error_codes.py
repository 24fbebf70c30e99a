"""The codes and reasons that imports store and answer with; docs/file-format.md explains each code."""

from enum import StrEnum


class RowErrorCode(StrEnum):
    """Why a row of a file did not become a product."""

    # Found while the file is read.
    RAGGED = "ragged"
    MALFORMED = "malformed"
    UNCLOSED_QUOTE = "unclosed_quote"
    DOUBTFUL = "doubtful"
    TOO_LONG = "too_long"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    UNKNOWN_KEY = "unknown_key"
    REPEATED_KEY = "repeated_key"
    TOO_DEEP = "too_deep"
    # Found by the validation of rows.
    NUL = "nul"
    CONTINUATION = "continuation"
    REPEATED_HEADER = "repeated_header"
    NO_SKU = "no_sku"
    SCIENTIFIC_SKU = "scientific_sku"
    NO_NAME = "no_name"
    BAD_ACTIVE = "bad_active"
    # Found by the merge.
    DUPLICATE = "duplicate"
    DUPLICATE_SKU = "duplicate_sku"
    EXISTS = "exists"
    NOT_FOUND = "not_found"
    NO_NAME_TO_KEEP = "no_name_to_keep"
    CHANGED_SINCE_PREVIEW = "changed_since_preview"


# The reader accepted the rows with these codes, and so they are kept as it read them, without the file's escapes.
MERGE_CODES = (
    RowErrorCode.DUPLICATE,
    RowErrorCode.DUPLICATE_SKU,
    RowErrorCode.EXISTS,
    RowErrorCode.NOT_FOUND,
    RowErrorCode.NO_NAME_TO_KEEP,
    RowErrorCode.CHANGED_SINCE_PREVIEW,
)


class ImportErrorCode(StrEnum):
    """Why an import failed."""

    UNDECODABLE = "undecodable"
    BAD_WORKBOOK = "bad_workbook"
    BAD_JSON = "bad_json"
    BAD_PARQUET = "bad_parquet"
    TOO_LARGE = "too_large"
    TOO_MANY_ROWS = "too_many_rows"
    MALFORMED = "malformed"
    UNCLOSED_QUOTE = "unclosed_quote"
    LINE_TOO_LONG = "line_too_long"
    UPLOAD_MISSING = "upload_missing"
    SPOOL_FULL = "spool_full"
    SPOOL_UNWRITABLE = "spool_unwritable"
    KEY_RULES_CHANGED = "key_rules_changed"
    UPGRADED = "upgraded"
    GAVE_UP = "gave_up"
    ROW_SUM = "row_sum"


class RowOutcome(StrEnum):
    """What becomes of a row: every row of a file ends in exactly one of these. They are columns of `import_job`."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DUPLICATES = "duplicates"
    REJECTED = "rejected"


class ChangeOutcome(StrEnum):
    """What a dry run would do with a product that it would change."""

    CREATED = "created"
    UPDATED = "updated"


class UndoKeptReason(StrEnum):
    """Why an undo left a product as it was."""

    CHANGED_AFTER_CREATION = "It was created by this import and changed afterwards."
    CHANGED_AFTER_UPDATE = "It was changed again afterwards."
    DELETED = "It was deleted afterwards, and is not brought back."
    SKU_TAKEN = "Another product has its SKU now."
    EXISTS = "It was brought back already."
