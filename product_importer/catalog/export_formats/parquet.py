"""Write products as Parquet, row group after row group."""

from collections.abc import Iterable, Iterator
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from product_importer.catalog.export_formats.records import Columns, Record, cut
from product_importer.catalog.schemas import COLUMNS

# A row group ends when it has so many rows, or bytes: it is in memory as a whole.
GROUP_ROWS = 65_536
GROUP_BYTES = 32 * 1024 * 1024
# What is converted at once.
BATCH_CELLS = 1_000_000
BATCH_CHARACTERS = 8 * 1024 * 1024


def write(columns: Columns, pieces: Iterable[list[Record]]) -> Iterator[bytes]:
    """Yield the file. Texts are strings, `active` is a boolean, an attribute that a product does not have is null.

    Raises:
        Unprocessable: there are too many columns.
    """
    schema = pa.schema([_field(name) for name in columns.bounded()])
    target = _Pieces()
    with pq.ParquetWriter(target, schema) as writer:
        yield target.take()
        for group in _groups(schema, pieces):
            writer.write_table(pa.Table.from_batches(group, schema), row_group_size=GROUP_ROWS)
            yield target.take()
    yield target.take()


def _field(name: str) -> pa.Field:
    return pa.field(name, pa.bool_() if name == "active" else pa.string(), nullable=name not in COLUMNS)


def _groups(schema: pa.Schema, pieces: Iterable[list[Record]]) -> Iterator[list[pa.RecordBatch]]:
    """Yield the batches of each row group."""
    group: list[pa.RecordBatch] = []
    rows = size = 0
    most = max(1, min(GROUP_ROWS, BATCH_CELLS // len(schema)))
    for records in chain.from_iterable(cut(piece, most, BATCH_CHARACTERS) for piece in pieces):
        if group and rows + len(records) > GROUP_ROWS:
            yield group
            group, rows, size = [], 0, 0
        arrays = [pa.array([record.get(field.name) for record in records], field.type) for field in schema]
        group.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        rows, size = rows + len(records), size + group[-1].nbytes
        if size >= GROUP_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group


class _Pieces:
    """A file for a writer, of which the reader takes what was written since the last time."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._position = 0

    def write(self, piece: bytes) -> int:
        # A copy: the writer reuses its buffers.
        self._pieces.append(bytes(piece))
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> bytes:
        """Return what was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
