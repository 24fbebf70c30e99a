"""Trim the edges of SKUs, names and column names: outer white space and invisible characters do not count."""

import re

# Default_Ignorable_Code_Point in DerivedCoreProperties.txt of Unicode 16.0.0: what shows nothing by itself, such as
# the zero width space, direction marks, the soft hyphen and the byte order mark. First and last of each range.
INVISIBLE_RANGES = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
INVISIBLE = "".join(chr(code) for first, last in INVISIBLE_RANGES for code in range(first, last + 1))
# What `str.strip` removes.
SPACES = "".join(filter(str.isspace, map(chr, range(0x3001))))
# What does not count at an edge, in any mixture.
EDGES = SPACES + INVISIBLE

# Invisible characters that change how the one before them looks: variation selectors, as in ❤️, and the tags of flags.
SELECTORS = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]+")

_EDGE_SET = frozenset(EDGES)


def trim(text: str) -> str:
    """Return a text without the white space and the invisible characters at its edges."""
    stripped = text.strip()
    # Nothing invisible is ASCII, and most texts are; the long strip is only for those that need it.
    if stripped.isascii() or not (stripped[0] in _EDGE_SET or stripped[-1] in _EDGE_SET):
        return stripped
    return stripped.strip(EDGES)


def trim_name(text: str) -> str:
    """Return a text as `trim` does, but with the selectors right behind its last visible character.

    They are part of that character. Keys are made without them, so SKUs and column names are not trimmed so.
    """
    trimmed = trim(text)
    if not trimmed or text.isascii():
        return trimmed
    kept = SELECTORS.match(text, text.index(trimmed) + len(trimmed))
    return trimmed + kept[0] if kept else trimmed


def trim_pasted(text: str) -> str:
    """Return a search term without invisible edges, where it has any; other terms keep their outer spaces."""
    trimmed = trim(text)
    return text if trimmed == text.strip() else trimmed


def hidden_in(text: str) -> str:
    """Return the first character inside a text that shows nothing and is no space, such as a control character."""
    inside = "".join(trim(text).split())
    # The whole text first, which is fast.
    return "" if inside.isprintable() else next(letter for letter in inside if not letter.isprintable())
