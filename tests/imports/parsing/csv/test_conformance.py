"""CSV by RFC 4180 and by common programs."""

import io

import pytest

from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.csv.reader import ParseBlock, Records
from product_importer.imports.parsing.opening import text_of
from tests.imports.parsing.reading import Rows, detected, rows_of

# Files with their rows, including the header: the line on which a row begins, and its cells.
CASES: dict[str, tuple[bytes, Rows]] = {
    "plain": (
        b"sku,name,price\nK-1,Kettle,30\nK-2,Pan,45\n",
        [(1, ["sku", "name", "price"]), (2, ["K-1", "Kettle", "30"]), (3, ["K-2", "Pan", "45"])],
    ),
    "plain, CRLF": (b"a,b\r\nK-1,Kettle\r\n", [(1, ["a", "b"]), (2, ["K-1", "Kettle"])]),
    "plain, CR": (b"a,b\rK-1,Kettle\rK-2,Pan\r", [(1, ["a", "b"]), (2, ["K-1", "Kettle"]), (3, ["K-2", "Pan"])]),
    "no line break at the end": (b"a,b\nK-1,Kettle", [(1, ["a", "b"]), (2, ["K-1", "Kettle"])]),
    "empty lines between": (
        b"a,b\n\nK-1,x\r\n\r\n\nK-2,y\n",
        [(1, ["a", "b"]), (3, ["K-1", "x"]), (6, ["K-2", "y"])],
    ),
    "a comma in quotes": (
        b'name,home,postcode\nAnna,"Bergen, Vestland",00471',
        [(1, ["name", "home", "postcode"]), (2, ["Anna", "Bergen, Vestland", "00471"])],
    ),
    "every cell in quotes": (b'"a","b"\n"1","x,y"\n', [(1, ["a", "b"]), (2, ["1", "x,y"])]),
    "doubled quotes": (
        b'sku,name\nS-1,"The ""big"" one"\nS-2,plain\n',
        [(1, ["sku", "name"]), (2, ["S-1", 'The "big" one']), (3, ["S-2", "plain"])],
    ),
    "nothing but quotes": (b'a,b\n"""",""""""\n', [(1, ["a", "b"]), (2, ['"', '""'])]),
    "doubled quotes at both ends": (b'a,b\n"""x""","""y"", z"\n', [(1, ["a", "b"]), (2, ['"x"', '"y", z'])]),
    "empty cells": (
        b"a,b,c\n1,,\n,,3\n,,\n",
        [(1, ["a", "b", "c"]), (2, ["1", "", ""]), (3, ["", "", "3"]), (4, [""] * 3)],
    ),
    "quoted empty cells": (
        b'a,b,c\n1,"",""\n2,3,4',
        [(1, ["a", "b", "c"]), (2, ["1", "", ""]), (3, ["2", "3", "4"])],
    ),
    "quoted empty cells, CRLF": (
        b'a,b,c\r\n"","",1\r\n2,3,""',
        [(1, ["a", "b", "c"]), (2, ["", "", "1"]), (3, ["2", "3", ""])],
    ),
    "a line break in quotes": (
        b'a,b\n"The first \nthe second",5\n7,8\n',
        [(1, ["a", "b"]), (2, ["The first \nthe second", "5"]), (4, ["7", "8"])],
    ),
    "a line break in quotes, CRLF": (
        b'a,b\r\n"The first \r\nthe second",5\r\n7,8\r\n',
        [(1, ["a", "b"]), (2, ["The first \r\nthe second", "5"]), (4, ["7", "8"])],
    ),
    "a line break in quotes, CR": (
        b'a,b\r"The first \rthe second",5\r7,8\r',
        [(1, ["a", "b"]), (2, ["The first \rthe second", "5"]), (4, ["7", "8"])],
    ),
    "another line break in quotes than between rows": (
        b'a,b\r\n"x\ny\rz",5\r\n7,8\r\n',
        [(1, ["a", "b"]), (2, ["x\ny\rz", "5"]), (5, ["7", "8"])],
    ),
    "line breaks at both ends of a cell": (
        b'a,b\n"\nx\n","\n"\n1,2\n',
        [(1, ["a", "b"]), (2, ["\nx\n", "\n"]), (6, ["1", "2"])],
    ),
    "empty lines in quotes": (
        b'a,b\n1,"x\n\n\ny"\n3,4\n',
        [(1, ["a", "b"]), (2, ["1", "x\n\n\ny"]), (6, ["3", "4"])],
    ),
    "quotes and line breaks": (
        b'a,b\n1,"He said \n""stop"",\n and went"\n3,4\n',
        [(1, ["a", "b"]), (2, ["1", 'He said \n"stop",\n and went']), (5, ["3", "4"])],
    ),
    "a line break in a name of a column": (b'a,"b\nc"\n1,2\n', [(1, ["a", "b\nc"]), (3, ["1", "2"])]),
    "rows in a cell": (b'a,b\n1,"x,y\n2,""z"""\n3,4\n', [(1, ["a", "b"]), (2, ["1", 'x,y\n2,"z"']), (4, ["3", "4"])]),
    "JSON in a cell": (
        b'key,value\n1,"{""kind"": ""Box"", ""size"": [10.5, 2], ""note"": ""\\""""}"\n',
        [(1, ["key", "value"]), (2, ["1", '{"kind": "Box", "size": [10.5, 2], "note": "\\""}'])],
    ),
    "a backslash escapes nothing": (b'a,b\n"x\\",y\\\n', [(1, ["a", "b"]), (2, ["x\\", "y\\"])]),
    "quotes inside a cell without quotes": (
        "pier,place\nNorth,59°54'49.5\"N 10°45'1.3\"E\n".encode(),
        [(1, ["pier", "place"]), (2, ["North", "59°54'49.5\"N 10°45'1.3\"E"])],
    ),
    "letters of many bytes": (
        "a,ä\n1,ʤ\n2,漢 😀\n".encode(),
        [(1, ["a", "ä"]), (2, ["1", "ʤ"]), (3, ["2", "漢 😀"])],
    ),
    "a byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
    "a byte order mark before a quote": (b'\xef\xbb\xbf"a, b",c\n1,2\n', [(1, ["a, b", "c"]), (2, ["1", "2"])]),
    "outer spaces": (b"a,b\n x , y \n", [(1, ["a", "b"]), (2, [" x ", " y "])]),
    "one column": (
        b'sku\nA\n"B,C"\n"D\nE"\nF\n',
        [(1, ["sku"]), (2, ["A"]), (3, ["B,C"]), (4, ["D\nE"]), (6, ["F"])],
    ),
    "one column, an empty cell": (b'sku\n""\nA\n\n""', [(1, ["sku"]), (2, [""]), (3, ["A"]), (5, [""])]),
}


