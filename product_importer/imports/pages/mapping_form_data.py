"""Data of the mapping form: which of a file's columns was chosen for which field."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from product_importer.core.errors import DomainError
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import FIELDS, REJECT_COLUMNS, REQUIRED, enumerated, fold


@dataclass(frozen=True)
class ColumnMapping:
    """The file's `columns`, and for each field the column that was chosen, or an empty text."""

    columns: list[str] = field(default_factory=list)
    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Return the mapping that a header error suggests; without columns where a mapping cannot help."""
        if error.kind != ProblemType.INVALID_CSV_HEADER or not error.extra.get("missing"):
            return cls()
        columns = _unique(error.extra.get("found") or [])
        named = {fold(name): name for name in columns}
        suggested: dict[str, Any] = named | dict(error.extra.get("suggestions") or {})
        return cls(columns, **{name: column for name, column in suggested.items() if name in FIELDS})

    def question(self, error: DomainError) -> str:
        """Name the missing columns and ask for a mapping; shorter than the error, which lists all columns."""
        missing = error.extra.get("missing") or []
        return f"Missing columns: {', '.join(missing)}. Choose the columns below."

    def chosen(self) -> dict[str, str]:
        """Return the fields that have a column, and that column."""
        return {name: column for name in FIELDS if (column := getattr(self, name))}

    def choose(self, name: str, column: str) -> Self:
        """Return a copy with another column, or none, for the field `name`."""
        changed: dict[str, Any] = {name: column} if name in FIELDS else {}
        return replace(self, **changed)

    def error(self) -> str:
        """Say why the file cannot be imported with this mapping; empty where it can."""
        missing = [name for name in REQUIRED if not getattr(self, name)]
        if missing:
            return f"Still missing: {enumerated(missing)}."
        chosen = self.chosen()
        for column in chosen.values():
            sharing = [name for name, other in chosen.items() if other == column]
            if len(sharing) > 1:
                return f"“{column}” is chosen for {enumerated(sharing)}. Choose a different column for each field."
        return ""

    def targets(self) -> dict[str, str]:
        """Return the mapping as the upload option `columns` takes it: column to field."""
        return {column: name for name, column in self.chosen().items()}


def _unique(names: list[str]) -> list[str]:
    """Return the columns whose names are unique, without those that a CSV of rejected rows adds."""
    folded = list(map(fold, names))
    return [
        name
        for name, key in zip(names, folded, strict=True)
        if name and folded.count(key) == 1 and key not in REJECT_COLUMNS
    ]
