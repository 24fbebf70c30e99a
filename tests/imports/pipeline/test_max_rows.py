"""A file over MAX_ROWS fails before the merge."""

import gzip

import pytest

from product_importer.core.settings import settings
from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.parsing.records import Chunk, RowError, Unreadable
from product_importer.imports.pipeline import reading
from tests.imports.parsing.xlsx.test_reader import HEADER, made, row_of

FILE = "sku,name,description\n\na,A,1\n,B,2\n\nc,C,3\nd,D,4\n"


@pytest.mark.parametrize(
    "content",
    [
        FILE.encode(),
        # No time in the content: test ids contain it, and must be the same in every process.
        gzip.compress(FILE.encode(), mtime=0),
        made(HEADER + row_of(3, "a", "A", "1") + row_of(4, "", "B", "2") + row_of(6, "c", "C") + row_of(7, "d", "D")),
    ],
)
@pytest.mark.parametrize("options", [{}, {"dry_run": "true"}])
def test_a_file_of_too_many_rows_fails_with_the_line_and_merges_nothing(
    run_import, products, monkeypatch, content, options
):
    monkeypatch.setattr(settings(), "max_rows", 3)
    job = run_import(content, **options)
    assert (job.status, job.error.code, job.error.line) == ("failed", "too_many_rows", 7)
    assert "more than 3 rows" in job.error.message
    assert (job.created, products()) == (0, {})


def test_a_file_of_exactly_max_rows_is_imported(run_import, monkeypatch):
    monkeypatch.setattr(settings(), "max_rows", 4)
    assert run_import(FILE).status == "completed"


def test_a_line_number_over_the_maximum_ends_the_import():
    last = reading.MAX_LINES
    reading._check_count(Chunk([last], [["a"]]), 1)
    for chunk in (Chunk([last + 1], [["a"]]), Chunk(errors=[RowError(last + 1, RowErrorCode.NO_SKU, "", [])])):
        with pytest.raises(Unreadable) as raised:
            reading._check_count(chunk, 1)
        assert raised.value.code == "too_many_rows"
