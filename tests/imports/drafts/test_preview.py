"""A preview shows how a draft's file is read, changes with the options at once, and says in words what is wrong."""

import gzip
import io
import json
import lzma
import zipfile
from time import perf_counter

import pytest
import xlsxwriter

from product_importer.core import db
from product_importer.imports import tasks
from product_importer.imports.drafts import service
from product_importer.imports.drafts.columns import told
from product_importer.imports.drafts.heads import whole_lines
from product_importer.imports.drafts.preview import preview
from product_importer.imports.parsing.stream_inspection import HEAD_BYTES
from product_importer.imports.progress import current
from tests.imports.conftest import upload
from tests.imports.drafts.receiving import FILE, SHOP, begun, choose, received, targets
from tests.imports.pipeline.test_runner import fetch

CYRILLIC = "артикул;наименование;описание\nа1;Кружка эмалированная;Вмещает треть литра, белая\n" * 40


def workbook(**sheets: list[list[str]]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return stream.getvalue()


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lzma.compress, lambda content: zipped(a=content)], ids=["plain", "gz", "xz", "zip"]
)
@pytest.mark.parametrize("content", [FILE, FILE * 9_000], ids=["small", "large"])
def test_a_packed_file_shows_its_columns(database, pack, content):
    draft = received(pack(content))
    shown = preview(draft.id)
    assert [column.name for column in shown.columns] == ["sku", "name", "description", "colour"]
    assert (shown.problem, shown.missing, shown.is_whole, shown.error) == ("", [], True, None)
    started = db.run(service.start, draft.id, False)
    assert started.columns["colour"] == "attribute"


