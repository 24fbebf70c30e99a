"""Which of a file's columns a person takes for which field, where their names do not say it."""

from dataclasses import dataclass, field, replace
from typing import Any, Self

from product_importer.core.errors import DomainError
from product_importer.core.problem_types import ProblemType
from product_importer.imports.columns.header import FIELDS, REJECT_COLUMNS, REQUIRED, fold
from product_importer.imports.pages.labels import listed


@dataclass(frozen=True)
class Pairing:
    """The file's `columns` to choose from, and for each field the one that was chosen, or nothing."""

    columns: list[str] = field(default_factory=list)
    sku: str = ""
    name: str = ""
    description: str = ""
    active: str = ""

    @classmethod
    def of(cls, error: DomainError) -> Self:
        """Return what a refused header suggests; without columns where there is nothing to choose."""
        if error.kind != ProblemType.INVALID_CSV_HEADER or not error.extra.get("missing"):
            return cls()
        columns = _distinct(error.extra.get("found") or [])
        probable: dict[str, Any] = _named(columns) | dict(error.extra.get("suggestions") or {})
        return cls(columns, **{name: column for name, column in probable.items() if name in FIELDS})

    def question(self, error: DomainError) -> str:
        """Say what the header does not; the refusal's own words list all that it does."""
        missing = error.extra.get("missing") or []
        return f"Its first line has no column {listed(missing)}. Say below which ones are meant."

    def chosen(self) -> dict[str, str]:
        """Return each field that has a column, and which."""
        return {name: column for name in FIELDS if (column := getattr(self, name))}

    def choose(self, name: str, column: str) -> Self:
        """Return the same with another column, or none, for the field `name`."""
        changed: dict[str, Any] = {name: column} if name in FIELDS else {}
        return replace(self, **changed)

    def problem(self) -> str:
        """Why the file cannot be imported so; nothing where it can."""
        missing = [name for name in REQUIRED if not getattr(self, name)]
        if missing:
            return f"Still missing: {listed(missing)}."
        chosen = self.chosen()
        for column in chosen.values():
            sharing = [name for name, other in chosen.items() if other == column]
            if len(sharing) > 1:
                return f"“{column}” cannot be both {listed(sharing)}."
        return ""

    def targets(self) -> dict[str, str]:
        """Return what the file's columns are, as an upload's choices say it."""
        return {column: name for name, column in self.chosen().items()}


def _distinct(names: list[str]) -> list[str]:
    """Return the columns that can be told apart, without those that a file of rejected rows adds."""
    folded = list(map(fold, names))
    return [
        name
        for name, key in zip(names, folded, strict=True)
        if name and folded.count(key) == 1 and key not in REJECT_COLUMNS
    ]


def _named(columns: list[str]) -> dict[str, str]:
    """Return the fields whose columns say so themselves."""
    return {fold(name): name for name in columns if fold(name) in FIELDS}
