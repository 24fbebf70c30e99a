"""Which SKUs are the same: the key ignores case, outer spaces and Unicode form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from product_importer.catalog.schemas import ProductCreate, sku_key

SAME = [
    ("SKU-1", "sku-1"),
    ("SKU-1", " Sku-1\t"),
    ("SKU-1", "\u00a0SKU-1\u2003"),  # no-break space, em space
    ("SKU-1", "\u3000SKU-1\u0085\x1c"),  # ideographic space, next line, file separator: spaces to Python
    ("SKU-1", "\u200bSKU-1\ufeff"),  # zero width space, byte order mark
    ("SKU-1", "\u200e \u202aSKU-1\u202c\u00a0\u00ad"),  # direction marks, spaces and a soft hyphen
    ("SKU-1", "SKU-1\ufe0f"),  # variation selector
    ("s", "ſ"),  # long s
    ("ss", "ß"),
    ("SS", "ẞ"),  # capital sharp s
    ("STRASSE", "straße"),
    ("k", "\u212a"),  # Kelvin sign
    ("é", "e\u0301"),  # composed, decomposed
    ("É", "e\u0301"),
    ("å", "\u212b"),  # Ångström sign
    ("ά", "Ά"),
    ("σ", "ς"),  # final sigma
    ("\u03b1\u0345", "ᾳ"),  # iota below
    ("ffi", "ﬃ"),
    ("\u1e9b\u0323", "ṩ"),
    ("i\u0307", "İ"),  # capital i with a dot above is an i with a dot above
    ("q\u0307\u0323", "q\u0323\u0307"),  # marks in either order
]
DIFFERENT = [
    ("SKU-1", "SKU 1"),
    ("SKU-1", "SKU\u20111"),  # no-break hyphen
    ("a b", "a  b"),  # inner spaces count
    ("a b", "a\u00a0b"),
    ("i", "İ"),
    ("i", "ı"),  # dotless i
    ("e", "é"),
    ("0", "00"),
    ("1", "１"),  # full width: compatibility, not canonical equivalence
    ("ab", "a\u200bb"),  # inside, invisible characters count
    ("ab", "a\u00adb"),
    ("o", "0"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_these_spellings_are_one_sku(one, other):
    assert sku_key(one) == sku_key(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_these_spellings_are_two_skus(one, other):
    assert sku_key(one) != sku_key(other)


letters = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("ſİıßẞςΣǰΐᾳ\u0345\u0307\u0301\u00a0 \t\u200b\ufeff\u034f\u1160"),
)
texts = st.text(letters, max_size=8)


@given(texts)
def test_a_key_is_its_own_key(text):
    assert sku_key(sku_key(text)) == sku_key(text)


@given(texts)
def test_case_outer_spaces_and_unicode_form_do_not_change_the_key(text):
    key = sku_key(text)
    assert sku_key(f" \u200b{text}\u00a0\ufeff") == key
    assert sku_key(unicodedata.normalize("NFC", text)) == key
    assert sku_key(unicodedata.normalize("NFD", text)) == key
    assert sku_key(text.casefold()) == key


@given(st.text(st.characters(max_codepoint=127), max_size=8))
def test_the_fast_path_for_ascii_gives_the_same_key(text):
    assert sku_key(text) == unicodedata.normalize("NFC", unicodedata.normalize("NFD", text.strip()).casefold())


def test_a_product_keeps_the_case_of_its_sku():
    assert ProductCreate(sku=" Sku-İ ", name="n").sku == "Sku-İ"


def test_edges_are_trimmed_and_a_text_of_edges_is_blank():
    product = ProductCreate(sku="\u200b A\ufeff", name="\u200eMug \u200b", attributes={"\u200bcolour": "\u200bred"})
    assert (product.sku, product.name, product.attributes) == ("A", "Mug", {"colour": "\u200bred"})
    for sku, name in (("\u200b", "n"), ("s", " \u00ad")):
        with pytest.raises(ValidationError):
            ProductCreate(sku=sku, name=name)
    with pytest.raises(ValidationError, match="another column of the product"):
        ProductCreate(sku="s", name="n", attributes={"\u200bsku": "x"})
