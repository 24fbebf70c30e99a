"""Names of attributes: chosen ones, and unique ones of columns."""

from collections.abc import Iterable

from product_importer.catalog.schemas import RESERVED
from product_importer.imports.options import NAMED


def is_attribute(field: str) -> bool:
    """Whether a column with this field, as in `Header.fields`, becomes an attribute."""
    return not field or field.startswith(NAMED)


def chosen_name(field: str) -> str:
    """Return the chosen name of an attribute, or an empty text."""
    return field.removeprefix(NAMED) if field.startswith(NAMED) else ""


class UniqueNames:
    """Make names unique: a name that is taken or reserved gets the next free number."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}

    def add(self, name: str) -> str:
        """Return the name, or with the number that makes it unique."""
        number = self._numbers.get(name, 1)
        candidate = name if number == 1 else f"{name} ({number})"
        while candidate in self._taken or candidate.casefold() in RESERVED:
            number += 1
            candidate = f"{name} ({number})"
        self._taken.add(candidate)
        self._numbers[name] = number
        return candidate
