"""A text whose encoding cannot be told is refused with what it may be, and how its first lines read then."""

import gzip
import io
import zipfile

import pytest

from product_importer.core.errors import Invalid
from product_importer.imports.options import ImportOptions, parse
from product_importer.imports.parsing.likely_encodings import MAX_ENCODINGS, MAX_LINE_BYTES, PREVIEW_CHARACTERS
from tests.imports.parsing.reading import detected, rows_of

HEADER = b"sku,name,description\r\n"
TEXTS = [
    ("windows-1251", "Чашка «Утро»,фарфор\r\nA-2,Тарелка №5,белая"),
    ("gb18030", "白色陶瓷茶杯,容量 250 毫升\r\nA-2,不锈钢勺子,耐用"),
    ("shift_jis", "予約①商品,詳細～説明"),
    ("euc-jp", "商品の名前,詳しい説明です"),
    ("euc-kr", "도자기 찻잔,하얀색 펲시콜라"),
    ("big5", "白色陶瓷茶杯,容量"),
    ("windows-1250", "Żółta łyżka,świeca"),
    ("windows-1253", "Κούπα τσαγιού,λευκή"),
    ("windows-1254", "Kırmızı bardağı,yeşil ışık"),
    ("windows-1255", "כוס תה לבנה,מחרסינה של הבוקר"),
    ("windows-1256", "كوب شاي,أبيض"),
    ("windows-1257", "šķīvis ķēde,balta krūze"),
    ("koi8-r", "Чашка утро,белая"),
    ("ibm866", "Чашка утро,белая"),
    ("mac-roman", "Größe für Käse,Stück"),
    ("iso-8859-15", "Preis 5 €,x"),
]


def refused(content: bytes) -> Invalid:
    with pytest.raises(Invalid) as raised:
        detected(content)
    assert (raised.value.kind, raised.value.status) == ("not-text", 400)
    return raised.value


def encoded(text: str, encoding: str) -> bytes:
    codec = {"shift_jis": "cp932", "euc-kr": "cp949"}.get(encoding, encoding)
    return HEADER + b"A-1," + text.encode(codec) + b"\r\n"


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_a_refused_text_names_its_encoding_with_its_first_lines(encoding, text):
    content = encoded(text, encoding)
    error = refused(content)
    likely = {one["encoding"]: one["preview"] for one in error.extra["encodings"]}
    assert likely[encoding][0] == f"A-1,{text}".partition("\r\n")[0]
    assert len(likely) <= MAX_ENCODINGS
    assert f"encoding={error.extra['encodings'][0]['encoding']}" in error.detail
    for name in likely:
        format, _ = detected(content, ImportOptions(encoding=name))
        assert format.encoding == name
    format, _ = detected(content, parse({"encoding": encoding}))
    assert rows_of(content, format)[0][0] == (2, ["A-1", *text.partition("\r\n")[0].split(",")])


@pytest.mark.parametrize(("encoding", "text"), TEXTS[:6])
def test_the_encoding_of_a_text_of_several_words_comes_first(encoding, text):
    assert refused(encoded(text, encoding)).extra["encodings"][0]["encoding"] == encoding


@pytest.mark.parametrize("pack", [gzip.compress, None])
def test_a_packed_text_is_refused_alike(pack):
    content = encoded("Чашка «Утро»,фарфор", "windows-1251")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.csv", content)
    assert refused(pack(content) if pack else target.getvalue()).extra == refused(content).extra


def test_only_encodings_that_read_all_of_the_text_are_named():
    """0x98 is the one byte that Windows-1251 does not define."""
    content = encoded("Чашка утро,белая", "windows-1251") * 3
    assert "windows-1251" in refused(content).detail
    late = refused(content + b"x" * 3_000_000 + b"\n\x98\n")
    assert "windows-1251" not in [one["encoding"] for one in late.extra["encodings"]]


def test_a_text_of_two_encodings_names_none():
    error = refused(HEADER + b"A-1,Cr\xe8me,\xfc\nA-2," + "Café,é\n".encode())
    assert (error.extra.get("encodings"), error.extra["line"]) == (None, 2)
    assert "UTF-8 text behind it" in error.detail


def test_a_western_text_that_was_refused_may_be_windows_1252():
    assert "windows-1252" in [one["encoding"] for one in refused(HEADER + b"A-1,V\xf5ro,x\n").extra["encodings"]]


def test_lines_that_are_long_are_shown_from_shortly_before_their_first_letter():
    content = HEADER + b"A-1," + b"x" * 500 + "чашка белая ".encode("windows-1251") * 2_000 + b",y\n"
    assert len(content) > MAX_LINE_BYTES
    line = refused(content).extra["encodings"][0]["preview"][0]
    assert line.startswith("…x") and "xчашка" in line and line.endswith("…")
    assert len(line) == PREVIEW_CHARACTERS + 2


def test_a_text_that_is_utf_8_by_chance_at_first_is_refused_with_its_encoding():
    """The first two letters are valid UTF-8."""
    content = HEADER + "A-1,Чёрный чай,Чёрный чай с лимоном\n".encode("windows-1251")
    assert b"\xd7\xb8" in content
    assert refused(content).extra["encodings"][0]["encoding"] == "windows-1251"


def test_an_error_in_a_chosen_encoding_names_no_other():
    with pytest.raises(Invalid) as raised:
        detected(HEADER + b"\xff\xff", ImportOptions(encoding="shift_jis"))
    assert "encodings" not in raised.value.extra
