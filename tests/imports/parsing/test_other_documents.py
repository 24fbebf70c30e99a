"""Files that hold no table are refused by their names, with what to do."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.errors import Invalid
from product_importer.imports.parsing.other_documents import refuse_document
from tests.imports.parsing.reading import detected

TABLE = "<table><tr><th>sku</th><th>name</th></tr></table>"
OFFICE = '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="utf-8"></head></html>'


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.csv", content)
    return target.getvalue()


@pytest.mark.parametrize(
    "pack", [bytes, lambda content: gzip.compress(content, mtime=0), zipped], ids=["plain", "gzip", "zip"]
)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (OFFICE, "web page (HTML)"),
        (f"\n\n  {TABLE}", "web page"),
        ("<!DOCTYPE html>\n<html></html>", "web page"),
        ("<!-- saved from url -->\n<HTML>", "web page"),
        ('<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">', "web page"),
        (f"{OFFICE}{'x' * 1_000}", "sign in"),
        ("MIME-Version: 1.0\nX-Document-Type: Workbook\n", "MHTML"),
        ('<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>', "XML format of 2003"),
        ('<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"/>', "product feed"),
        ("<products>\n  <product id='1'/>\n</products>", "XML document"),
        ("<!-- a feed -->\n<feed/>", "XML document"),
        (r"{\rtf1\ansi sku\tab name}", "RTF"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_document_is_named(text, words, encoding, pack):
    with pytest.raises(Invalid) as raised:
        detected(pack(text.encode(encoding)))
    assert raised.value.kind == "not-csv"
    assert words in raised.value.detail
    assert "CSV" in raised.value.detail


@pytest.mark.parametrize("first", ["<b>Name</b>", "<sku>", "<tablet>", "<html-text>", "{rtf}", "mime-version", "<"])
def test_a_column_name_with_brackets_is_a_column_name(first):
    assert detected(f"sku,{first},name\n1,2,3\n".encode())[1] == ["sku", first, "name"]
    assert detected(f"{first},sku,name\n1,2,3\n".encode())[1] == [first, "sku", "name"]


@given(st.binary(max_size=512))
def test_any_bytes_are_a_document_or_not(start):
    try:
        refuse_document(start)
    except Invalid as error:
        assert error.detail.startswith("This is ")


def test_a_document_without_an_end_is_recognised_in_little_time():
    for start in (b"<!--" * 128, b"<a>" * 170, b"<a " * 170, b"<?xml " * 85, b"<" * 512, b"<!---->" * 73):
        try:
            refuse_document(start)
        except Invalid as error:
            assert "XML" in error.detail


@pytest.mark.parametrize("content", ["c.csv", "c.csv\r\n", "/home/me/Märkte 2024.XLSX", "\ufeffcatalogue.csv.gz "])
def test_a_file_that_holds_a_file_name_asks_for_the_file(content):
    with pytest.raises(Invalid) as raised:
        detected(content.encode())
    assert "nothing but the name of a file" in raised.value.detail
    assert f"-F file=@{content.strip(chr(0xFEFF)).strip()}" in raised.value.detail


@pytest.mark.parametrize("content", ["a.csv\n1\n", "sku,a.csv\n", "image.csv.png\n", "name\n"])
def test_other_small_files_are_no_file_names(content):
    assert detected(content.encode())[1]
