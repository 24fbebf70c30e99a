"""Many readings of a line at once: strictly, with quotes too many or too few, or forgiving quotes inside fields.

A reading of a record is where it stands in the grammar of CSV, and how many delimiters of the record lie behind it.
Each of the four places is a number whose bit n stands for n delimiters, so that a step of all readings is one
operation, however many there are. It is how agrep finds words with errors (Wu and Manber, 1992).
"""

import re
from typing import NamedTuple

QUOTES, DELIMITER, END, TEXT = "quotes", "delimiter", "end", "text"


class Readings(NamedTuple):
    """Where readings stand: at the beginning of a field, inside a bare or a quoted one, or behind a closing quote.

    Between two lines only `begun`, which then means between two records, and `quoted` are not 0.
    """

    begun: int = 0
    bare: int = 0
    quoted: int = 0
    closed: int = 0

    def __or__(self, other: "Readings") -> "Readings":
        return Readings(
            self.begun | other.begun, self.bare | other.bare, self.quoted | other.quoted, self.closed | other.closed
        )

    def without(self, other: "Readings") -> "Readings":
        """Return those of these readings between two lines that are not among the others."""
        return Readings(self.begun & ~other.begun, 0, self.quoted & ~other.quoted)


NONE = Readings()
BETWEEN = Readings(begun=1)


class Token(NamedTuple):
    """So many quotes, or a delimiter, a line's end, or a text without them."""

    kind: str
    size: int


class Grammar:
    """The CSV of one delimiter whose records have `width` fields; any number where that is 0."""

    def __init__(self, delimiter: str, width: int):
        mark = re.escape(delimiter)
        self._pattern = re.compile(f'(?P<{QUOTES}>"+)|(?P<{DELIMITER}>{mark})|(?P<{TEXT}>[^"{mark}\r\n]+)')
        self._delimiter = delimiter
        self._step = 1 if width else 0
        self._all = (1 << width) - 1 if width else 1
        self._last = max(width - 1, 0)

    def anywhere_inside(self) -> Readings:
        """Return those for which a line begins inside a quoted field."""
        return Readings(quoted=self._all)

    def strictly(self, line: str, readings: Readings) -> Readings:
        """Return where readings from the beginning of a line stand behind it; those that it contradicts are gone."""
        if readings == NONE:
            return NONE
        if '"' not in line:
            return Readings(begun=readings.begun & self._fits(line), quoted=readings.quoted)
        for token in self._tokens(line):
            readings = self._after(token, readings)
        return readings

    def mistaken(self, line: str, levels: list[Readings]) -> list[Readings]:
        """Return where they stand if quotes of the line are too many, or are missing in it.

        Those of a level have made as many mistakes as its place says; each makes as many more as there are levels,
        but only one in a line without quotes.
        """
        if '"' not in line:
            opened = [NONE, *(self._mistaken_without_quotes(line, readings) for readings in levels[:-1])]
            return [self.strictly(line, readings) | more for readings, more in zip(levels, opened, strict=True)]
        for token in self._tokens(line):
            after = [self._after(token, readings) for readings in levels]
            for place, readings in enumerate(levels[:-1], start=1):
                after[place] |= self._mistaken(token, readings)
            levels = after
        return levels

    def forgivingly(self, line: str, readings: Readings) -> Readings:
        """Return where they stand if a quote inside a quoted field closes it before a delimiter or a line's end only.

        A quote that looks as if it opened a field, and would be inside of one, contradicts a reading.
        """
        if readings == NONE or '"' not in line:
            return self.strictly(line, readings)
        tokens = self._tokens(line)
        before = DELIMITER
        for token, next_token in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
            if token.kind == QUOTES:
                is_at_edge = next_token.kind in (DELIMITER, END)
                readings = _after_forgiven_quotes(token.size, readings, before == DELIMITER, is_at_edge)
            else:
                readings = self._after(token, readings)
            before = token.kind
        return readings

    def _tokens(self, line: str) -> list[Token]:
        found = [Token(str(match.lastgroup), len(match[0])) for match in self._pattern.finditer(line)]
        return [*found, Token(END, 1)]

    def _after(self, token: Token, readings: Readings) -> Readings:
        begun, bare, quoted, closed = readings
        if token.kind == TEXT:
            return Readings(0, begun | bare, quoted, 0)
        if token.kind == DELIMITER:
            return Readings(((begun | bare | closed) << self._step) & self._all, 0, quoted, 0)
        if token.kind == END:
            return Readings((begun | bare | closed) >> self._last & 1, 0, quoted, 0)
        if token.size == 0:
            return readings
        opened = begun | closed
        return Readings(0, bare, opened, quoted) if token.size % 2 else Readings(0, bare, quoted, opened)

    def _mistaken(self, token: Token, readings: Readings) -> Readings:
        """Return where they stand if a quote is missing before a token, or one of it is too many."""
        if token.kind == QUOTES:
            more, fewer = (Token(QUOTES, token.size + by) for by in (1, -1))
            return self._after(more, readings) | self._after(fewer, readings)
        return self._after(token, self._after(Token(QUOTES, 1), readings))

    def _fits(self, line: str) -> int:
        """Return 1 where a line without quotes is a record, or empty, else 0."""
        return int(not self._step or line.count(self._delimiter) == self._last or not line.strip("\r\n"))

    def _mistaken_without_quotes(self, line: str, readings: Readings) -> Readings:
        """Return where they stand if a quote opens a field in the line, or closes one at a delimiter or its end."""
        if readings == NONE:
            return NONE
        delimiters = line.count(self._delimiter) * self._step
        opened = self._all & ((2 << delimiters) - 1) if readings.begun else 0
        closed = readings.quoted >> max(self._last - delimiters, 0)
        return Readings(begun=int(closed > 0), quoted=opened)


def _after_forgiven_quotes(count: int, readings: Readings, is_behind_edge: bool, is_at_edge: bool) -> Readings:
    begun, bare, quoted, _ = readings
    if is_at_edge:
        # An even number may be quotes inside the field, written twice, or the last one may close it.
        stays, closes = quoted * (count % 2 == 0), quoted
        opens = begun * (count % 2)
        return Readings(0, bare, stays | opens, closes | begun * (count > 1))
    stays = 0 if count % 2 and is_behind_edge else quoted
    return Readings(0, bare, stays | begun, 0)
