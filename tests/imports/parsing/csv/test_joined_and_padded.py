"""Byte order marks within a file, and what is padded to its end."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.parsing.csv import arrow, reader
from product_importer.imports.parsing.csv.reader import ParseBlock, Records

MARK = "\ufeff"
parsers = pytest.mark.parametrize("parse", [None, arrow.parse], ids=["strict", "arrow"])


def rows_of(text: str, parse: ParseBlock | None) -> list[tuple[int, list[str]]]:
    chunks = Records(io.StringIO(text, newline=""), parse=parse).chunks()
    return [pair for chunk in chunks for pair in zip(chunk.lines, chunk.rows, strict=True)]


@parsers
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_at_the_start_of_any_line_is_dropped(parse, line_break):
    lines = [f"{MARK}{MARK}a,b", f'{MARK}"c",d', f"e{MARK},{MARK}f"]
    expected = [(1, ["a", "b"]), (2, ["c", "d"]), (3, [f"e{MARK}", f"{MARK}f"])]
    assert rows_of(line_break.join(lines), parse) == expected


@parsers
@pytest.mark.parametrize("padding", ["\x1a", "\0" * 100, "\n\x1a", "\r\n\0\0\x1a"])
def test_ctrl_z_and_nuls_at_the_end_of_a_file_are_no_part_of_it(parse, padding):
    assert rows_of(f"a,b\nc,d{padding}", parse) == [(1, ["a", "b"]), (2, ["c", "d"])]


@parsers
def test_ctrl_z_at_the_beginning_of_a_line_within_a_value_is_kept(parse):
    assert rows_of('a,b\n"c\n\x1a","\n\x1a\nd"\n', parse) == [(1, ["a", "b"]), (2, ["c\n\x1a", "\n\x1a\nd"])]


@parsers
def test_ctrl_z_and_nuls_elsewhere_are_kept(parse):
    assert rows_of("a\x1a,b\nc,d\0\ne,f\n", parse) == [(1, ["a\x1a", "b"]), (2, ["c", "d\0"]), (3, ["e", "f"])]


@given(
    st.text(st.sampled_from(f'{MARK}a",\n'), max_size=30), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 12)
)
def test_marks_are_dropped_the_same_whatever_the_size_of_blocks(text, line_break, characters):
    """Compare with the same file without the marks."""
    text = text.replace("\n", line_break)
    lines = [line.lstrip(MARK) for line in io.StringIO(text, newline="").readlines()]

    def read(given_text: str) -> list[object]:
        chunks = list(Records(io.StringIO(given_text, newline="")).chunks())
        rows = [pair for chunk in chunks for pair in zip(chunk.lines, chunk.rows, strict=True) if pair[1]]
        return [rows, [error for chunk in chunks for error in chunk.errors]]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        if read(text)[1]:
            # How far back a wrong quote is looked for depends on where a block ends, and marks move that.
            patch.setattr(reader, "BLOCK_CHARACTERS", len(text))
        assert read(text) == read("".join(lines))
