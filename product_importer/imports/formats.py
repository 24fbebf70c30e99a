"""How a file's bytes become text: its container, its encoding, and what parts its cells."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Container = Literal["plain", "gzip", "zip", "xlsx"]


class Format(BaseModel):
    """How a file is read. `encoding` is Python's name; `is_guessed` when nothing in the file itself says so."""

    model_config = ConfigDict(frozen=True)

    container: Container = "plain"
    encoding: str = "utf-8"
    delimiter: str = ","
    is_guessed: bool = False
