"""Many readings of a line at once: strictly, with quotes too many or too few, or forgiving quotes inside fields.

A reading of a record is where it stands in the grammar of CSV, and how many delimiters of the record lie behind it.
Each of the four places is a number whose bit n stands for n delimiters, so that a step of all readings is one
operation, however many there are. It is how agrep finds words with errors (Wu and Manber, 1992).

A line is taken in steps: some quotes, and the text up to the next ones, with all its delimiters. Its end counts as
one more delimiter.
"""

import re
from functools import lru_cache
from typing import NamedTuple

# The numbers of readings inside a line: at the beginning of a field, inside a bare one, a quoted one, behind a quote.
Places = tuple[int, int, int, int]
# Those of a family.
Stand = tuple[Places, ...]
# So many steps of readings are remembered, and the steps of so many lines that are no longer than this.
MAX_KNOWN = 8_192
MAX_LINES = 256
MAX_LINE = 1_000


class Readings(NamedTuple):
    """Where readings stand between two lines, and there between two records, or inside a quoted field."""

    begun: int = 0
    quoted: int = 0

    def __or__(self, other: "Readings") -> "Readings":
        return Readings(self.begun | other.begun, self.quoted | other.quoted)

    def without(self, other: "Readings") -> "Readings":
        """Return those of these readings that are not among the others."""
        return Readings(self.begun & ~other.begun, self.quoted & ~other.quoted)


NONE = Readings()
BETWEEN = Readings(begun=1)

# Readings without a mistake yet, with one, and with two where these are looked for; last, those that forgive quotes.
Family = tuple[Readings, ...]


class Step(NamedTuple):
    """So many quotes and the text behind them: its delimiters, and whether it begins or ends with one.

    `is_at_begin`: the quotes stand behind a delimiter, or at the beginning of the line.
    """

    is_at_begin: bool
    quotes: int
    delimiters: int
    leads: bool
    trails: bool