def test_what_a_text_is_packed_in_is_shown_while_it_arrives(database):
    content = gzip.compress(b"".join(b"%x,%x,x,y\n" % (n**7, n**5) for n in range(50_000)))
    incoming = begun(content[: len(content) // 2])
    assert preview(incoming.id).columns[0].name == "0"
    incoming.abort()


def test_a_zip_and_a_workbook_show_nothing_until_they_have_arrived(database):
    for content in (zipped(a=SHOP), workbook(One=[["sku", "name", "description"]])):
        incoming = begun(content)
        shown = preview(incoming.id)
        assert (shown.columns, shown.error, shown.problem) == ([], None, "")
        incoming.finish()
        assert len(preview(incoming.id).columns) >= 3


def test_other_files_of_an_archive_are_named(database):
    stream = io.BytesIO(zipped(a=FILE))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("readme.txt", "x")
    [warning] = preview(received(stream.getvalue()).id).warnings
    assert "readme.txt" in warning


def test_the_delimiter_and_the_header_line_change_it_at_once(database):
    draft = received(b"Catalogue 2024;;;\n" + SHOP)
    assert preview(draft.id).header_line == 2
    choose(draft.id, header_line=0)
    assert preview(draft.id).columns[0].name == "column 1"
    choose(draft.id, delimiter=",", header_line=2)
    shown = preview(draft.id)
    assert [column.name for column in shown.columns] == ["Artikelnummer;Bezeichnung;Beschreibung;Farbe"]
    assert (shown.missing, shown.delimiter) == (["sku", "name", "description"], ",")
    assert shown.problem == "Still missing: sku, name and description."


@pytest.mark.parametrize("is_whole", [False, True])
def test_an_encoding_that_is_not_known_is_asked_for_with_the_likely_ones(database, is_whole):
    incoming = begun(CYRILLIC.encode("windows-1251"))
    if is_whole:
        incoming.finish()
    shown = preview(incoming.id)
    assert (shown.error.type, shown.columns) == ("not-text", [])
    likely = shown.error.extra["encodings"]
    assert likely[0]["encoding"] == "windows-1251"
    assert "артикул" in likely[0]["preview"][0]
    choose(incoming.id, encoding="windows-1251", columns={"артикул": "sku", "наименование": "name"})
    shown = preview(incoming.id)
    assert (shown.columns[0].name, shown.encoding) == ("артикул", "windows-1251")
    assert shown.missing == ["description"]
    choose(
        incoming.id,
        encoding="windows-1251",
        columns={"артикул": "sku", "наименование": "name", "описание": "description"},
    )
    if not is_whole:
        incoming.finish()
    started = db.run(service.start, incoming.id, False)
    assert (started.format.encoding, started.columns["описание"]) == ("windows-1251", "description")


def test_what_the_whole_text_shows_of_its_encoding_comes_before_the_beginning(database):
    content = FILE + b"c,C,1,x\n" * 50_000 + "d,Größe,für Töpfe,grün\n".encode("windows-1252") * 10
    assert content[:HEAD_BYTES].isascii()
    incoming = begun(content)
    assert preview(incoming.id).encoding == "utf-8"
    incoming.finish()
    shown = preview(incoming.id)
    assert (shown.encoding, shown.is_whole) == ("windows-1252", True)
    assert any("Windows-1252" in warning for warning in shown.warnings)
    choose(incoming.id, encoding="iso-8859-15")
    shown = preview(incoming.id)
    assert (shown.encoding, shown.is_whole) == ("iso-8859-15", False)
    assert db.run(service.start, incoming.id, False).format.encoding == "iso-8859-15"


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_cut_at_a_line(database, codec):
    text = "sku;name;description\n" + "more;of;ASCII\n" * 40 + "ਊਊ;਀ਊ;\u0a0d\u0d0a\n" * 20_000
    content = text.encode(codec)
    incoming = begun(content[: HEAD_BYTES + 1])
    shown = preview(incoming.id)
    assert (shown.error, shown.encoding, shown.problem) == (None, "utf-16", "")
    incoming.abort()
    for cut in range(2_000, 2_030):
        assert content[:cut].startswith(whole_lines(content[:cut]))
        assert whole_lines(content[:cut]).decode(codec).endswith("\n")


def test_a_workbook_lists_its_visible_sheets_in_their_order(database):
    rows = [["sku", "name", "description"], ["a", "A", "x"]]
    draft = received(workbook(One=rows, Two=[["Code", "Title", "Text"], ["b", "B", "y"]]), "book.xlsx")
    shown = preview(draft.id)
    assert (shown.kind, shown.sheet, shown.sheets, shown.is_whole) == ("xlsx", "One", ["One", "Two"], True)
    choose(draft.id, sheet="Two")
    shown = preview(draft.id)
    assert (shown.sheet, shown.sheets) == ("Two", ["One", "Two"])
    assert targets(draft.id) == {
        "Code": ("sku", "guessed"),
        "Title": ("name", "guessed"),
        "Text": ("description", "guessed"),
    }
    assert db.run(service.start, draft.id, False).columns["Code"] == "sku"
    choose_none = received(workbook(One=rows), "book.xlsx")
    choose(choose_none.id, sheet="Three")
    assert preview(choose_none.id).error.type == "unknown-sheet"


def test_a_sheet_that_cannot_be_read_leaves_the_choice_of_another(database):
    draft = received(workbook(Cover=[], Products=[["sku", "name", "description"], ["a", "A", "x"]]), "book.xlsx")
    shown = preview(draft.id)
    assert (draft.error, shown.error.type, shown.sheets) == (None, "empty-file", ["Cover", "Products"])
    choose(draft.id, sheet="Products")
    assert preview(draft.id).problem == ""


@pytest.mark.parametrize("count", [3, 4_000])
def test_json_is_shown_while_it_arrives_and_afterwards(database, count):
    objects = [{"sku": f"s{n}", "name": "N", "description": "d" * 100, "colour": "red"} for n in range(count)]
    for content in (json.dumps(objects), "\n".join(map(json.dumps, objects)) + "\n"):
        incoming = begun(content.encode())
        if count > 3:
            assert [column.name for column in preview(incoming.id).columns][:2] == ["sku", "name"]
        incoming.finish()
        shown = preview(incoming.id)
        assert (shown.kind in ("json", "jsonl"), len(shown.columns), shown.problem) == (True, 4, "")


def test_an_option_that_means_nothing_for_the_file_is_refused_in_words(database):
    draft = received(json.dumps([{"sku": "a", "name": "A", "description": ""}]).encode())
    choose(draft.id, delimiter=";")
    assert "it has no delimiter" in preview(draft.id).error.detail


def test_a_saved_mapping_is_remembered_unless_it_is_refused(database):
    upload(b"a,b,c\n1,2,3\n", columns=json.dumps({"a": "sku", "b": "name", "c": "description"}))
    draft = received(b"c,b,a\n4,5,6\n")
    assert targets(draft.id)["c"] == ("description", "remembered")
    choose(draft.id, columns={})
    assert preview(draft.id).missing == ["sku", "name", "description"]
    choose(draft.id)
    assert db.run(service.start, draft.id, False).columns == {"c": "description", "b": "name", "a": "sku"}


def test_a_mapping_that_somebody_saves_meanwhile_does_not_change_what_is_shown(database):
    draft = received(b"a,b,c\n1,2,3\n")
    choose(draft.id, columns={"a": "sku", "b": "name", "c": "description"})
    shown_as = told(preview(draft.id).columns)
    choose(draft.id)
    upload(b"a,b,c\n7,8,9\n", columns=json.dumps({"a": "name", "b": "sku", "c": "description"}))
    assert db.run(service.start, draft.id, False, shown_as).columns == {"a": "sku", "b": "name", "c": "description"}


def test_names_that_collide_are_told_in_words(database):
    draft = received(b"sku,name,description,a,b\n1,2,3,4,5\n")
    choose(draft.id, columns={"a": "attribute:b"})
    assert "Another column becomes the attribute “b”, too" in preview(draft.id).problem


def test_a_renamed_attribute_is_imported_so(database):
    draft = received()
    choose(draft.id, columns={"colour": "attribute:Farbe"})
    db.run(service.start, draft.id, False)
    tasks.run_import(str(draft.id))
    assert current(draft.id).columns["colour"] == "attribute:Farbe"
    assert fetch("SELECT attributes FROM product WHERE sku = 'a'") == [({"Farbe": "red"},)]


def test_rows_that_continue_a_product_are_counted(database):
    content = b"Handle,sku,Title,description\n" + b"mug,m1,Mug,x\nmug,m2,,\nmug,,,\n" * 20
    shown = preview(received(content).id)
    assert (shown.continuations, shown.variants, shown.sample_rows) == (40, 20, 60)


def test_rows_are_no_variants_without_columns_to_tell_them(database):
    content = b"Handle,a,b,description\n" + b"mug,m1,Mug,x\nmug,m2,,\n"
    assert preview(received(content).id).variants == 0


def test_a_preview_of_a_large_text_is_quick(database):
    """It reads the beginning, however large the file is: a second is far above what it takes."""
    row = b"s%d,Name,Text;with|other\tdelimiters and some more words,red,1,2,3,4,5\n"
    content = b"sku,name,description,colour,a,b,c,d,e\n" + b"".join(row % n for n in range(300_000))
    draft = received(content)
    begin = perf_counter()
    assert preview(draft.id).problem == ""
    assert perf_counter() - begin < 1
