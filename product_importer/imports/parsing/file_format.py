"""The format of a file: how it is packed, what kind of table it is, its encoding and its delimiter."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

# `xlsx`: such a workbook is a zip by itself; the other workbooks are `plain`. A `tar` may be packed as a whole, as in
# .tar.gz.
Container = Literal["plain", "gzip", "zip", "xlsx", "bzip2", "xz", "zstd", "tar"]
Kind = Literal["csv", "xlsx", "xls", "xlsb", "ods", "json", "jsonl", "parquet"]
Escape = Literal["backslash"]


class Format(BaseModel):
    """How a file is read. `encoding` is Python's name for it; `is_guessed` if nothing in the file says so.

    `part` is the file inside a zip or a tar, or the sheet of a workbook. Only a `csv` has an encoding and a delimiter
    of its own. `header_line` is the line with the column names, 0 if there is none; None is the first line that is
    not blank. `escape` says how quotes inside a field of a CSV are written, if not twice.
    """

    model_config = ConfigDict(frozen=True)

    container: Container = "plain"
    kind: Kind = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    is_guessed: bool = False
    part: str | None = None
    header_line: int | None = None
    escape: Escape | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_kind(cls, given: Any) -> Any:
        """Add the kind of a workbook, which earlier versions did not store."""
        return given | {"kind": "xlsx"} if isinstance(given, dict) and given.get("container") == "xlsx" else given