class Grammar:
    """The CSV of one delimiter whose records have `width` fields; any number where that is 0."""

    def __init__(self, delimiter: str, width: int):
        self._quotes = re.compile('("+)')
        self._delimiter = delimiter
        self._by = 1 if width else 0
        self._width = width
        self._last = max(width - 1, 0)
        self._all = (1 << width) - 1 if width else 1
        self._most = (2 << width) - 1 if width else 1
        # The same steps and lines come again and again: what becomes of the same readings there is remembered.
        self._steps = lru_cache(MAX_LINES)(self._steps_of)
        self._after = lru_cache(MAX_KNOWN)(self._after_step)
        self._ended = lru_cache(MAX_KNOWN)(self._at_end)
        self._behind_plain = lru_cache(MAX_KNOWN)(self._behind_a_plain_line)

    def anywhere_inside(self) -> Readings:
        """Return those for which a line begins inside a quoted field."""
        return Readings(quoted=self._all)

    def behind(self, line: str, family: Family, may_err: bool) -> Family:
        """Return where a family stands behind a line; those that it contradicts are gone.

        Those without a mistake, or with some, read strictly. If they may err, quotes of the line may be too many, or
        be missing in it; but only one in a line without quotes. The last readings are those for which a quote inside
        a quoted field closes it before a delimiter or a line's end only. A quote that looks as if it opened a field,
        and would be inside of one, contradicts them.
        """
        if '"' not in line:
            is_empty = not line.strip("\r\n")
            return self._behind_plain(line.count(self._delimiter), is_empty, family, may_err)
        stand = tuple((begun, 0, quoted, 0) for begun, quoted in family)
        for step in self._steps(line) if len(line) <= MAX_LINE else self._steps_of(line):
            stand = self._after(stand, step, may_err)
        return self._ended(stand)

    def _steps_of(self, line: str) -> list[Step]:
        mark = self._delimiter
        first, *pieces = self._quotes.split(line.rstrip("\r\n") + mark)
        texts = [first, *pieces[1::2]]
        steps = [
            Step(not before or before[-1] == mark, len(quotes), text.count(mark), text[0] == mark, text[-1] == mark)
            for before, quotes, text in zip(texts[:-1], pieces[::2], texts[1:], strict=True)
        ]
        return [Step(True, 0, first.count(mark), first[0] == mark, first[-1] == mark), *steps] if first else steps

    def _at_end(self, stand: Stand) -> Family:
        behind = (Readings(begun >> self._width & 1, quoted & self._all) for begun, _, quoted, _ in stand)
        return _once(tuple(behind))

    def _behind_a_plain_line(self, delimiters: int, is_empty: bool, family: Family, may_err: bool) -> Family:
        fits = int(not self._by or delimiters == self._last or is_empty)
        behind = [Readings(begun & fits, quoted) for begun, quoted in family]
        if may_err:
            for place, readings in enumerate(family[:-2], start=1):
                behind[place] |= self._mistaken_without_quotes(delimiters * self._by, readings)
        return _once(tuple(behind))

    def _mistaken_without_quotes(self, delimiters: int, readings: Readings) -> Readings:
        """Return where they stand if a quote opens a field in the line, or closes one at a delimiter or its end."""
        opened = self._all & ((2 << delimiters) - 1) if readings.begun else 0
        closed = readings.quoted >> max(self._last - delimiters, 0)
        return Readings(int(closed > 0), opened)

    def _after_step(self, stand: Stand, step: Step, may_err: bool) -> Stand:
        *strict, forgiving = stand
        if step.quotes:
            forgiving = _after_forgiven_quotes(step, forgiving)
            strict = _after_quotes(step.quotes, strict, may_err)
        behind = [self._after_text(step, places) for places in strict]
        if may_err:
            for place, places in enumerate(strict[:-1], start=1):
                behind[place] = _either(behind[place], self._after_text_with_a_quote(step, places))
            for place, places in enumerate(strict[:-2], start=2):
                behind[place] = _either(behind[place], self._after_text_with_two_quotes(step, places))
        return (*behind, self._after_text(step, forgiving))

    def _after_text(self, step: Step, places: Places) -> Places:
        begun, bare, quoted, closed = places
        outside = begun | bare | closed if step.leads else begun | bare
        outside = outside << step.delimiters * self._by & self._most
        return (outside, 0, quoted, 0) if step.trails else (0, outside, quoted, 0)

    def _after_text_with_a_quote(self, step: Step, places: Places) -> Places:
        """Return where those stand that one quote more opens where a field begins, or closes before a delimiter."""
        begun, bare, quoted, closed = places
        outside = begun | bare | closed if step.leads else begun | bare
        opened = begun | closed | self._spread(outside, step.delimiters - step.trails)
        left = self._spread(quoted, step.delimiters)
        return (left, 0, opened, 0) if step.trails else (0, left, opened, 0)

    def _after_text_with_two_quotes(self, step: Step, places: Places) -> Places:
        """Return where those stand that one quote more opens and another one closes, or the other way round.

        That a whole field is quoted changes nothing, and is left out.
        """
        begun, bare, quoted, closed = places
        outside = begun | bare | closed if step.leads else begun | bare
        left = self._spread(begun | closed, step.delimiters - step.leads)
        left |= self._spread(outside << self._by, step.delimiters - 2)
        opened = self._spread(quoted, step.delimiters - step.trails)
        return (left, 0, opened, 0) if step.trails else (0, left, opened, 0)

    def _spread(self, numbers: int, most: int) -> int:
        """Return the numbers behind one, two and up to so many delimiters."""
        spread = 0
        if numbers:
            for _ in range(min(most, self._width or 1)):
                spread = (spread | numbers) << self._by
        return spread & self._most


def _once(family: Family) -> Family:
    """Return a family without what stands where readings with fewer mistakes do: it shares their fate."""
    *strict, forgiving = family
    others = NONE
    for place, readings in enumerate(strict):
        strict[place] = readings.without(others)
        others |= readings
    return (*strict, forgiving)


def _either(some: Places, others: Places) -> Places:
    return (some[0] | others[0], some[1] | others[1], some[2] | others[2], some[3] | others[3])


def _after_quotes(count: int, levels: list[Places], may_err: bool) -> list[Places]:
    """Return where they stand behind so many quotes; one of them may be too many, or one may be missing."""
    behind = [_strictly(count, places) for places in levels]
    if may_err:
        for place, places in enumerate(levels[:-1], start=1):
            for wrong in (count - 1, count + 1):
                behind[place] = _either(behind[place], _strictly(wrong, places))
    return behind


def _strictly(quotes: int, places: Places) -> Places:
    begun, bare, quoted, closed = places
    if quotes == 0:
        return places
    return (0, bare, begun | closed, quoted) if quotes % 2 else (0, bare, quoted, begun | closed)


def _after_forgiven_quotes(step: Step, places: Places) -> Places:
    begun, bare, quoted, _ = places
    if step.leads:
        # An even number may be quotes inside the field, written twice, or the last one may close it.
        stays, closes = quoted * (step.quotes % 2 == 0), quoted
        opens = begun * (step.quotes % 2)
        return (0, bare, stays | opens, closes | begun * (step.quotes > 1))
    stays = 0 if step.quotes % 2 and step.is_at_begin else quoted
    return (0, bare, stays | begun, 0)
