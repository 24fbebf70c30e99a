"""The Arrow parser and the strict reader give the same rows."""

import csv
import io
from bisect import bisect_left
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.columns.header import match
from product_importer.imports.parsing.csv import arrow, reader
from product_importer.imports.parsing.csv.arrow import ArrowChunk
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.records import RowError
from product_importer.imports.parsing.text_formulas import unwrap_chunk
from product_importer.imports.pipeline.row_validation import RowValidator
from product_importer.imports.read_warnings import ReadWarnings

HEADER = ["sku", "name", "description", "active"]

# Characters that the two could treat differently: line breaks, quotes, escapes, spaces and multi-byte letters.
cells = st.text(st.sampled_from("ab1 '=-\"\\\t\0\r\v\x1c\x85\xa0\u2003\ufeffäſİ😀"), max_size=4) | st.sampled_from(
    ["", "", " ", "1E+05", '"=""0"""', "sku"]
)
files = st.lists(st.lists(cells, min_size=2, max_size=5), max_size=6)
# Texts in which quotes stand anywhere, and those of well-formed records.
noise = st.text(st.sampled_from('"",;\n\n\r\\ab\tä😀 \0\ufeff'), max_size=24)
quoted_values = st.text(st.sampled_from('"",;\n\\ab\tä😀 '), max_size=5)
plain_values = st.text(st.sampled_from("\\ab\tä😀 '"), max_size=4)


def outcome(
    text: str, delimiter: str = ",", *, with_arrow: bool
) -> tuple[list[tuple[int, list[str]]], list[RowError]]:
    """Return the valid rows with their lines, and the errors, both in order."""
    records = Records(io.StringIO(text, newline=""), delimiter, arrow.parse if with_arrow else None)
    validator = RowValidator(match(HEADER))
    rows: list[tuple[int, list[str]]] = []
    errors: list[RowError] = []
    for chunk in records.chunks():
        validated = validator.validate(unwrap_chunk(chunk, ReadWarnings()))
        rows += zip(validated.lines, validated.rows, strict=True)
        errors += validated.errors
    return rows, errors


def strictly(text: str, delimiter: str) -> tuple[list[int], list[list[str]]] | None:
    """Return the lines on which the records of a text begin, counted from 7, and the records; None if malformed."""
    parser = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, rows, line = [], [], 7
    try:
        for row in parser:
            lines.append(line)
            rows.append(row)
            line = 7 + parser.line_num
    except csv.Error:
        return None
    return lines, rows


@given(files, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from(",;\t"), st.booleans())
@example([["a", "b", "", ""], ["A", "b", "", "no"]], "\n", ",", True)
@example([["'=a ", "' =b", "'=c", "yes"]], "\r\n", ",", False)
@example([["\x1ca", "\x85b\u2003", " c ", " Yes "]], "\n", ";", True)
@example([["İ", "ſ", "", ""], ["a", "b"]], "\n", ",", True)
@example([["a", "b", "c", ""], [""]], "\n", ",", True)
@example([["a", "b", "c", "", " "], ["d", "e", "f", "", ""]], "\n", ",", True)
@example([["a", "b", "c", "", " "], ["d", "e", "f", "", "x"]], "\n", ",", True)
@example([["1E+05", "b", "c", ""], ["a", "b", "c", ""]], "\n", ",", True)
@example([["a", "b", "c", ""], HEADER], "\n", ",", True)
@example([["a", "b", "c", ""], [" ", "", "", ""]], "\n", ",", True)
@example([["a", '"=""0""""1"""', '"=""2"', "=3"], ["b", '"=""4"""', "c", ""]], "\n", ",", True)
def test_both_parsers_give_the_same_rows_and_errors(table, line_break, delimiter, is_ended):
    text = line_break.join(delimiter.join(row) for row in table) + line_break * is_ended
    assert outcome(text, delimiter, with_arrow=True) == outcome(text, delimiter, with_arrow=False)


