"""Encodings are detected or chosen; bytes that are not text are rejected with their position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.errors import Invalid
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.encoding_detection import CONTROL, EncodingDetector
from product_importer.imports.parsing.unmarked_utf_16 import unmarked_utf_16
from tests.imports.parsing.reading import detected, rows_of

HEADER = "sku,name,description\n"


def checked(content: bytes, chosen: str | None = None, piece: int = 5) -> EncodingDetector:
    text = EncodingDetector(chosen)
    for start in range(0, len(content), piece):
        text.feed(content[start : start + piece])
    text.feed(b"", final=True)
    return text


@pytest.mark.parametrize("piece", [1, 2, 7, 1_000])
@pytest.mark.parametrize(
    ("content", "encoding", "is_guessed"),
    [
        (HEADER.encode(), "utf-8", False),
        ((HEADER + "a,Größe €,😀\n").encode(), "utf-8", False),
        ((HEADER + "a,Größe,€\n").encode("utf-8-sig"), "utf-8", False),
        ((HEADER + "a,Größe,漢字\n").encode("utf-16"), "utf-16", False),
        (b"\xfe\xff" + (HEADER + "a,Größe,漢字\n").encode("utf-16-be"), "utf-16", False),
        ((HEADER + "a,Größe,漢字😀\n").encode("utf-16-le"), "utf-16-le", False),
        ((HEADER + "a,Größe,漢字😀\n").encode("utf-16-be"), "utf-16-be", False),
        (("Артикул\tНазвание\r\nА-1\tЧашка\r\n").encode("utf-16-le"), "utf-16-le", False),
        (("Артикул\tНазвание\r\nА-1\tЧашка\r\n").encode("utf-16-be"), "utf-16-be", False),
        (("编号,名称\r\n一,茶杯\r\n").encode("utf-16-le"), "utf-16-le", False),
        (("商品コード,商品名\r\nあ,カップ\r\n" * 9).encode("utf-16-be"), "utf-16-be", False),
        ((HEADER + "a,Größe,1 €\n").encode("windows-1252"), "windows-1252", True),
        # A capital letter before a space that does not break is UTF-8 by chance.
        ((HEADER + "a,QUALITÉ\xa0: ,größte\n").encode("windows-1252"), "windows-1252", True),
        ((HEADER + "a,b,\f" + "x" * 90_000 + "é").encode("windows-1252"), "windows-1252", True),
    ],
)
def test_the_encoding_is_detected_for_any_size_of_pieces(content, encoding, is_guessed, piece):
    text = checked(content, piece=piece)
    assert (text.encoding, text.is_guessed, text.error) == (encoding, is_guessed, None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252"])
def test_text_in_a_detected_encoding_is_read_correctly(encoding):
    content = (HEADER + "é1,Größe,öß\r\n").encode(encoding)
    format, names = detected(content)
    assert names == ["sku", "name", "description"]
    assert rows_of(content, format) == ([(2, ["é1", "Größe", "öß"])], [])


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1251", "Молоток"), ("shift_jis", "金槌ソ"), ("gb18030", "锤子"), ("iso-8859-2", "Młotek"),
        ("euc-kr", "망치"), ("big5", "錘子"), ("mac-roman", "Größe"), ("utf-16", "Größe"), ("utf-8", "Größe"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_chosen_encoding_is_used(encoding, text, mark):
    if mark and not encoding.startswith("utf"):
        mark = ""
    codec = "utf-16-le" if encoding == "utf-16" else encoding
    content = (mark + HEADER + f"a,{text},c\n").encode(codec)
    format, _ = detected(content, ImportOptions(encoding=encoding))
    assert rows_of(content, format)[0] == [(2, ["a", text, "c"])]


@pytest.mark.parametrize("piece", [1, 3, 1_000])
@pytest.mark.parametrize(
    ("content", "chosen", "line", "offset", "words"),
    [
        # There is multi-byte UTF-8 before the byte, so the file is broken UTF-8.
        (b"a\n\xc3\xa4\r\n\xe9,c\r\n" + b"x" * 90, None, 3, 6, "UTF-8 text before it"),
        ("sku\nCafé,日".encode()[:-1], None, 2, 10, "not transferred to its end"),
        (b"sku\n" + "日本".encode() * 99 + b"\xe6", None, 2, 598, "not transferred to its end"),
        (b"a\rb\r\r\n" + "ä".encode() + b"\xff", None, 4, 8, "0xFF"),
        (b"\xef\xbb\xbfa\n\xe9", None, 2, 5, "UTF-8"),
        # The byte is undefined in Windows-1252, or a control character.
        (b"a\n\xe9\n\x81" + b"x" * 90, None, 3, 4, "neither in UTF-8 nor in Windows-1252"),
        (b"a\n\x01\n\xe9" + b"x" * 90, None, 2, 2, "control character"),
        (b"a\n\xe9\r\n\0" + b"x" * 90, None, 3, 5, "control character"),
        (b"x" * 300 + b"\n\x1a\0\n" + b"x" * 90 + b"\xe9", None, 2, 301, "control character"),
        (b"abc\n\xff\xff", "shift_jis", 2, 4, "not text in shift_jis"),
        (b"abc\n\xe9", "utf-8", 2, 4, "not text in utf-8"),
        (b"\xff\xfea\0\n\0\x00\xd8b\0", None, 2, 6, "not text in utf-16"),
        ("ä".encode() + b"\n\xe2\x82", None, 2, 3, "UTF-8"),
    ],
)
def test_an_invalid_byte_is_reported_with_its_line_and_offset(content, chosen, line, offset, words, piece):
    error = checked(content, chosen, piece).error
    assert error is not None
    assert (error.kind, error.extra["line"], error.extra["offset"]) == ("not-text", line, offset)
    assert words in error.detail and "“encoding”" in error.detail


@pytest.mark.parametrize("piece", [1, 7, 1_000])
@pytest.mark.parametrize("padding", [b"\x1a", b"\n\x1a", b"\n\0", bytes(300), b"\r\n\0\0\x1a" + bytes(999)])
@pytest.mark.parametrize("text", ["a,cafés", "a,Größe,1 €", "a,café" + " au lait" * 50])
def test_padding_at_the_end_of_a_guessed_text_is_no_control_character(text, padding, piece):
    content = HEADER.encode() + text.encode("windows-1252") + padding
    found = checked(content, piece=piece)
    assert (found.encoding, found.is_guessed, found.error) == ("windows-1252", True, None)
    format, _ = detected(content)
    assert rows_of(content, format)[0][0][1][0] == text.partition(",")[0]


@pytest.mark.parametrize("piece", [1, 7, 1_000])
@pytest.mark.parametrize("behind", [b"\n", b"x" * 20, b"\xe9", b"\0\x01"])
def test_padding_before_more_text_is_a_control_character(behind, piece):
    # Longer than what is looked at first.
    before = HEADER.encode() + b"x" * 300 + b"\xe9t\xe9\n"
    error = checked(before + b"\x1a\0" + behind + bytes(9), piece=piece).error
    assert error is not None
    assert (error.extra["line"], error.extra["offset"]) == (3, len(before))
    assert "control character" in error.detail


@pytest.mark.parametrize("padding", [b"\x1a", bytes(300), b"\r\n\x1a" + bytes(99)])
@pytest.mark.parametrize(("text", "encoding"), [("Молоток,Чашка", "windows-1251"), ("商品名,カップ", "shift_jis")])
def test_a_padded_text_in_another_encoding_is_refused_with_the_likely_ones(text, encoding, padding):
    with pytest.raises(Invalid) as refused:
        detected(HEADER.encode() + text.encode(encoding) + padding)
    assert encoding in [one["encoding"] for one in refused.value.extra["encodings"]]


def test_utf_8_that_breaks_off_within_a_letter_is_no_text_of_another_encoding():
    content = (HEADER + "A-1,Café,日").encode()
    assert not checked(content[:-1]).is_other_text
    # The same bytes in the middle of a text are.
    assert checked(content[:-1] + b"\n").is_other_text
    # So is a letter of Windows-1252 at the end, behind what is UTF-8 by chance.
    western = checked((HEADER + "A-1,CAFÉ\xa0noir,crème,brûlé").encode("cp1252"))
    assert (western.encoding, western.error) == ("windows-1252", None)


@pytest.mark.parametrize(
    "content",
    [
        HEADER.encode() + b"A\0,b,c\n",
        HEADER.encode() + b"A-1,b,c\n" + bytes(50),
        HEADER.encode() + "ä\0,ü,c\n".encode(),
        b"a,b\n1,\0\n",
    ],
)
def test_text_with_zero_bytes_is_not_taken_for_utf_16(content):
    assert checked(content).encoding == "utf-8"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C"]) | st.sampled_from("\t\n\r"), max_size=300))
def test_no_text_in_utf_8_is_taken_for_utf_16(text):
    assert unmarked_utf_16(text.encode()) is None


@given(st.text(st.characters(codec="cp1252", exclude_categories=["C"]) | st.sampled_from("\t\n\r"), max_size=300))
def test_no_text_in_windows_1252_is_taken_for_utf_16(text):
    assert unmarked_utf_16(text.encode("cp1252")) is None


def test_valid_utf_8_may_hold_control_characters():
    """A row with NUL is rejected later; other control characters are allowed."""
    assert (
        checked(
            HEADER.encode() + bytes(filter(lambda byte: CONTROL.match(bytes([byte])), range(256))) + "ä".encode()
        ).error
        is None
    )


def test_a_chosen_encoding_may_hold_control_characters_too():
    assert checked(HEADER.encode() + b"\x0b\xe9\n", "windows-1252").error is None


def test_bytes_that_are_invalid_in_the_chosen_encoding_are_rejected():
    with pytest.raises(Invalid, match="shift_jis"):
        detected(HEADER.encode() + b"\xff\xff", ImportOptions(encoding="shift_jis"))


@given(
    st.lists(
        st.sampled_from(
            [b"a", b"bc\n", b"\r", b"\r\n", b"\n", b"\x01", b"\0", b"\x1a", "é".encode(), b"\xe9", b"\xff"]
        ),
        max_size=80,
    )
)
def test_what_is_found_does_not_depend_on_where_the_bytes_are_cut(parts):
    content = HEADER.encode() + b"".join(parts)
    found = {
        (text.encoding, text.is_guessed, str(text.error))
        for text in (checked(content, piece=size) for size in (1, 2, 7, 64, len(content)))
    }
    assert len(found) == 1
