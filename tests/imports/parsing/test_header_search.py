"""Find the line with the column names, or read the one that was named."""

import io

import pytest

from product_importer.core.errors import Invalid
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.format_detection import detect_format
from product_importer.imports.parsing.header_search import MAX_ROWS, looks_like_header
from tests.imports.parsing.reading import detected, inspected, rows_of

NAMES = ["sku", "name", "description"]
TITLED = b'Price list spring,,,\nValid from:,2026-03-01,,\n,,,\nSKU,Name,Description,Price\nK-1,Cup,white,"3,50"\n'


def test_a_header_below_title_rows_is_found_and_told():
    format, head, warnings, *_ = detect_format(io.BytesIO(TITLED), inspected(TITLED), ImportOptions())
    assert (format.header_line, format.delimiter, head.names) == (4, ",", ["SKU", "Name", "Description", "Price"])
    assert rows_of(TITLED, format) == ([(5, ["K-1", "Cup", "white", "3,50"])], [])
    [warning] = warnings.stored()
    assert (warning["code"], warning["first_line"], "line 4" in warning["message"]) == ("header_found_below", 4, True)


def test_blank_lines_before_the_header_are_no_title_rows():
    content = b"\n\n  \n,,\n\t\nSKU,Name,Description\nK-1,Cup,white\n"
    format, names = detected(content)
    assert (format.header_line, names) == (None, ["SKU", "Name", "Description"])
    assert rows_of(content, format)[0] == [(7, ["K-1", "Cup", "white"])]


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [("Artikelnummer;Bezeichnung;Beschreibung", ";"), ("Item no\tProduct name\tName (EN) description", "\t")],
)
def test_usual_names_are_recognised_with_their_delimiter(header, delimiter):
    format, names = detected(f"Liste, Preise, Artikel, Stand, x\n{header}\n".encode())
    assert (format.header_line, format.delimiter, names) == (2, delimiter, header.split(delimiter))


def test_mapped_columns_are_a_header():
    content = b"Cennik,,\nKod,Nazwa,Opis\nK-1,Kubek,x\n"
    assert detected(content)[0].header_line is None
    mapped = ImportOptions(columns={"kod": "sku", "Nazwa": "name", "Opis": "description"})
    assert detected(content, mapped)[0].header_line == 2


def test_a_title_of_several_lines_counts_with_its_lines():
    content = b'"Price\nlist\nspring"\n' + b"sku,name,description\nK-1,A,B\n"
    format, names = detected(content)
    assert (format.header_line, names) == (4, NAMES)
    assert rows_of(content, format)[0] == [(5, ["K-1", "A", "B"])]


@pytest.mark.parametrize(("titles", "found"), [(MAX_ROWS - 1, MAX_ROWS), (MAX_ROWS, None)])
def test_so_many_rows_are_searched(titles, found):
    content = b"title\n" * titles + b"sku,name,description\n"
    assert detected(content)[0].header_line == found


def test_a_header_in_the_first_line_wins():
    content = b"Item code,Title,Text\nsku,name,description\n"
    assert detected(content) == (detected(content)[0], ["Item code", "Title", "Text"])
    assert detected(content)[0].header_line is None


def test_a_header_in_the_first_line_wins_over_one_below_with_another_delimiter():
    format, names = detected(b"Item code;Title;Text\nsku,name,description\n")
    assert (format.delimiter, format.header_line, names) == (";", None, ["Item code", "Title", "Text"])


@pytest.mark.parametrize(
    "names",
    [
        ["sku", "name"],
        ["sku", "product name and its description", "x"],
        ["name", "description", "price"],
        ["sku", "name", "the description of this product is long"],
        ["sku", "name", "description " * 20],
    ],
)
def test_other_rows_do_not_look_like_a_header(names):
    assert not looks_like_header(names)


def test_a_named_line_is_the_header():
    content = b"sku,name,description\nKod,Nazwa,Opis\nK-1,Kubek,x\n"
    format, names = detected(content, ImportOptions(header_line=2))
    assert (format.header_line, names) == (2, ["Kod", "Nazwa", "Opis"])
    assert rows_of(content, format)[0] == [(3, ["K-1", "Kubek", "x"])]


def test_a_named_line_is_read_although_lines_above_it_are_malformed():
    content = b'A "list" of\n"prices" for\nsku,name,description\nK-1,A,B\n'
    format, names = detected(content, ImportOptions(header_line=3))
    assert (names, rows_of(content, format)) == (NAMES, ([(4, ["K-1", "A", "B"])], []))


def test_a_file_without_a_header_has_numbered_columns():
    content = b"\n;;\nK-1;Cup;white\nK-2;Bowl;red\n"
    format, names = detected(content, ImportOptions(header_line=0))
    assert (format.header_line, format.delimiter, names) == (0, ";", ["column 1", "column 2", "column 3"])
    assert rows_of(content, format) == ([(3, ["K-1", "Cup", "white"]), (4, ["K-2", "Bowl", "red"])], [])


@pytest.mark.parametrize("line", [3, 5, 1_000])
def test_a_line_without_names_is_refused(line):
    with pytest.raises(Invalid, match=f"no column names in line {line}:") as error:
        detected(b"title\nsku,name,description\n\nK-1,A,B\n", ImportOptions(header_line=line))
    assert error.value.kind == "invalid-csv-header"


@pytest.mark.parametrize("delimiter", [None, ","])
def test_lines_that_are_quoted_as_a_whole_are_refused(delimiter):
    content = b'"sku,name,description"\n"H24-1,Cup,""white, big"""\n'
    with pytest.raises(Invalid, match="Each line is one quoted cell") as error:
        detected(content, ImportOptions(delimiter=delimiter))
    assert (error.value.kind, error.value.extra) == ("not-csv", {})
