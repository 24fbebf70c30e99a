"""The Arrow parser and the strict reader give the same rows."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.columns.header import match
from product_importer.imports.parsing.csv import arrow, reader
from product_importer.imports.parsing.csv.arrow import ArrowChunk
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.records import RowError
from product_importer.imports.pipeline.copy_encoder import Encoder
from product_importer.imports.pipeline.row_validation import RowValidator

# Characters that the two could treat differently: line breaks, quotes, escapes, spaces and multi-byte letters.
cells = st.text(st.sampled_from("ab1 '=-\"\\\t\0\r\v\x1c\x85\xa0\u2003\ufeffäſİ😀"), max_size=4)
files = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=6)
HEADER = ["sku", "name", "description", "active"]


def outcome(text: str, delimiter: str = ",", *, with_arrow: bool) -> tuple[list[bytes], list[RowError]]:
    """Return the lines for PostgreSQL, and the errors, both in order."""
    records = Records(io.StringIO(text, newline=""), delimiter, arrow.parse if with_arrow else None)
    validator, encode = RowValidator(match(HEADER)), Encoder(match(HEADER))
    lines: list[bytes] = []
    errors: list[RowError] = []
    for chunk in records.chunks():
        validated = validator.validate(chunk)
        lines += encode(validated).split(b"\n")[:-1]
        errors += validated.errors
    return lines, errors


@given(files, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(",;\t"), st.booleans())
@example([["a", "b", "", ""], ["A", "b", "", "no"]], "\n", ",", True)
@example([["'=a ", "' =b", "'=c", "yes"]], "\r\n", ",", False)
@example([["\x1ca", "\x85b\u2003", " c ", " Yes "]], "\n", ";", True)
@example([["İ", "ſ", "", ""], ["a", "b"]], "\n", ",", True)
@example([["a", "b", "c", ""], [""]], "\n", ",", True)
def test_both_parsers_give_the_same_rows_and_errors(table, line_break, delimiter, is_ended):
    text = line_break.join(delimiter.join(row) for row in table) + line_break * is_ended
    assert outcome(text, delimiter, with_arrow=True) == outcome(text, delimiter, with_arrow=False)


@given(st.integers(1, 40), st.integers(10, 200))
def test_blocks_end_at_line_breaks(rows, characters):
    text = "".join(f"s{n},{'name' * (n % 5 + 1)},x,\r\n" for n in range(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        assert outcome(text, with_arrow=True) == outcome(text, with_arrow=False)


def test_rows_of_an_arrow_chunk_are_read_by_index():
    chunk = arrow.parse("a,b\nc,d\n", ",", 7)
    assert isinstance(chunk, ArrowChunk)
    assert (list(chunk.lines), chunk.rows[1], chunk.rows[:1], len(chunk)) == ([7, 8], ["c", "d"], [["a", "b"]], 2)


@pytest.mark.parametrize(
    "text", ['a,"b"\n', "a,b\\\n", "a,b\0\n", "a\t,b\n", "a,b\rc,d\n", "a,b\n\nc,d\n", "a,b\nc\n", ""]
)
def test_complex_csv_is_left_to_the_strict_reader(text):
    assert arrow.parse(text, ",", 1) is None


def test_plain_text_is_parsed_by_arrow():
    records = Records(io.StringIO("s,näme, d\r\nt,n,\r\n", newline=""), parse=arrow.parse)
    assert [type(chunk) for chunk in records.chunks()] == [ArrowChunk]