@pytest.mark.parametrize("parse", [None, arrow.parse], ids=["strict", "arrow"])
@pytest.mark.parametrize("case", CASES)
def test_a_file_gives_its_rows(case: str, parse: ParseBlock | None):
    content, expected = CASES[case]
    chunks = list(Records(text_of(io.BytesIO(content), "utf-8"), parse=parse).chunks())
    found = [pair for chunk in chunks for pair in zip(chunk.lines, chunk.rows, strict=True) if pair[1]]
    assert found == expected
    assert [error for chunk in chunks for error in chunk.errors] == []


@pytest.mark.parametrize("piece", [1, 1_000])
@pytest.mark.parametrize("case", CASES)
def test_a_file_that_arrives_in_pieces_is_detected_and_gives_its_rows(case: str, piece: int):
    content, [(_, names), *expected] = CASES[case]
    format, found = detected(content, piece=piece)
    assert found == names
    assert rows_of(content, format) == (expected, [])


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("case", CASES)
def test_another_delimiter_changes_nothing(case: str, delimiter: str):
    """Swap the comma and the delimiter, in the file and in its rows."""
    content, expected = CASES[case]
    swapped = str.maketrans({",": delimiter, delimiter: ","})
    records = Records(text_of(io.BytesIO(content.decode().translate(swapped).encode()), "utf-8"), delimiter)
    [chunk] = records.chunks()
    found = [(line, row) for line, row in zip(chunk.lines, chunk.rows, strict=True) if row]
    assert found == [(line, [cell.translate(swapped) for cell in row]) for line, row in expected]
