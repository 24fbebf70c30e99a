"""Count what a file was read with an assumption for, or an action left; docs/file-format.md explains each code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from product_importer.catalog.schemas import MAX_ALL_ATTRIBUTES, MAX_ATTRIBUTES


class WarningCode(StrEnum):
    """What was assumed about a file, or which products an action left as they were."""

    GUESSED_ENCODING = "guessed_encoding"
    BACKSLASH_ESCAPES = "backslash_escapes"
    HEADER_FOUND_BELOW = "header_found_below"
    TEXT_FORMULAS = "text_formulas"
    OTHER_SHEETS = "other_sheets"
    FORMATS_NOT_VISIBLE = "formats_not_visible"
    NUMBERS_SHORTENED = "numbers_shortened"
    FILLED_DOWN = "filled_down"
    SKIPPED_CONTINUATION = "skipped_continuation"
    OTHER_FILES = "other_files"
    ATTRIBUTES_FULL = "attributes_full"


MESSAGES = {
    WarningCode.GUESSED_ENCODING: "Nothing in the file says how its text is encoded; it was read as {detail}.",
    WarningCode.BACKSLASH_ESCAPES: 'Quotes inside fields are written \\" with a backslash. They were read as quotes, '
    "and two backslashes as one.",
    WarningCode.HEADER_FOUND_BELOW: "The column names were found in line {detail}; the lines above it were not read.",
    WarningCode.TEXT_FORMULAS: 'Cells are formulas that hold a text, as ="00123"; they were read as this text.',
    WarningCode.OTHER_SHEETS: "The workbook has other visible sheets with data, which were not read: {detail}.",
    WarningCode.FORMATS_NOT_VISIBLE: "Number formats, and formulas without a value, cannot be seen in {detail}: "
    "numbers have no zeros in front, and a blank cell never clears a value, as if blank cells kept it.",
    WarningCode.NUMBERS_SHORTENED: "Numbers have more than 15 digits. Spreadsheets keep 15, so the others may be "
    "wrong. Format the columns of long codes as text, and enter these codes again.",
    WarningCode.FILLED_DOWN: "Rows without a name continue the product above. They took its name, and its "
    "description and state where they had none.",
    WarningCode.SKIPPED_CONTINUATION: "Rows without a name continue the product above, such as images. They were "
    "skipped.",
    WarningCode.OTHER_FILES: "Only the table in the archive was read, and not its other files: {detail}.",
    WarningCode.ATTRIBUTES_FULL: "Products stayed as they were: they would have more than "
    f"{MAX_ATTRIBUTES} attributes, or more than {MAX_ALL_ATTRIBUTES:,} characters in them.",
}


def warning(code: WarningCode, count: int | None = None, line: int | None = None, detail: str = "") -> dict[str, Any]:
    """Return a warning as a job's row holds it; `detail` is what its message names."""
    return {"code": code.value, "count": count, "first_line": line, "message": MESSAGES[code].format(detail=detail)}


@dataclass
class ReadWarnings:
    """The warnings about one file, at most one for each code.

    `count` is the number of rows or cells that a warning is about, `first_line` the first of them, as the file
    counts its lines. `count` is None for a warning about the file as a whole, and mostly `first_line`.
    """

    by_code: dict[WarningCode, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, stored: Iterable[Mapping[str, Any]]) -> Self:
        """Return the warnings that a job's row holds."""
        return cls({WarningCode(one["code"]): dict(one) for one in stored})

    def about_file(self, code: WarningCode, detail: str = "", line: int | None = None) -> None:
        """Add a warning about the file as a whole; `detail` is what its message names, `line` where it is seen."""
        self.by_code[code] = warning(code, line=line, detail=detail)

    def add(self, code: WarningCode, line: int, count: int = 1) -> None:
        """Count rows or cells, the first of which is in a line."""
        if known := self.by_code.get(code):
            known["count"] += count
            known["first_line"] = min(known["first_line"], line)
        else:
            self.by_code[code] = warning(code, count, line)

    def replace(self, others: "ReadWarnings") -> Self:
        """Take the warnings of another reading of the file in place of those with the same codes."""
        self.by_code |= others.by_code
        return self

    def stored(self) -> list[dict[str, Any]]:
        """Return the warnings as a job's row holds them."""
        return list(self.by_code.values())
