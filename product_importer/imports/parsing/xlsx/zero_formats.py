"""Show whole numbers by a number format made of zeros, such as `0000000000000` or `00000-0000`."""

import re
from typing import NamedTuple

# A language, and places for digits that are shown only where the number has them.
PREFIX = re.compile(r"(?:\[\$-[0-9A-Fa-f]{1,8}\])?(?:#+(?=0))?")
# A zero, or a text between zeros: in quotes, after a backslash, or a character that needs neither.
TOKEN = re.compile(r'(?P<zero>0)|"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<bare>[-+/() ])')
# With a single zero nothing is padded.
MIN_ZEROS = 2


class ZeroFormat(NamedTuple):
    """A format that pads a whole number with zeros: the texts before, between and after the zeros.

    `is_positive_only`: the format has further sections, for negative numbers or for zero.
    """

    texts: tuple[str, ...]
    is_positive_only: bool

    def shown(self, number: int) -> str | None:
        """Return the number as the sheet shows it; None where the format is not for it."""
        if self.is_positive_only and number <= 0:
            return None
        zeros = len(self.texts) - 1
        digits = str(abs(number)).zfill(zeros)
        # Digits beyond the zeros stand in front of the first one.
        surplus = len(digits) - zeros
        places = [digits[: surplus + 1], *digits[surplus + 1 :]]
        shown = "".join(text + place for text, place in zip(self.texts, places, strict=False)) + self.texts[-1]
        return f"-{shown}" if number < 0 else shown


def parse_zero_format(code: str | None) -> ZeroFormat | None:
    """Return the format of a number format's code; None if it is not made of at least two zeros."""
    if code is None:
        return None
    match = PREFIX.match(code)
    at, texts = match.end() if match else 0, [""]
    while at < len(code) and code[at] != ";":
        token = TOKEN.match(code, at)
        if token is None:
            return None
        if token["zero"]:
            texts.append("")
        else:
            texts[-1] += token["quoted"] or token["escaped"] or token["bare"] or ""
        at = token.end()
    return ZeroFormat(tuple(texts), at < len(code)) if len(texts) > MIN_ZEROS else None