@given(st.integers(1, 40), st.integers(10, 200))
def test_blocks_end_at_line_breaks(rows, characters):
    text = "".join(f"s{n},{'name' * (n % 5 + 1)},x,\r\n" for n in range(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        assert outcome(text, with_arrow=True) == outcome(text, with_arrow=False)


@given(noise, st.sampled_from(",;\t"))
@example('a,"b\nc"\nd,e\n', ",")
@example('a""b,"c"\n', ",")
@example('a,"b"c"\n', ",")
@example('a,"b" \n', ",")
@example('a, "b"\n', ",")
@example('"a"\n\n"b"\n', ",")
@example('""\n""""', ",")
@example('"a\rb"\n', ",")
@example('"a\r\nb"\r\n"c"\r\n', ",")
def test_arrow_gives_nothing_or_what_the_strict_reader_gives(text, delimiter):
    chunk = arrow.parse(text, delimiter, 7)
    assert chunk is None or (list(chunk.lines), list(chunk.rows)) == strictly(text, delimiter)


@given(st.data(), st.integers(2, 4), st.sampled_from(["\n", "\r\n"]), st.sampled_from(",;"), st.booleans())
def test_arrow_takes_well_formed_records_with_quotes(data, width, line_break, delimiter, is_ended):
    quoted = quoted_values.map(lambda value: f'"{value.replace(chr(34), 2 * chr(34)).replace(chr(10), line_break)}"')
    rows = data.draw(
        st.lists(st.lists(quoted | plain_values, min_size=width, max_size=width), min_size=1, max_size=6)
    )
    text = line_break.join(map(delimiter.join, rows)) + line_break * is_ended
    chunk = arrow.parse(text, delimiter, 7)
    assert chunk is not None
    assert (list(chunk.lines), list(chunk.rows)) == strictly(text, delimiter)


@given(st.integers(1, 40), st.integers(10, 200), st.sampled_from(["\n", "\r\n"]))
def test_blocks_end_where_records_do(rows, characters, line_break):
    text = "".join(f's{n},"na{line_break * (n % 4)}me ""{n}""",x,{line_break}' for n in range(rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        assert outcome(text, with_arrow=True) == outcome(text, with_arrow=False)
        chunks = Records(io.StringIO(text, newline=""), parse=arrow.parse).chunks()
        assert {type(chunk) for chunk in chunks} == {ArrowChunk}


def test_lines_of_records_with_line_breaks_are_a_sequence_of_integers():
    chunk = arrow.parse('"a\n\nb",c\nd,"e\nf"\ng,h\n', ",", 7)
    assert chunk is not None
    lines: Sequence[int] = chunk.lines
    assert (len(lines), lines[0], lines[-1], list(lines[1:]), bisect_left(lines, 10)) == (3, 7, 12, [10, 12], 1)


@pytest.mark.parametrize(
    ("header", "rows", "fields"),
    [
        ("sku,name,description,\n", "a,b,c\n", 3),
        ("sku,name,description,\n", "a,b,c,x\n", 4),
        ("sku,name,description\n", "a,b,c, ,\n", 5),
        ("sku,name,description\n", ",,,,\na,b,c,,\n", 5),
    ],
)
def test_files_with_blank_surplus_cells_are_parsed_by_arrow(header, rows, fields):
    records = Records(io.StringIO(header + rows * 3, newline=""), parse=arrow.parse)
    names, _ = records.header()
    [chunk] = records.chunks()
    assert (type(chunk), len(chunk.rows[0])) == (ArrowChunk, fields)
    validated = RowValidator(match(names if "x" in rows else HEADER[:3])).validate(chunk)
    assert (len(validated), validated.errors) == (3, [] if ",,," in rows else ())


def test_only_cells_that_begin_as_text_formulas_are_changed():
    chunk = arrow.parse('"=""a""",b\nc,"d=""e"""\n"=""f""","=""g"\n', ",", 7)
    assert isinstance(chunk, ArrowChunk)
    warnings = ReadWarnings()
    unwrapped = unwrap_chunk(chunk, warnings)
    assert list(unwrapped.rows) == [["a", "b"], ["c", 'd="e"'], ["f", '="g']]
    [warning] = warnings.stored()
    assert (warning["code"], warning["count"], warning["first_line"]) == ("text_formulas", 2, 7)
    plain = arrow.parse("a,b\n", ",", 7)
    assert plain is not None
    assert unwrap_chunk(plain, warnings) is plain


def test_rows_of_an_arrow_chunk_are_read_by_index():
    chunk = arrow.parse("a,b\nc,d\n", ",", 7)
    assert isinstance(chunk, ArrowChunk)
    assert (list(chunk.lines), chunk.rows[1], chunk.rows[:1], len(chunk)) == ([7, 8], ["c", "d"], [["a", "b"]], 2)


@pytest.mark.parametrize(
    "text",
    [
        'a,"b\n',
        'a,"b"c\n',
        'a,b"c"\n',
        'a""b,c\n',
        '"a\rb",c\n',
        '"a","b"\n\n"c","d"\n',
        "\ufeffa,b\n",
        "a,b\0\n",
        "a,b\rc,d\n",
        "a,b\n\nc,d\n",
        "a,b\nc\n",
        "",
    ],
)
def test_unusual_csv_is_left_to_the_strict_reader(text):
    assert arrow.parse(text, ",", 1) is None


@pytest.mark.parametrize(
    "text", ["s,näme, d\r\nt,n,\r\n", "a,b\\\n", "a\t,b\n", 'a,"b"\n', '"a","""b\r\nc"""\r\nd,""']
)
def test_well_formed_text_is_parsed_by_arrow(text):
    records = Records(io.StringIO(text, newline=""), parse=arrow.parse)
    assert [type(chunk) for chunk in records.chunks()] == [ArrowChunk]
