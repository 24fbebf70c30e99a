"""The offered encodings are read by the tables of the Encoding Standard, whatever Python calls by their names."""

import codecs
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.parsing.text_codecs import STANDARDS, codec_of, decoder_of

# Bytes and characters of the standard's indexes: where Python differs, and beside these.
TABLES = {
    "shift_jis": "8740① 8160～ 817c－ 8161∥ 815c― 835cソ f040\ue000 fc4b黑 80\x80 b1ｱ",
    "euc-jp": "ada1① a1c1～ a1c2∥ a1dd－ a1f1￠ a2cc￢ f9a1纊 fcfe＂ 8fa2b7～ 8fb0a1丂 8eb1ｱ",
    "euc-kr": "b0a1가 8141갂 c652힣 a1ad∼",
    "big5": "a145‧ a241∕ a1fe／ a242﹨ a240＼ a246￠ a3e1€ 877a㡵 87df鿋 8862Ê̄ c6a1① a4e5文 f9fe￭",
    "gb18030": "80€ a2e3€ a3a0\u3000 a6d9︐ a8bcḿ fe59龴 fea0龻 8135f437\ue7c7 9439da33💩 b2e8茶",
    "windows-1252": "80€ 9fŸ e9é",
    "iso-8859-1": "80€ e9é",
    "windows-1251": "d7e0f8eae0Чашка b8ё 88€",
    "windows-1255": "ca\u05ba e0א",
    "koi8-u": "aeў beЎ d4т",
    "windows-874": "80€ a1ก",
}
CODES = {name: dict(re.findall("((?:[0-9a-f]{2})+)([^ ]+)", table)) for name, table in TABLES.items()}
# Bytes that the standard does not define.
UNDEFINED = {
    "shift_jis": ["a0", "fd", "ff", "8139"],
    "euc-jp": ["a9a1", "80"],
    "euc-kr": ["80", "c9a1"],
    "big5": ["80", "ff"],
    "gb18030": ["ff"],
    "windows-1252": ["81"],
    "windows-1251": ["98"],
}
MULTI_BYTE = ("shift_jis", "euc-jp", "big5", "gb18030")


@pytest.mark.parametrize(("encoding", "code"), [(name, code) for name, codes in CODES.items() for code in codes])
def test_a_code_is_the_standards_character(encoding, code):
    assert decoder_of(encoding).decode(bytes.fromhex(code), True) == CODES[encoding][code]


@pytest.mark.parametrize(("encoding", "code"), [(name, code) for name, codes in UNDEFINED.items() for code in codes])
def test_an_undefined_byte_is_an_error_at_its_place(encoding, code):
    with pytest.raises(UnicodeDecodeError) as raised:
        decoder_of(encoding).decode(b"abc\n" + bytes.fromhex(code), True)
    assert raised.value.start == 4


@given(st.data(), st.sampled_from(MULTI_BYTE))
def test_what_is_read_does_not_depend_on_where_the_bytes_are_cut(data, encoding):
    codes = [(bytes.fromhex(code), text) for code, text in CODES[encoding].items()] + [(b"\n", "\n"), (b"AB", "AB")]
    parts = data.draw(st.lists(st.sampled_from(codes), max_size=40))
    content, text = b"".join(part for part, _ in parts), "".join(part for _, part in parts)
    decoder, place, read = decoder_of(encoding), 0, ""
    while place < len(content):
        size = data.draw(st.integers(1, 9))
        read += decoder.decode(content[place : place + size])
        place += size
    assert read + decoder.decode(b"", True) == text
    assert io.TextIOWrapper(io.BytesIO(content), codec_of(encoding), newline="").read() == text
    assert content.decode(codec_of(encoding)) == text


def test_bytes_of_two_characters_that_look_like_another_one_are_read_as_they_are():
    """The second byte of one and the first of the next are the bytes of a slash."""
    slash = bytes.fromhex("a241")
    assert (b"\xb0\xa2A" + slash).decode(codec_of("big5")) == "陛A∕".replace("陛", b"\xb0\xa2".decode("big5"))


@pytest.mark.parametrize("encoding", STANDARDS)
def test_a_decoder_returns_to_a_state(encoding):
    decoder = decoder_of(encoding)
    before = decoder.getstate()
    first = decoder.decode(b"a")
    decoder.setstate(before)
    assert (first, decoder.decode(b"a", True)) == ("a", "a")
    decoder.reset()
    assert decoder.getstate() == before


def test_a_name_that_is_no_encoding_is_not_found():
    with pytest.raises(LookupError):
        codecs.lookup("standard_rot13")
