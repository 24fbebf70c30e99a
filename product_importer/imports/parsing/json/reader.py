"""The records of a JSON file, with the methods of `csv.reader.Records`."""

import io
from collections.abc import Iterator
from itertools import chain

from product_importer.core.settings import settings
from product_importer.imports.error_codes import ImportErrorCode, RowErrorCode
from product_importer.imports.parsing.exact_texts import as_name
from product_importer.imports.parsing.json.elements import Element, in_array, in_lines
from product_importer.imports.parsing.json.values import shown
from product_importer.imports.parsing.records import RECORDS_PER_CHUNK, Chunk, RowError, Unreadable

# The header is made of the keys in so many objects, or in so many characters.
SAMPLE_OBJECTS = 300
SAMPLE_CHARACTERS = 1024 * 1024
# Bounds the memory of a chunk: an object has a cell for each column, also where it lacks the key.
MAX_CHUNK_CHARACTERS = 4 * 1024 * 1024


class JsonRecords:
    """The objects of JSON Lines, or of an array, as rows; the columns are the keys in the order of their appearance.

    A key that an object lacks is an empty cell. `line` is the physical line in JSON Lines, and the number of the
    object in an array.
    """

    def __init__(self, text: io.TextIOBase, is_array: bool):
        self._rest = in_array(text) if is_array else in_lines(text)
        self._sample: list[Element] = []
        self._columns: dict[str, None] | None = None
        self._characters = 0

    def header(self) -> tuple[list[str], int]:
        """Return the keys of the first objects, and the line of the first one; ([], 0) when there is none.

        Raises:
            Unreadable: the bytes are not text, or the array is not well-formed.
        """
        self._columns = self._columns or self._read_sample()
        return list(map(as_name, self._columns)), self._sample[0].line if self._columns else 0

    def sample(self) -> list[Element]:
        """Return the objects, the keys of which are the header."""
        return self._sample

    def chunks(self) -> Iterator[Chunk]:
        """Yield all objects, at most `RECORDS_PER_CHUNK` at a time.

        Raises:
            Unreadable: as `header` does, or the cells hold more text than `MAX_UPLOAD_MB`.
        """
        self.header()
        elements = chain(self._sample, self._rest)
        while chunk := self._chunk(elements):
            yield chunk

    def _read_sample(self) -> dict[str, None]:
        columns: dict[str, None] = {}
        characters = 0
        for element in self._rest:
            self._sample.append(element)
            columns |= dict.fromkeys(element.cells)
            characters += element.length
            if len(self._sample) == SAMPLE_OBJECTS or characters >= SAMPLE_CHARACTERS:
                break
        return columns

    def _chunk(self, elements: Iterator[Element]) -> Chunk:
        lines: list[int] = []
        rows: list[list[str]] = []
        errors: list[RowError] = []
        characters = 0
        columns = self._columns or {}
        for element in elements:
            row = [element.cells.get(key, "") for key in columns]
            characters += len(columns) + element.length
            error = element.error or self._error(element, columns, row)
            if error is None:
                lines.append(element.line)
                rows.append(row)
            else:
                errors.append(error)
            if len(rows) + len(errors) == RECORDS_PER_CHUNK or characters > MAX_CHUNK_CHARACTERS:
                break
        self._characters += len(columns) * (len(rows) + len(errors))
        if self._characters > settings().max_upload_bytes:
            message = f"The objects have more cells, most of them empty, than fit into {settings().max_upload_mb} MB."
            raise Unreadable(ImportErrorCode.TOO_LARGE, message)
        return Chunk(lines, rows, errors)

    def _error(self, element: Element, columns: dict[str, None], row: list[str]) -> RowError | None:
        """Return the error of an object with keys that the header does not have."""
        if element.cells.keys() <= columns.keys():
            return None
        unknown = [key for key in element.cells if key not in columns]
        named = ", ".join(f"“{shown(key)}”" for key in unknown[:3]) + (", …" if len(unknown) > 3 else "")
        reason = (
            f"The object has a key that none of the first {len(self._sample)} objects has: {named}. "
            "Put an object with all keys first, with null for those without a value."
        )
        return RowError(element.line, RowErrorCode.UNKNOWN_KEY, reason, row)
