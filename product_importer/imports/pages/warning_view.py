"""View model of what a file was read with an assumption for."""

from dataclasses import dataclass
from typing import Self

from product_importer.imports.schemas import ImportWarning


@dataclass(frozen=True)
class WarningView:
    """An assumption, and how often and where it was made; `where` is empty for the file as a whole.

    For a warning about products it says how many they are.
    """

    message: str = ""
    where: str = ""

    @classmethod
    def of(cls, warning: ImportWarning) -> Self:
        """Return `warning` as the page shows it."""
        if warning.count is None:
            return cls(warning.message)
        if warning.first_line is None:
            return cls(warning.message, "One product." if warning.count == 1 else f"{warning.count:,} products.")
        times, first = ("Once, ", "in") if warning.count == 1 else (f"{warning.count:,} times, ", "first in")
        return cls(warning.message, f"{times}{first} line {warning.first_line:,}.")
