"""Tell whether bytes that are not UTF-8 are Windows-1252: text of a Western European language, and of no other."""

import re

from chardetng_py import EncodingDetector as LanguageModels

# Python's names of encodings that it does not know as the model calls them.
CODECS = {"windows-874": "cp874", "iso-8859-8-i": "iso-8859-8"}
# A word with a high byte is looked at with so many bytes before and behind; a longer run counts as several.
WINDOW = 32
# Of a long text the first words count, then the first ones of each block of so many bytes.
FIRST_WORDS, BLOCK_BYTES, BLOCK_WORDS = 5_000, 64 * 1024, 16
# Words are judged as soon as there are so many different ones, which bounds the memory that they take.
MAX_WORDS = 2_000
# A longer text may hold a misprint or a foreign name: from so many words on, and this share of them.
MIN_TOLERANT, TOLERANCE = 20, 0.02

HIGH = re.compile(rb"[\x80-\xff]{1,%d}" % WINDOW)
# What separates words: all of these become spaces.
SEPARATED = bytes(32 if byte <= 32 or byte in b'",;|/' else byte for byte in range(256))

# How the following begins; found far faster.
LEAD = re.compile(rb"[\xc2-\xdb\xe0-\xf0][\x80-\xbf]")
# UTF-8 that makes sense and that Windows-1252 would read as no word, such as `Ã©` or `â€™`. A capital letter before
# it may end a word in Windows-1252: `CAFÉ®` and a space that does not break are UTF-8 by chance.
UTF_8 = re.compile(
    rb"\xc2[\x80-\xbf]"
    rb"|\xc3[\x80-\x9f\xa1-\xa8\xaa-\xad\xaf\xb1-\xba\xbc-\xbf]|(?<![A-Z\xc0-\xde])\xc3[\xa0\xa9\xae\xb0\xbb]"
    rb"|(?<![A-Z\xc0-\xde])[\xc4\xc5][\x80-\xbf]"
    rb"|\xce[\xa9\xbc]"
    rb"|(?:[\xce\xcf][\x80-\xbf]){2}|(?:[\xd0\xd1][\x80-\xbf]){2}|(?:[\xd7-\xdb][\x80-\xbf]){2}"
    rb"|\xe1[\xba\xbb][\x80-\xbf]"
    rb"|\xe2[\x80-\x9e][\x80-\xbf]"
    rb"|(?:[\xe0\xe3-\xed][\x80-\xbf]{2}){2}"
    rb"|\xef\xbb\xbf"
    rb"|\xf0\x9f[\x80-\xbf]{2}"
)
LETTER = "A-Za-zÀ-ÖØ-öø-ÿŠšŒœŽžŸƒ"
LOWER = "a-zß-öø-ÿšœž"
LETTERS = re.compile(f"[{LETTER}]+")
ACCENTED = "À-ÖØ-öø-ÿŠšŒœŽžŸƒ"
# Two accented letters side by side, as they occur in Western European languages. Others are rare there, and usual
# where each letter of an alphabet is a high byte.
PAIRS = (
    "éé ää öö üü õõ åå ëë äö öä öü üö öå åö åä üä õü äõ öõ üõ üß öß äß çã çõ çá çó çú çé çí çà çâ çê çû éç íç ñá ñé"
    " ñí ñó ñú üí áð íð óð úð ýð æð öð éð þá þé þí þó þú þý þæ þö ðá ðó ðú ðæ ðö øð íþ áþ óþ"
)
PAIR = "|".join(PAIRS.split())
# Symbols that stand inside no word, and beside no accented letter.
ODD_INSIDE = "¡¢£¤¥¦§¨©ª«¬¯±²³µ¶¸¹º»¼½¾¿‚„†‡ˆ‰‹‘“”•˜›€"
ODD_BESIDE = "¢£¤¥¦¨ª¬¯±²³µ¶¸¹º¼½¾†‡ˆ‰˜"
UNLIKELY = re.compile(
    "|".join(
        (
            f"[{LETTER}][{ODD_INSIDE}][{LETTER}]",
            f"[{ACCENTED}][{ODD_BESIDE}]|[{ODD_BESIDE}§°][{ACCENTED}]|(?<![lL])·[{ACCENTED}]",
            # Several symbols side by side.
            "[¡-¨ª¬-¯²-¸º¹¼-¿†‡ˆ‰˜ƒ•×÷°±]{2}|¤",
            f"[×÷][{ACCENTED}]|[{ACCENTED}][×÷]|[¿¡][À-Þ](?![a-z])|¡[A-Z][0-9]|µ[A-Za-z]{{4}}",
            f"[{LOWER}][À-ÖØ-ÞŠŒŽŸ]",
            f"(?i:(?!{PAIR})[{ACCENTED}][{ACCENTED}])",
            # What words in encodings of the Macintosh, of DOS and of East Asia become.
            f"ƒ[{LETTER}]|[{LETTER}]ƒ|[A-Z][ŽŠŒŸ][a-z]|™[a-z]|[a-z]{{3}}[–—][a-z](?![{LETTER}])|[{LETTER}][‚‹„¡¿†‡•]",
            "[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ]š[b-df-hj-np-tv-xz]|(?<![A-Za-z])Ž[b-df-hj-np-tv-xz]|€[a-z]|[a-z]£",
            f"(?<![0-9])×[a-z]|[a-z]\xa0[b-df-np-xz](?![{LETTER}])|[0-9][¿¡¨]|¨[A-Z0-9]",
            # What Polish, Czech, Hungarian, Romanian, Baltic and Turkish words become.
            f"[£¥][{LETTER}]|(?<![{LETTER}0-9])[¹²³][{LETTER}]|¿[a-zß-ÿ]|[{LETTER}]¹|(?<![0-9A-Za-z])[ªº][{LETTER}]",
            f"(?i:(?<![A-Za-z])(?!ère)è[{LETTER}]|[ae]è(?!re|me)|è[aeiouáéíóúý]|ètin)",
            f"[ìù][{LETTER}]|(?<![{LETTER}])[ïë]|øi|øe(?![rn])[{LETTER}]",
            f"(?i:(?<=[{LETTER}])ñ(?![aeiouáéíóúü])|(?<![{LETTER}])ñ(?=[{LETTER}])(?![aeiouáéíóúü]))",
            "(?i:œ(?!u|il|n[oi]|d[eiè]|t[ua]|s[ot]|li))",
            "(?i:[aiouyóê]æ|eæ(?!r)|æ[wc])",
            "iê(?!n)|ê[kwzgbdfjh]",
            f"(?i:ã(?=[{LETTER}])(?![oeis]))",
            f"(?i:ç(?=[{LETTER}])(?![aeiouâãõáóúàûêéíôëè]))",
            f"(?i:(?<![{LETTER}])ð)",
        )
    )
)
# Letters of another language in another encoding, unless enough words of the text have those beside them: Icelandic
# rather than Turkish, Estonian rather than Hungarian.
ICELANDIC = re.compile("(?i:[ðþý])"), re.compile("(?i:[áíóú])")
DEPENDENT = (
    ICELANDIC,
    (re.compile("(?i:õ(?!e))"), re.compile("(?i:ä)")),
)
# Parts of words that no language has whose letters another encoding has in their place.
CERTAIN = re.compile(
    f"(?i:ñ[aeiouáéíóú]|ão|ãe|õe|çã|çon|ê[nm]|[fvb]êt|quê|forêt|arrêt|êtr|crêp|rêv|œu|œil|æisk|øer(?:ne)?(?![{LETTER}])|aï[sfvqelrnbdt]|oï[sqd]|[gr]eï|uïn|dì(?![{LETTER}]))"
)


