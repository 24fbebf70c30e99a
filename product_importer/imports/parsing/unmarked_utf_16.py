"""Tell whether a text without a byte order mark is UTF-16, in any script."""

import codecs
import re
import unicodedata

# Enough bytes to tell it by: the names of some columns.
SNIFF_BYTES = 256
# What no text in UTF-8 or in an encoding that extends ASCII has.
CONTROL = re.compile(rb"[\x01-\x08\x0b\x0e-\x1f]")
# What stands between and behind the cells.
BREAKS = frozenset("\t\n\r,;|")


def unmarked_utf_16(start: bytes) -> str | None:
    """Return the UTF-16 of the beginning of a text, or None if it is none.

    Half the bytes of Latin letters are zero. Text of other scripts is known by its delimiters or line breaks; the
    bytes must make no sense otherwise.
    """
    even, odd = start[0::2].count(0), start[1::2].count(0)
    pairs = max(1, len(start) // 2)
    if odd * 2 >= pairs and even * 8 <= odd:
        return "utf-16-le"
    if even * 2 >= pairs and odd * 8 <= even:
        return "utf-16-be"
    if even + odd == 0 or _is_readable(start.replace(b"\0", b"")):
        return None
    # A zero byte at the end may be padding, which makes a break of UTF-16 of the last line break.
    texts = (start, start.rstrip(b"\0"))
    found = [name for name in ("utf-16-le", "utf-16-be") if all(_has_breaks(text, name) for text in texts)]
    return found[0] if len(found) == 1 else None


def _is_readable(start: bytes) -> bool:
    """Whether the bytes may be text in UTF-8; a character may be cut off at the end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return CONTROL.search(start) is None


def _has_breaks(start: bytes, name: str) -> bool:
    """Whether the bytes are letters and other usual characters of UTF-16 with breaks among them."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(start)
    except UnicodeDecodeError:
        return False
    usual = all(character in BREAKS or unicodedata.category(character)[0] != "C" for character in text)
    return usual and not BREAKS.isdisjoint(text)
