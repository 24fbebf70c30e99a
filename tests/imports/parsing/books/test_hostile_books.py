"""Malicious workbooks of the other kinds are rejected in bounded time and memory, and leave nothing behind."""

import io
import random
import struct
import zipfile
from collections.abc import Callable

import pytest

from product_importer.core.errors import Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.core.storage import storage
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.records import Unreadable
from product_importer.imports.parsing.workbook_head import read_head
from tests.imports.parsing.books.made_books import OTHERS, record, wide, xlsb, zipped
from tests.imports.parsing.reading import detected, rows_of

pytestmark = pytest.mark.processes

OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
CELL = '<table:table-cell office:value-type="string"{more}><text:p>x</text:p></table:table-cell>'


def ods(rows: str, before: str = "") -> bytes:
    content = (
        f'{before}<office:document-content xmlns:office="{OFFICE}" xmlns:table="{TABLE}" xmlns:text="{TEXT}">'
        f'<office:body><office:spreadsheet><table:table table:name="S">{rows}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": "<manifest/>",
        }
    )


def repeated(rows: int, columns: int) -> str:
    cell = CELL.format(more=f' table:number-columns-repeated="{columns}"')
    return f'<table:table-row table:number-rows-repeated="{rows}">{cell}</table:table-row>'


def far_cell(row: int, column: int) -> bytes:
    """Return an .xlsb with a cell in the first place and one far away, as if all between were cells, too."""
    place = struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0)
    far = record(0, place) + record(6, struct.pack("<II", column, 0) + wide("x"))
    whole = xlsb({"S": [["sku"]]})
    end = record(146)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        files: dict[str, bytes | str] = {name: archive.read(name) for name in archive.namelist()}
    sheet = files["xl/worksheets/sheet1.bin"]
    assert isinstance(sheet, bytes)
    files["xl/worksheets/sheet1.bin"] = sheet.replace(end, far + end)
    return zipped(files)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "billions of repeated cells": lambda: ods(repeated(1_048_576, 16_384)),
    "more repeated cells than the memory holds": lambda: ods(repeated(90_000, 1_000)),
    "more columns than a number holds": lambda: ods(repeated(1, 2**70)),
    "nested elements": lambda: ods("<table:table-row>" * 500_000),
    "entities": lambda: ods(
        "<table:table-row><table:table-cell><text:p>&b;</text:p></table:table-cell></table:table-row>",
        '<!DOCTYPE a [<!ENTITY b "&c;&c;"><!ENTITY c "&b;&b;">]>',
    ),
    "a far cell": lambda: far_cell(1_048_575, 16_383),
    "a record without end": lambda: zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.bin": record(131) + b"\x9c\x01\xff\xff\xff\x7f" + bytes(100),
            "xl/_rels/workbook.bin.rels": "<Relationships/>",
        }
    ),
    "an xls whose sectors are a circle": lambda: circle(OTHERS["xls"]({"S": [["sku", "name", "description"]] * 200})),
}


def circle(content: bytes) -> bytes:
    """Return an OLE file whose first table of sectors leads from each sector to itself."""
    changed = bytearray(content)
    [table] = struct.unpack_from("<I", content, 76)
    for sector in range(128):
        struct.pack_into("<I", changed, 512 * (table + 1) + 4 * sector, sector)
    return bytes(changed)


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_malicious_workbook_is_rejected(client, shape):
    answer = client.post("/api/upload-csv", files={"file": ("a", HOSTILE[shape]())})
    assert (answer.status_code, answer.json()["type"]) in [
        (400, "/api/problems/not-csv"),
        (400, "/api/problems/empty-file"),
        (400, "/api/problems/too-many-columns"),
    ], answer.text
    assert list(storage().keys()) == []


@pytest.mark.parametrize("kind", ["ods", "xlsb"])
def test_a_bomb_is_rejected_by_its_unpacked_size(monkeypatch, kind):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    content = OTHERS[kind]({"S": [["sku", "name", "description"], *[["a", "b" * 200, "c"]] * 8_000]})
    assert len(content) < 500_000
    with pytest.raises(TooLarge, match="1 MB"):
        read_head(io.BytesIO(content), kind)


def test_a_text_that_cells_share_counts_for_each_of_them(monkeypatch):
    monkeypatch.setattr(settings(), "max_upload_mb", 1)
    content = OTHERS["xls"]({"S": [["sku", "name", "description"], *[["a", "b" * 2_000, "c"]] * 1_000]})
    with pytest.raises(Unreadable) as ended:
        rows_of(content, Format(kind="xls", part="S"))
    assert ended.value.code == "too_large"


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("seed", range(5))
def test_a_workbook_of_broken_bytes_is_read_or_rejected(kind, seed):
    chance = random.Random(seed)
    content = bytearray(OTHERS[kind]({"S": [["sku", "name", "description"], *[["a", 1.5, "ж"]] * 50]}))
    for _ in range(1 + seed * 4):
        content[chance.randrange(len(content))] = chance.randrange(256)
    try:
        rows_of(bytes(content), detected(bytes(content))[0])
    except (Invalid, TooLarge, Unreadable) as error:
        assert str(error)
