"""The format of a file: its container, its encoding and its delimiter."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Container = Literal["plain", "gzip", "zip", "xlsx"]


class Format(BaseModel):
    """How a file is read. `encoding` is Python's name for it; `is_guessed` if nothing in the file says so.

    `part` is the file inside a zip, or the sheet of a workbook. A workbook has no encoding and no delimiter.
    """

    model_config = ConfigDict(frozen=True)

    container: Container = "plain"
    encoding: str = "utf-8"
    delimiter: str = ","
    is_guessed: bool = False
    part: str | None = None
