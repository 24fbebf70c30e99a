"""Windows-1252 is taken for text of Western European languages alone, and for that even with one such letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from product_importer.imports.parsing.western_text import FIRST_WORDS, MAX_WORDS, WesternEvidence

WORDS = """
Käse|Café|5 €|€ 5|10–20 cm|it’s|20°C|20 °C|LEGO® Set|½ l|1½ Zoll|Straße|España|Piñata|ñandú|ä|é|ü|®|°|±5|100 µm|m²
10 m³|3×4|“quoted”|„Zitat“|«café»|…mehr|crème brûlée|œuvre|cœur|Citroën|naïve|Noël|CAFÉ®|l’été|¿Qué es?|¡Hola!|nº 5
1ª calidad|São Paulo|pão de ló|ações|maçã|MÜLLER|ÄÖÜ äöü ß|Ø 5 mm|Smørrebrød|Blåbær|Åland|pâté|forêt|août|où|très|Île
È buono|caffè|più|perché|così|lunedì|pingüino|Fußbälle|weiß|© 2020|Brand™|§ 5|col·lecció|£5|¥100|50 ¢|¾|• Punkt|a–b
word—word|5’10”|5 ‰|Þór Þórsson|ráðgjöf|mañana|fête|à la carte|Façade|soupçon|você|QUALITÉ\xa0: haute|–|’|½|ñ|€|ß
"""
WESTERN = [word for line in WORDS.strip().splitlines() for word in line.split("|")]
CENTRAL_EUROPE = """
Młotek|Łyżka|Żółty|kość|ręka|ciężki|koń|mąka|są|śruba|żarówka|świeca|wąż|zęby|książka|hřebík|nůž|město|černý|červená
Čaj|dřevo|tři|bőr|kő|tűz|maşină
"""
OTHER = [
    ("windows-1250", CENTRAL_EUROPE.strip().replace("\n", "|")),
    ("windows-1251", "Чашка|чай|мёд|Дім|Їжа|№5 чай|Молоток"),
    ("windows-1253", "Κούπα|Τσάι|τιμή"),
    ("windows-1254", "Bardağı|Işık|Kırmızı|yeşil|Şeker|İğne|dağ"),
    ("windows-1255", "כוס"),
    ("windows-1256", "كوب"),
    ("windows-1257", "šķīvis|puodelis ąčę|žalias"),
    ("cp874", "ถ้วย"),
    ("gbk", "茶|杯子|白色陶瓷茶杯"),
    ("cp932", "カップ|商品"),
    ("euc-jp", "茶碗"),
    ("cp949", "컵|망치"),
    ("big5", "茶杯"),
    ("koi8-r", "Чашка"),
    ("ibm866", "Чашка"),
    ("mac-roman", "Größe|Café|España"),
    ("cp850", "Größe|Café"),
    ("iso-8859-15", "5 €"),
]


def evidence(content: bytes, piece: int = 1_000) -> WesternEvidence:
    found = WesternEvidence()
    for start in range(0, len(content), piece):
        part = content[start : start + piece]
        (found.pass_ascii if part.isascii() else found.feed)(part)
    found.feed(b"", final=True)
    return found


def is_western(text: bytes) -> bool:
    content = b"sku,name,description\nA-1," + text + b",plain text\n"
    try:
        content.decode("windows-1252")
    except UnicodeDecodeError:
        return False
    found = evidence(content)
    return found.is_western() and not found.has_utf_8


@pytest.mark.parametrize("text", WESTERN)
def test_one_western_word_is_taken(text):
    assert is_western(text.encode("windows-1252"))


@pytest.mark.parametrize(
    ("encoding", "word"), [(encoding, word) for encoding, words in OTHER for word in words.split("|")]
)
def test_one_word_in_another_encoding_is_not_taken(encoding, word):
    assert not is_western(word.encode(encoding))


def test_all_western_words_together_are_taken():
    assert is_western("\n".join(WESTERN).encode("windows-1252"))


@pytest.mark.parametrize(
    "later", ["Café", "l’été", "5 €", "Größe", "Чай", "Κούπα", "茶杯茶杯", "SEÑOR", "→", "½", "😀", "\ufeffsku"]
)
def test_utf_8_behind_windows_1252_speaks_against_it(later):
    found = evidence("Crème,ü\n".encode("windows-1252") * 300 + later.encode() + b"\n")
    assert (found.has_utf_8, found.is_western()) == (True, True)


@pytest.mark.parametrize("text", ["CAFÉ®", "QUALITÉ\xa0: ", "« café\xa0»", "SMÅ®", "está…”", "MAÇÃ®"])
def test_windows_1252_that_is_utf_8_by_chance_is_taken(text):
    assert is_western(text.encode("windows-1252"))


def test_a_long_text_may_hold_a_foreign_name_but_not_many():
    words = "\n".join(WESTERN).encode("windows-1252")
    assert is_western(words + "\nŁódź\n".encode("windows-1250").replace(b"\x9f", b""))
    assert not is_western(words + "\nŻółty\nkość\nŁyżka\nżarówka\nświeca\nwąż\n".encode("windows-1250"))


@pytest.mark.parametrize("lead", [10, FIRST_WORDS, 3 * MAX_WORDS])
def test_another_encoding_in_the_middle_of_a_long_text_is_found(lead):
    western = b"".join("Größe {}ö\n".format("x" * (number % 20)).encode("windows-1252") for number in range(lead))
    other = "Чашка белая фарфоровая\n".encode("windows-1251") * 10_000
    assert not evidence(western + other + western).is_western()


LETTERS = [b"Gr\xf6\xdfe ", b"\xd7\xe0\xf8\xea\xe0\n", b"\xe9" * 40, b"\xc3\xa9", b"\xc4\xae"]


@given(st.lists(st.sampled_from([*LETTERS, b"A", b"a,", b"x" * 40, b"\n"]), max_size=60))
def test_what_is_found_does_not_depend_on_where_the_bytes_are_cut(parts):
    content = b"".join(parts)
    found = [evidence(content, piece) for piece in (1, 2, 7, 64, max(1, len(content)))]
    assert len({(one.has_utf_8, tuple(one._words), one.is_western()) for one in found}) == 1
