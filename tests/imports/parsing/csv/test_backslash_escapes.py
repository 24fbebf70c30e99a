r"""Quotes that are written `\"`."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.parsing.csv import arrow, reader
from product_importer.imports.parsing.csv.backslash_escapes import are_used
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.records import Unreadable
from tests.imports.parsing.reading import detected, rows_of

ESCAPED = rb""""sku","name","description"
"S-1","Frame","<a href=\"x.html\">big, bold</a>"
"S-2","19\" screen","C:\\dir\\"
"S-3","Plain","two
lines, \"quoted\""
"""


def test_escapes_that_are_used_throughout_are_read():
    format, names = detected(ESCAPED)
    assert (format.escape, names) == ("backslash", ["sku", "name", "description"])
    assert rows_of(ESCAPED, format) == (
        [
            (2, ["S-1", "Frame", '<a href="x.html">big, bold</a>']),
            (3, ["S-2", '19" screen', "C:\\dir\\"]),
            (4, ["S-3", "Plain", 'two\nlines, "quoted"']),
        ],
        [],
    )


def test_title_rows_do_not_hide_escapes():
    format, names = detected(b'Prices\n"as ""of"" today"\n' + ESCAPED)
    assert (format.escape, format.header_line, names) == ("backslash", 3, ["sku", "name", "description"])


@pytest.mark.parametrize(
    "rows",
    [
        # Well-formed without escapes: a backslash at the end of a field.
        '"S-1","C:\\dir\\","x"\n',
        '"S-1","19\\""","x"\n',
        # Both ways are used.
        '"S-1","19\\" screen","x"\n"S-2","a ""b"" c","x"\n',
        # Not well-formed in either way.
        '"S-1","19\\" screen" x,"x"\n',
        '"S-1","plain","x"\n',
    ],
)
def test_a_file_in_which_they_are_not_used_throughout_is_read_without(rows):
    assert detected(f'"sku","name","description"\n{rows}'.encode())[0].escape is None


@pytest.mark.parametrize("is_cut", [True, False])
def test_only_a_text_that_is_cut_may_end_within_a_record(is_cut):
    text = 'a,b\n"x \\"y\\" z","1"\n"x","begin'
    assert are_used(text, ",", None, is_cut) is is_cut


def test_an_error_names_escapes_as_the_cause():
    content = b"sku,name,description\n" + b"A,B,C\n" * 3 + b'S-1,"19\\" screen",x\nD,E,F\n'
    format, _ = detected(content[:30])
    rows, [error] = rows_of(content, format)
    assert ([row[0] for _, row in rows], error.line) == (["A", "A", "A", "D"], 5)
    assert 'quotes that are written \\": write them twice' in error.reason


def test_a_row_that_breaks_the_assumption_is_rejected_and_kept_as_written():
    content = ESCAPED + b'"S-4","C:\\dir\\","x"\n"S-5","a \\"b\\" c","x"\n'
    rows, errors = rows_of(content, Format(escape="backslash"))
    assert [row[0] for _, row in rows][:3] == ["S-1", "S-2", "S-3"]
    assert "S-4" not in {row[0] for _, row in rows}
    assert errors[0].line == 6
    assert '"C:\\dir\\"' in "".join(errors[0].row)


def test_a_text_with_the_reader_s_own_letters_is_refused():
    with pytest.raises(Unreadable, match="U\\+FDD0"):
        list(Records(io.StringIO("a\ufdd0,b\n"), escape="backslash").chunks())


cells = st.text(st.sampled_from('ab,;\n\\"äĀ😀 '), max_size=8)


@given(
    st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=8),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from([None, arrow.parse]),
    st.integers(1, 60),
)
def test_what_python_writes_with_escapes_is_read_back(table, quoting, parse, characters):
    text = io.StringIO(newline="")
    csv.writer(text, doublequote=False, escapechar="\\", quoting=quoting, lineterminator="\n").writerows(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "BLOCK_CHARACTERS", characters)
        chunks = list(Records(io.StringIO(text.getvalue(), newline=""), parse=parse, escape="backslash").chunks())
    assert [row for chunk in chunks for row in chunk.rows if row] == table
    assert [error for chunk in chunks for error in chunk.errors] == []
