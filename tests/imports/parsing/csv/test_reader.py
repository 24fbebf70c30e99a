"""The strict CSV reader: rows, line numbers, limits and errors."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.parsing import opening
from product_importer.imports.parsing.csv import broken_records, reader, record_parser
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.opening import text_of
from product_importer.imports.parsing.records import RowError, Unreadable


def opened(content: bytes, delimiter: str = ",") -> Records:
    return Records(text_of(io.BytesIO(content), "utf-8"), delimiter)


def records(content: bytes) -> tuple[list[tuple[int, list[str]]], list[RowError]]:
    rows: list[tuple[int, list[str]]] = []
    errors: list[RowError] = []
    for chunk in opened(content).chunks():
        rows += [(line, row) for line, row in zip(chunk.lines, chunk.rows, strict=True) if row]
        errors += chunk.errors
    return rows, errors


def test_every_kind_of_line_break_ends_a_row_and_counts_as_a_line():
    rows, errors = records(b"a,b\r\nc,d\re,f\n\ng,h")
    assert rows == [(1, ["a", "b"]), (2, ["c", "d"]), (3, ["e", "f"]), (5, ["g", "h"])]
    assert errors == []


def test_a_quoted_line_break_is_part_of_the_row_and_counts_as_a_line():
    rows, _ = records(b'a,"x\r\ny\nz"\nb,c\n')
    assert rows == [(1, ["a", "x\r\ny\nz"]), (4, ["b", "c"])]


def test_a_byte_order_mark_is_not_part_of_the_first_name():
    assert opened(b"\xef\xbb\xbfsku,name\n").header() == (["sku", "name"], 1)


@pytest.mark.parametrize("line", [b"sep=;\r\n", b'"sep=;"\n', b"SEP=,\r", b"sep=;;\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_sep_line_for_excel_is_not_the_header_but_counts_as_a_line(line, delimiter):
    is_one = line != b"sep=;;\n"
    header, number = opened(line + b"sku\n", delimiter).header()
    assert (header == ["sku"], number) == (is_one, 2 if is_one else 1)


def test_only_the_first_line_can_be_a_sep_line():
    assert opened(b"\nsep=;\n").header() == (["sep=;"], 2)


def test_many_malformed_lines_are_each_reported():
    rows, errors = records(b'"a"x,b\n' * 3_000 + b"c,d\n")
    assert [error.line for error in errors] == list(range(1, 3_001))
    assert rows == [(3_001, ["c", "d"])]


def test_a_field_that_is_too_long_is_rejected_and_the_next_line_is_read(monkeypatch):
    monkeypatch.setattr(broken_records, "MAX_FIELD_CHARACTERS", 100)
    rows, errors = records(b"a," + b"x" * 200 + b"\nb,c\n")
    assert [(error.line, error.code) for error in errors] == [(1, "too_long")]
    assert rows == [(2, ["b", "c"])]


def test_a_line_that_is_too_long_ends_the_reading_early(monkeypatch):
    monkeypatch.setattr(opening, "MAX_LINE_BYTES", 2 * opening.READ_BYTES)

    class EndlessFile(io.BytesIO):
        given = 0

        def read(self, size=-1):
            self.given += size
            assert self.given < 10 * opening.READ_BYTES, "the reading goes on after the limit"
            return b"x" * size

    with pytest.raises(Unreadable, match="16 MiB"):
        list(Records(text_of(EndlessFile(), "utf-8")).chunks())


def test_bytes_that_are_not_text_end_the_reading():
    with pytest.raises(Unreadable, match="not text"):
        records(b"a,b\n\xff\xfe\n")


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    '",\r\n\\\t;x', max_size=6
)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), min_size=1, max_size=20)


@given(tables, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 100))
@example([["a", "b\rc"], ["d", "e"]], "\n", 1)
def test_csv_written_by_python_is_read_back_with_its_line_numbers(table, line_break, characters):
    text, lines = io.StringIO(newline=""), []
    writer = csv.writer(text, lineterminator=line_break, quoting=csv.QUOTE_ALL)
    for row in table:
        # The line on which this row begins, by Python's line breaks.
        lines.append(len(io.StringIO(text.getvalue() + "x", newline="").readlines()))
        writer.writerow(row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        rows, errors = records(text.getvalue().encode())
    assert errors == []
    assert [row for _, row in rows] == table
    assert [line for line, _ in rows] == lines


@given(st.text('",\n\rab', max_size=60))
def test_no_line_of_any_text_is_lost(text):
    """Each line is in a row, in an error, or empty; rows and errors never overlap."""
    rows, errors = records(text.encode())
    covered: list[int] = []
    for line, row in [*rows, *((error.line, error.row) for error in errors)]:
        breaks = sum(len(io.StringIO(value + "x", newline="").readlines()) - 1 for value in row)
        covered += range(line, line + breaks + 1)
    physical = io.StringIO(text, newline="").readlines()
    empty = [number for number, line in enumerate(physical, 1) if not line.strip("\r\n")]
    assert len(covered) == len(set(covered))
    assert set(range(1, len(physical) + 1)) - set(covered) <= set(empty)


def test_a_record_that_is_too_long_is_ended_although_its_fields_are_short(monkeypatch):
    monkeypatch.setattr(record_parser, "MAX_RECORD_CHARACTERS", 1_000)
    rows, errors = records(b'q,a","b\nx,"y\n' + b'q1,a","b\n' * 300 + b"c,d\n" * 200)
    assert "unclosed_quote" in {error.code for error in errors}
    assert rows[-1][1] == ["c", "d"]


def test_too_many_wrong_quotes_end_the_reading_with_the_line(monkeypatch):
    monkeypatch.setattr(record_parser, "MAX_REREAD_CHARACTERS", 100_000)
    with pytest.raises(Unreadable) as ended:
        records(b"a,b\n" + b'q1,a","b\n' * 3_000)
    assert ended.value.code == "unclosed_quote"
    assert ended.value.line is not None and 1 < ended.value.line < 3_000
