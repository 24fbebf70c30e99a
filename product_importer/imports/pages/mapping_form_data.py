"""Data of the mapping form: which of a file's columns was chosen for which field."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from product_importer.core.errors import DomainError
from product_importer.imports.columns.header import (
    FIELDS,
    FOUND,
    REJECT_COLUMNS,
    REQUIRED,
    HeaderError,
    enumerated,
    fold,
)

# What becomes of rows that continue the product above.
OUTCOMES = {
    "reject": "Such rows are rejected; the options above can fill them or leave them out.",
    "fill": "Such rows take the product's name and description; those without an SKU of their own are left out.",
    "skip": "Such rows are left out.",
}


@dataclass(frozen=True)
class ColumnMapping:
    """The file's `columns`, and for each field the column that was chosen, or an empty text."""

    columns: list[str] = field(default_factory=list)
    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""
    # For each column that may be the name, how many rows of a sample of `sample_rows` continue the product above.
    continuations: dict[str, int] = field(default_factory=dict)
    sample_rows: int = 0
    # It tells which product a row belongs to, unless it is used as another field.
    first_column: str = ""

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Return the mapping that a header error suggests; without columns where a mapping cannot help."""
        if not isinstance(error, HeaderError) or not error.extra["missing"]:
            return cls()
        columns = _unique(error.extra["found"])
        named = {fold(name): name for name in columns}
        suggested: dict[str, Any] = named | error.extra["suggestions"]
        return cls(
            columns,
            **{name: column for name, column in suggested.items() if name in FIELDS},
            continuations=dict(error.continuations),
            sample_rows=error.sample_rows,
            first_column=error.extra["found"][0],
        )

    def question(self, error: DomainError) -> str:
        """Say what is missing, and in which sheet, and ask for a mapping; the form lists the columns."""
        return f"{error.detail.partition(FOUND)[0]} Choose the columns below."

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

    def continuation_note(self, continuation: str) -> str:
        """Say how many rows of the sample continue the product above, and what becomes of them; empty where none."""
        count = self.continuations.get(self.name, 0)
        if not count or self.first_column in (self.description, self.active):
            return ""
        some = "1 has no name and continues" if count == 1 else f"{count} have no name and continue"
        outcome = OUTCOMES.get(continuation, OUTCOMES["reject"])
        return f"Of the first {self.sample_rows} rows, {some} the product above, as variants and images do. {outcome}"

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
