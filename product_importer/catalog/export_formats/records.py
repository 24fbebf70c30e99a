"""What all formats of exports get: the columns of the file, and the products as records."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from product_importer.core.errors import Unprocessable

# Column to value. An attribute that a product does not have is absent.
Record = dict[str, str | bool]

# Excel's own limit. Parquet has none, but each column of a row group takes memory.
MAX_COLUMNS = 16_384


@dataclass(frozen=True)
class Columns:
    """The columns of a file: those known from the start, then those that `find` takes a while to find."""

    known: Sequence[str]
    find: Callable[[], Sequence[str]]

    @cached_property
    def all(self) -> list[str]:
        """Every column, in the order of the file."""
        return [*self.known, *self.find()]

    def bounded(self) -> list[str]:
        """Return every column.

        Raises:
            Unprocessable: there are more than `MAX_COLUMNS`.
        """
        if len(self.all) > MAX_COLUMNS:
            raise not_possible(
                "columns",
                f"The file would have {len(self.all):,} columns; at most {MAX_COLUMNS:,} are possible in this "
                "format. Name the columns that you need, or choose the format csv or jsonl.",
            )
        return self.all


def cut(records: Iterable[Record], max_records: int, max_characters: int) -> Iterator[list[Record]]:
    """Yield records in lists of at most so many, or so many characters; a list has at least one record."""
    taken: list[Record] = []
    characters = 0
    for record in records:
        taken.append(record)
        characters += sum(len(value) for value in record.values() if isinstance(value, str))
        if len(taken) >= max_records or characters >= max_characters:
            yield taken
            taken, characters = [], 0
    if taken:
        yield taken


def not_possible(field: str, message: str) -> Unprocessable:
    """Return the error of an export that this format or these columns make impossible; `field` is the cause."""
    return Unprocessable(f"{field}: {message}", errors=[{"field": field, "message": message}])
