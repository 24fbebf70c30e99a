"""Find the encodings that a text may be in, for a person to choose from by its first lines."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise

from chardetng_py import EncodingDetector as LanguageModels

from product_importer.core.errors import Invalid
from product_importer.imports.options import BY_STANDARD
from product_importer.imports.parsing.text_codecs import decoder_of
from product_importer.imports.parsing.western_text import is_western_text

MAX_ENCODINGS = 5
# The lines that the encodings are found by, in bytes, and the beginning of each that counts.
MAX_SAMPLE_BYTES, MAX_LINE_BYTES = 64 * 1024, 4 * 1024
PREVIEW_LINES, PREVIEW_CHARACTERS = 3, 120
# The model says what a text most likely is in a country: the first for no country, the others by their domains.
COUNTRIES = (
    None, b"ru", b"ua", b"gr", b"tr", b"pl", b"hu", b"lt", b"il", b"ir", b"th", b"vn", b"jp", b"cn", b"tw", b"kr",
)  # fmt: skip
# Encodings of Western European text; the model does not know the others.
WESTERN = ("windows-1252", "iso-8859-15", "mac-roman")
# What the model may mean by encodings that are not offered: people use these for the same languages.
MEANT = BY_STANDARD | {"iso-8859-8": "windows-1255", "iso-8859-8-i": "windows-1255", "iso-8859-4": "windows-1257"}
# What else a text of a few words may be in: too few for the model.
FEW_WORDS = 3
COMMON = ("windows-1251", "windows-1250", "windows-1253", "windows-1254")
# Encodings of which people rather know another that reads the same.
BETTER_KNOWN = {"iso-8859-2": "windows-1250", "iso-8859-7": "windows-1253", "koi8-u": "koi8-r"}
WORD = re.compile(r'[^\x00-\x20",;\t|/]+')
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# A symbol between letters, and what no text holds.
SENSELESS = re.compile(r"[^\W\d_][¡-¿×÷][^\W\d_]|[\x80-\x9f\ue000-\uf8ff]")
# Scripts whose letters stand side by side in words, by the first word of their names.
EAST_ASIAN = {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH", "FULLWIDTH", "HANGUL", "IDEOGRAPHIC"}
# From this share of words on that mix scripts, an encoding is not likely.
MAX_MIXED = 0.2


def with_likely_encodings(error: Invalid, read: Callable[[], Iterator[bytes]]) -> Invalid:
    """Return the error that a text is not readable, with the encodings it may be in: only those that read all of it.

    `read` returns the text from its beginning, in pieces.
    """
    sample = _sample(read())
    likely = _that_read(_guesses(b"\n".join(sample)), read())[:MAX_ENCODINGS]
    encodings = [{"encoding": name, "preview": _preview(sample, name)} for name in likely]
    return Invalid(
        f"{error.detail}{_advice(likely)}", kind=error.kind, title=error.title, **error.extra, encodings=encodings
    )


def _advice(likely: list[str]) -> str:
    if not likely:
        return ""
    named = " or ".join(filter(None, (", ".join(likely[:-1]), likely[-1])))
    return f" It may be {named}: `encodings` shows its first lines in each; send, for example, encoding={likely[0]}."


def _sample(pieces: Iterable[bytes]) -> list[bytes]:
    """Return the beginnings of the first lines that have bytes beyond ASCII."""
    lines: list[bytes] = []
    size, rest = 0, b""
    for piece in pieces:
        *whole, rest = re.split(rb"[\r\n]+", rest + piece)
        for line in whole:
            if not line.isascii():
                lines.append(_beginning(line))
                size += len(lines[-1])
        # Of a line that does not end, more would not be looked at.
        rest = rest[:MAX_LINE_BYTES]
        if size >= MAX_SAMPLE_BYTES:
            return lines
    return lines if rest.isascii() else [*lines, _beginning(rest)]


def _beginning(line: bytes) -> bytes:
    """Return a line, cut off at a byte that is part of no longer character if it is long."""
    cut = line[:MAX_LINE_BYTES]
    return cut if len(line) < MAX_LINE_BYTES else cut[: max(map(cut.rfind, (b" ", b",", b'"', b"\t", b"-"))) + 1]


def _guesses(lines: bytes) -> list[str]:
    """Return the encodings that lines are likely to be in, the most likely first."""
    models = LanguageModels()
    models.feed(lines, last=True)
    names = [models.guess(tld=country, allow_utf8=False).lower() for country in COUNTRIES]
    found = [MEANT[name] for name in names if name in MEANT]
    tried = (*found, *WESTERN, *COMMON, *BETTER_KNOWN.values())
    readable = {name: text for name in tried if (text := _decoded(lines, name)) is not None}
    western = [name for name in WESTERN if name in readable and _is_western(readable[name])]
    possible = (*found, *COMMON) if len(_words(lines.decode("latin-1"))) <= FEW_WORDS else found
    likely = [name for name in possible if name in readable and ([name] == found[:1] or _makes_sense(readable[name]))]
    # Of encodings in which the lines are the same, the first.
    by_text: dict[str, str] = {}
    for name in (*western[:1], *likely, *western):
        known = BETTER_KNOWN.get(name, name)
        by_text.setdefault(readable[name], known if readable.get(known) == readable[name] else name)
    return list(by_text.values())


def _is_western(text: str) -> bool:
    """Whether the text is in a language of Western Europe, and has no letter or symbol that Windows-1252 has not."""
    try:
        text.encode("windows-1252")
    except UnicodeEncodeError:
        return False
    return is_western_text(_words(text))


def _decoded(lines: bytes, name: str) -> str | None:
    try:
        return decoder_of(name).decode(lines, final=True)
    except UnicodeDecodeError:
        return None


def _words(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if not word.isascii()]


def _makes_sense(text: str) -> bool:
    """Whether hardly a word has letters of several scripts, or of both cases in disorder, or a symbol among them."""
    words = _words(text)
    return sum(_is_mixed(word) for word in words) <= MAX_MIXED * len(words)


def _is_mixed(word: str) -> bool:
    scripts = [_script(letter) for letter in word]
    others = {script for script in scripts if script not in ("", "ASCII")}
    return (
        len(others) > 1
        or SENSELESS.search(word) is not None
        or any(one.islower() and other.isupper() and other > "\x7f" for one, other in pairwise(word))
        or ("LATIN" not in others and any({"ASCII"} < {*pair} and "" not in pair for pair in pairwise(scripts)))
    )


def _script(character: str) -> str:
    """Return the script of a letter, "ASCII" for a small letter of it; nothing for what stands beside any letter."""
    if not character.isalpha() or "A" <= character <= "Z":
        return ""
    name = "ASCII" if character <= "z" else unicodedata.name(character, "").partition(" ")[0]
    return "CJK" if name in EAST_ASIAN else name


def _that_read(names: Iterable[str], pieces: Iterable[bytes]) -> list[str]:
    """Return the encodings in which all of a text can be read."""
    decoders = {name: decoder_of(name) for name in names}
    for piece, is_last in chain(((piece, False) for piece in pieces), [(b"", True)]):
        for name, decoder in list(decoders.items()):
            try:
                decoder.decode(piece, is_last)
            except UnicodeDecodeError:
                del decoders[name]
        if not decoders:
            break
    return list(decoders)


def _preview(lines: list[bytes], name: str) -> list[str]:
    """Return the first lines that an encoding makes a difference to, from shortly before that place."""
    return [_shown(decoder_of(name).decode(line, final=True)) for line in lines[:PREVIEW_LINES]]


def _shown(line: str) -> str:
    start = next((place for place, character in enumerate(line) if not character.isascii()), 0)
    begin = max(0, start - PREVIEW_CHARACTERS // 2) if len(line) > PREVIEW_CHARACTERS else 0
    cut = line[begin : begin + PREVIEW_CHARACTERS]
    return CONTROL.sub(" ", f"{'…' if begin else ''}{cut}{'…' if begin + len(cut) < len(line) else ''}")
