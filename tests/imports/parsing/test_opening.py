"""Progress counts the bytes of the stored file."""

import gzip
import io
import random

import pytest

from product_importer.imports.parsing.csv import reader
from product_importer.imports.parsing.opening import CountingReader, open_records
from tests.imports.parsing.reading import detected
from tests.imports.parsing.test_archives import zipped
from tests.imports.parsing.xlsx.test_reader import saved

random.seed(1)
ROWS = [
    ["sku", "name", "description"],
    *([f"s{n}", f"{random.random()}", f"{random.random()}"] for n in range(30_000)),
]
TEXT = "".join(f"{','.join(row)}\n" for row in ROWS).encode()


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda text: zipped({"a.csv": text}),
             pytest.param(lambda _: saved(*ROWS), marks=pytest.mark.processes)],
    ids=["plain", "gzip", "zip", "xlsx"],
)  # fmt: skip
def test_bytes_read_grow_evenly_up_to_the_size_of_the_stored_file(pack, monkeypatch):
    monkeypatch.setattr(reader, "BLOCK_CHARACTERS", 50_000)
    monkeypatch.setattr("product_importer.imports.parsing.opening.READ_BYTES", 10_000)
    content = pack(TEXT)
    counted = CountingReader(io.BytesIO(content))
    records = open_records(counted, detected(content)[0])
    records.header()
    shares, rows = [], 0
    for chunk in records.chunks():
        rows += len(chunk)
        shares.append((rows / 30_000, counted.bytes_read / len(content)))
    assert rows == 30_000
    assert all(abs(read - share) < 0.25 for share, read in shares), shares
    assert 0.95 < shares[-1][1] < 1.05
