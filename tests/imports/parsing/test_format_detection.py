"""Detect container, encoding and delimiter; compare with Python's csv."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from product_importer.core.errors import Invalid
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.format_detection import early_header
from product_importer.imports.parsing.header_search import DELIMITERS
from product_importer.imports.parsing.stream_inspection import TextInspection
from tests.imports.parsing.reading import detected, rows_of

NAMES = ["sku", "name", "description"]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_the_delimiter_is_detected(delimiter, line_break):
    content = line_break.join([delimiter.join([*NAMES, '"a,b;c|d\te"']), delimiter.join("1234"), ""]).encode()
    format, names = detected(content)
    assert (format.delimiter, names) == (delimiter, [*NAMES, "a,b;c|d\te"])
    assert rows_of(content, format)[0] == [(2, ["1", "2", "3", "4"])]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        # The number of needed columns counts more than the number of columns.
        ("sku;name;description,a,b,c,d,e", ";"),
        ("sku,name,description;a;b;c;d;e", ","),
        ('"sku";"name, or title";"description"', ";"),
        ("artikel;preis;farbe", ";"),
        ("sku", ","),
    ],
)
def test_the_delimiter_that_gives_the_needed_columns_is_chosen(header, delimiter):
    assert detected(f"{header}\n".encode())[0].delimiter == delimiter


def test_mapped_columns_count_as_the_fields_that_they_fill():
    content = b"Artikel;Bezeichnung, lang;Text, kurz, x\n"
    assert detected(content)[0].delimiter == ","
    chosen = ImportOptions(columns={"Artikel": "sku", "Bezeichnung, lang": "name", "Text, kurz, x": "description"})
    assert detected(content, chosen)[0].delimiter == ";"


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n'])
def test_a_sep_line_for_excel_sets_the_delimiter_and_counts_as_a_line(line):
    content = f"{line}sku;name;description,a,b,c\n1;2;3\n".encode()
    format, names = detected(content)
    assert (format.delimiter, names) == (";", ["sku", "name", "description,a,b,c"])
    assert rows_of(content, format)[0] == [(3, ["1", "2", "3"])]


def test_a_chosen_delimiter_overrides_detection():
    content = b"sep=;\nsku;name;description|x\n"
    assert detected(content, ImportOptions(delimiter="|"))[1] == ["sku;name;description", "x"]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"sep=;\n"])
def test_a_file_without_a_header_is_reported_as_empty(content):
    with pytest.raises(Invalid) as error:
        detected(content)
    assert error.value.kind == "empty-file"


@pytest.mark.parametrize("content", [b'"sku,name\n', b'"sku"x,name\n', b"s\x00k\x01u,name\n", b"x" * 1_100_000])
def test_a_first_line_that_is_no_header_is_rejected(content):
    with pytest.raises(Invalid) as error:
        detected(content, piece=1_000_000)
    assert error.value.kind == "not-csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_beginning_of_a_file_gives_the_names(encoding):
    contents = TextInspection(None)
    contents.feed(("sku;name;description\n" + "ä;b;c\n" * 60_000).encode(encoding))
    head = early_header(contents, ImportOptions())
    assert head.names == NAMES
    assert head.sample[0] == ["ä", "b", "c"]


def test_an_incomplete_header_gives_no_names_yet():
    contents = TextInspection(None)
    contents.feed(b'sku;name;"description\n' + b"x" * 300_000)
    assert early_header(contents, ImportOptions()) is None


def packed(content: bytes, container: str, cut: int) -> bytes:
    if container == "gzip":
        return gzip.compress(content[:cut], 1) + gzip.compress(content[cut:], 1)
    if container == "zip":
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/a.csv", b"\0")
            archive.writestr("a/b.csv", content)
        return target.getvalue()
    return content


# Encodings with the characters that they are tested with. Bytes that are UTF-8 by chance are read as UTF-8.
ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
LATIN = st.sampled_from([" Größe ", " é ", " 5 € "]) | st.characters(min_codepoint=32, max_codepoint=126)
DETECTED = {"utf-8": ANY, "utf-8-sig": ANY, "utf-16": ANY, "utf-16-le": ANY, "utf-16-be": ANY, "windows-1252": LATIN}
CHOSEN = {
    "windows-1251": st.sampled_from("абвЯ—№x \x81\x0b".replace("\x81", "")),
    "shift_jis": st.sampled_from("ソ表金aｱ"),
}


@st.composite
def files(draw) -> tuple[str, str, str, str, ImportOptions]:
    """Draw a text with its encoding, delimiter, container and options."""
    encoding = draw(st.sampled_from([*DETECTED, *CHOSEN]))
    letters = (DETECTED | CHOSEN)[encoding]
    delimiter = draw(st.sampled_from(DELIMITERS))
    cells = st.lists(letters | st.sampled_from('",;\t|\r\n'), max_size=8).map("".join)
    table = draw(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=12))
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
    )
    writer.writerows([NAMES, *table])
    options = ImportOptions(encoding=encoding if encoding in CHOSEN else None)
    return text.getvalue(), encoding, delimiter, draw(st.sampled_from(["plain", "gzip", "zip"])), options


@given(files(), st.integers(1, 400), st.data())
def test_any_file_gives_the_rows_of_pythons_csv_reader(file, piece, data):
    text, encoding, delimiter, container, options = file
    expected = list(python_rows(text, delimiter))
    # Python's writer does not quote a bare carriage return, but its reader ends the row there.
    assume(all(len(row) in (0, len(NAMES)) for _, row in expected))
    plain = text.encode(encoding)
    content = packed(plain, container, data.draw(st.integers(0, len(plain))))
    format, names = detected(content, options, piece)
    rows, errors = rows_of(content, format)
    assert (format.container, format.delimiter) == (container, delimiter)
    assert names == expected[0][1]
    assert (rows, errors) == ([(line, row) for line, row in expected[1:] if row], [])


def python_rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and the row."""
    line, reader = 1, csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for row in reader:
        yield line, row
        line = reader.line_num + 1