class WesternEvidence:
    """Collects the words with high bytes of a text that passes in pieces; what is found does not depend on these.

    `has_utf_8` if some of it is UTF-8 rather than Windows-1252. This is complete once the last bytes were fed.
    """

    def __init__(self) -> None:
        self.has_utf_8 = False
        self._words: dict[bytes, None] = {}
        self._is_western = True
        self._found = self._found_in_block = 0
        self._block = -1
        # The last bytes: what may precede a word, then from `_next` on what was not searched for words.
        self._rest = b""
        self._next = 0
        # The offset of the first of these. What begins there was found before, unless it is 0.
        self._offset = 0

    def pass_ascii(self, chunk: bytes) -> None:
        """Go on after bytes of which none is high."""
        if not self._rest.isascii():
            self.feed(chunk)
            return
        rest = (self._rest + chunk[-WINDOW:])[-WINDOW:]
        passed = len(self._rest) + len(chunk) - len(rest)
        self._rest, self._next = rest, max(len(rest), self._next - passed)
        self._offset += passed

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Collect from the next bytes; `final` with the last ones."""
        text = self._rest + chunk
        self._find_utf_8(text)
        complete = len(text) if final else len(text) - 2 * WINDOW
        position = self._next
        while (found := HIGH.search(text, position)) is not None and found.start() < complete:
            position = self._after_block(found.start())
            if position == found.start():
                position = found.end()
                before = text[max(0, found.start() - WINDOW) : found.start()].translate(SEPARATED).rpartition(b" ")[2]
                behind = text[position : position + WINDOW].translate(SEPARATED).partition(b" ")[0]
                self._add(before + found[0] + behind)
        self._keep(text, max(position, len(text)) if found is None else found.start())

    def _find_utf_8(self, text: bytes) -> None:
        if not self.has_utf_8:
            leads = LEAD.finditer(text, min(1, self._offset))
            self.has_utf_8 = any(UTF_8.match(text, lead.start()) for lead in leads)

    def _after_block(self, place: int) -> int:
        """Count a word that begins at a place; return the place of the next block if this one has had enough."""
        self._found += 1
        block, into = divmod(self._offset + place, BLOCK_BYTES)
        if block != self._block:
            self._block, self._found_in_block = block, 0
        self._found_in_block += 1
        is_enough = self._found > FIRST_WORDS and self._found_in_block > BLOCK_WORDS
        return place + BLOCK_BYTES - into if is_enough else place

    def _add(self, word: bytes) -> None:
        try:
            word.decode()
        except UnicodeDecodeError:
            self._words[word] = None
        if len(self._words) >= MAX_WORDS:
            self._judge()

    def _judge(self) -> None:
        words = [word.decode("cp1252", "replace") for word in self._words]
        self._is_western = self._is_western and is_western_text(words) and _sounds_western(words)
        self._words = {}

    def _keep(self, text: bytes, position: int) -> None:
        start = max(0, min(position, len(text)) - WINDOW)
        self._offset += start
        self._rest, self._next = text[start:], position - start

    def is_western(self) -> bool:
        """Whether all that is not UTF-8 is likely to be Windows-1252, after the last bytes were fed."""
        if self._words:
            self._judge()
        return self._is_western


def is_western_text(words: list[str]) -> bool:
    """Whether words with accented letters and symbols look like those of Western European languages."""
    foreign = [letters for letters, beside in DEPENDENT if not _has(words, letters, beside)]
    tolerated, misprint = TOLERANCE * len(words), len(words) >= MIN_TOLERANT
    return _count(words, *foreign) <= tolerated and _count(words, UNLIKELY, *foreign) <= tolerated + misprint


def _has(words: list[str], letters: re.Pattern[str], beside: re.Pattern[str]) -> bool:
    """Whether words have the letters of a language, and enough of them its other letters."""
    count = _count(words, letters)
    return 0 < count <= 4 * _count(words, beside)


def _count(words: list[str], *patterns: re.Pattern[str]) -> int:
    return sum(any(pattern.search(word) for pattern in patterns) for word in words)


def _sounds_western(words: list[str]) -> bool:
    """Whether a model of languages takes words for Windows-1252, or what it takes them for is less certain."""
    # Symbols, as that of a diameter, are in no language: what is left are the words with an accented letter.
    words = [
        letters
        for word in words
        for letters in LETTERS.findall(word)
        if not letters.isascii() and letters not in "Øø"
    ]
    read = [word.encode("cp1252") for word in words]
    models = LanguageModels()
    models.feed(b" ".join(read), last=True)
    guess = models.guess(tld=None, allow_utf8=False).lower()
    if not words or guess in ("windows-1252", "iso-8859-4") or _has(words, *ICELANDIC):
        return True
    codec = CODECS.get(guess, guess)
    other = [word for word, letters in zip(words, read, strict=True) if letters.decode(codec, "replace") != word]
    certain = _count(other, CERTAIN)
    return (len(other) - certain) * 3 <= certain
