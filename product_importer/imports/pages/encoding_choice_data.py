"""Data of the choice of an encoding: how the first lines of a refused file read in each likely one."""

from dataclasses import dataclass, field
from typing import Self

from product_importer.core.errors import DomainError
from product_importer.imports.pages import labels


@dataclass(frozen=True)
class EncodingPreview:
    """An encoding's option and label, and the first lines that it makes a difference to."""

    name: str = ""
    label: str = ""
    lines: list[str] = field(default_factory=list)

    @classmethod
    def all_of(cls, error: DomainError) -> list[Self]:
        """Return the likely encodings that an error names; empty where it names none."""
        return [
            cls(one["encoding"], labels.ENCODINGS[one["encoding"]], list(one["preview"]))
            for one in error.extra.get("encodings") or []
        ]
