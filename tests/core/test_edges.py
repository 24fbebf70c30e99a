"""White space and invisible characters at the edges of a text do not count."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.core.edges import EDGES, INVISIBLE, INVISIBLE_RANGES, hidden_in, trim, trim_name, trim_pasted
from product_importer.imports.parsing.csv.arrow import trim_column

SOME = "\u200b\ufeff\u200e\u202a\u00ad\u2060\ufe0f\u3164\U000e0001\u00a0 \t\u3000"
texts = st.text(st.sampled_from(SOME + "aÄ漢\u2011\u0301") | st.characters(), max_size=8)


@pytest.mark.parametrize(
    "character",
    # Zero width space, non-joiner and joiner, direction marks, embeddings, isolates, word joiner, soft hyphen, byte
    # order mark, variation selectors, grapheme joiner, Hangul fillers, a tag.
    [*"\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2066\u2069\u2060\u00ad\ufeff\ufe00\ufe0f\u034f\u115f\u3164\uffa0",
     "\U000e0001", "\U000e0fff"],
)  # fmt: skip
def test_an_invisible_character_does_not_count_at_an_edge(character):
    assert character in INVISIBLE
    assert trim(f"{character} SKU{character}1\t{character}") == f"SKU{character}1"
    assert trim(f"SKU{character}") == trim(f"{character}SKU") == "SKU"
    assert trim(character) == trim(f" {character}\u00a0") == ""


def test_there_are_as_many_as_unicode_lists():
    """The total that DerivedCoreProperties.txt gives for Default_Ignorable_Code_Point."""
    assert len(set(INVISIBLE)) == sum(last - first + 1 for first, last in INVISIBLE_RANGES) == 4174
    assert not any(character.isspace() for character in INVISIBLE)


@pytest.mark.parametrize("text", ["H22\u20111", "a\u200bb", "\u0301a", "\u00b7a", "\U0001f512"])
def test_what_shows_something_and_what_is_inside_stays(text):
    assert trim(text) == text


@given(texts)
def test_the_edges_end_at_the_first_and_the_last_character_that_counts(text):
    edge = frozenset(EDGES)
    places = [place for place, character in enumerate(text) if character not in edge]
    assert trim(text) == (text[places[0] : places[-1] + 1] if places else "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Love ❤\ufe0f", "Love ❤\ufe0f"),
        (" ❤\ufe0f\u200b\ufe0f ", "❤\ufe0f"),
        ("5\ufe0f\u20e3\u200d", "5\ufe0f\u20e3"),
        ("葛\U000e0100\u3000", "葛\U000e0100"),
        ("ᠮ\u180b\ufeff", "ᠮ\u180b"),
        # The flag of Scotland.
        ("Kilt 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",) * 2,
        # There is no character before these that they could change.
        ("\ufe0fa", "a"), ("a \ufe0f", "a"), ("a\u200b\ufe0f", "a"), ("\ufe0f", ""), (" \ufe0f ", ""),
        ("❤\u200d", "❤"), ("a \t", "a"), ("", ""),
    ],
)  # fmt: skip
def test_a_name_keeps_what_changes_how_its_last_character_looks(text, name):
    assert trim_name(text) == name


@given(texts)
def test_a_trimmed_name_is_trimmed_once_for_all_and_keeps_selectors_only(text):
    name = trim_name(text)
    assert trim_name(name) == name and trim(name) == trim(text)
    assert all("\ufe00" <= kept <= "\U000e01ef" for kept in name[len(trim(text)) :])


@given(st.lists(texts.filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text))))
def test_arrow_trims_a_column_as_python_trims_its_cells(column):
    assert trim_column(pa.array(column, pa.string())).to_pylist() == list(map(trim, column))


@pytest.mark.parametrize(
    ("term", "searched"),
    [("\u200bSKU-1\u200e", "SKU-1"), (" \ufeffa b ", "a b"), ("red ", "red "), (" ", " "), ("\u200b", ""), ("", "")],
)
def test_a_pasted_term_is_trimmed_and_a_typed_one_keeps_its_spaces(term, searched):
    assert trim_pasted(term) == searched


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("\u200bsku\ufeff", ""),
        ("a\tb c", ""),
        ("a\x07b", "\x07"),
        ("a\0", "\0"),
        ("a\u200bb", "\u200b"),
        ("a\ue000", "\ue000"),
    ],
)
def test_a_hidden_character_is_found_inside_only(name, hidden):
    assert hidden_in(name) == hidden
