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
# Quotes, or none at the beginning of a line, and the text behind them.
STEP = re.compile('("*)([^"]+)')
# So much is remembered of what becomes of readings, for lines and for steps that have at most so many characters.
MAX_KNOWN = 4_096
MAX_LINE = 1_000
MAX_STEP = 200
# The shapes of so many lines are remembered: those around a fault are read several times.
MAX_SHAPES = 256


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


class Text(NamedTuple):
    """A text without quotes: how many delimiters are in it, and whether it begins or ends with one."""

    delimiters: int
    leads: bool
    trails: bool


class Stand(NamedTuple):
    """Where a family stands inside a line; `is_at_begin` tells whether a delimiter is behind it, or nothing."""

    strict: tuple[Places, ...]
    forgiving: Places
    is_at_begin: bool


class Grammar:
    """The CSV of one delimiter whose records have `width` fields; any number where that is 0."""

    def __init__(self, delimiter: str, width: int):
        self._text = re.compile(f'[^"{re.escape(delimiter)}]+')
        self._delimiter = delimiter
        self._by = 1 if width else 0
        self._width = width
        self._last = max(width - 1, 0)
        self._all = (1 << width) - 1 if width else 1
        self._most = (2 << width) - 1 if width else 1
        # Most lines of a file have few shapes, and others still have the same steps: what becomes there of the same
        # readings is remembered.
        self._shape = lru_cache(MAX_SHAPES)(self._shape_of)
        self._behind = lru_cache(MAX_KNOWN)(self._behind_shape)
        self._after = lru_cache(MAX_KNOWN)(self._after_step)
        self._ended = lru_cache(MAX_KNOWN)(self._at_end)

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
        if len(line) > MAX_LINE:
            return self._behind_shape(self._shape_of(line), family, may_err)
        return self._behind(self._shape(line), family, may_err)

    def _shape_of(self, line: str) -> str:
        """Return a line without its break, in which one letter stands for each text between delimiters and quotes."""
        return self._text.sub("x", line.rstrip("\r\n"))

    def _behind_shape(self, shape: str, family: Family, may_err: bool) -> Family:
        if '"' not in shape:
            return self._behind_a_plain_line(shape, family, may_err)
        *strict, forgiving = [(begun, 0, quoted, 0) for begun, quoted in family]
        stand = Stand(tuple(strict), forgiving, True)
        for quotes, text in STEP.findall(shape + self._delimiter):
            after = self._after if len(quotes) + len(text) <= MAX_STEP else self._after_step
            stand = after(stand, quotes, text, may_err)
        return self._ended(stand)

    def _at_end(self, stand: Stand) -> Family:
        places = (*stand.strict, stand.forgiving)
        return _once(tuple(Readings(begun >> self._width & 1, quoted & self._all) for begun, _, quoted, _ in places))

    def _behind_a_plain_line(self, shape: str, family: Family, may_err: bool) -> Family:
        delimiters = shape.count(self._delimiter)
        fits = int(not self._by or delimiters == self._last or not shape)
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

    def _after_step(self, stand: Stand, quotes: str, text: str, may_err: bool) -> Stand:
        strict, forgiving, is_at_begin = stand
        gap = Text(text.count(self._delimiter), text.startswith(self._delimiter), text.endswith(self._delimiter))
        if quotes:
            forgiving = _after_forgiven_quotes(len(quotes), forgiving, is_at_begin, gap.leads)
            strict = _after_quotes(len(quotes), strict, may_err)
        behind = [self._after_text(gap, places) for places in strict]
        if may_err:
            for place, places in enumerate(strict[:-1], start=1):
                behind[place] = _either(behind[place], self._after_text_with_a_quote(gap, places))
            for place, places in enumerate(strict[:-2], start=2):
                behind[place] = _either(behind[place], self._after_text_with_two_quotes(gap, places))
        return Stand(tuple(behind), self._after_text(gap, forgiving), gap.trails)

    def _after_text(self, text: Text, places: Places) -> Places:
        outside = _outside(text, places) << text.delimiters * self._by & self._most
        return _behind(text, outside, quoted=places[2])

    def _after_text_with_a_quote(self, text: Text, places: Places) -> Places:
        """Return where those stand that one quote more opens where a field begins, or closes before a delimiter."""
        begun, _, quoted, closed = places
        opened = begun | closed | self._spread(_outside(text, places), text.delimiters - text.trails)
        return _behind(text, self._spread(quoted, text.delimiters), opened)

    def _after_text_with_two_quotes(self, text: Text, places: Places) -> Places:
        """Return where those stand that one quote more opens and another one closes, or the other way round.

        To quote a whole field is no change; those for which that was done are among the others anyway.
        """
        begun, _, quoted, closed = places
        left = self._spread(begun | closed, text.delimiters)
        left |= self._spread(_outside(text, places) << self._by, text.delimiters - 1)
        return _behind(text, left, self._spread(quoted, text.delimiters - text.trails))

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


def _outside(text: Text, places: Places) -> int:
    """Return the numbers of those that read a text as being outside quotes."""
    begun, bare, _, closed = places
    return begun | bare | closed if text.leads else begun | bare


def _behind(text: Text, outside: int, quoted: int) -> Places:
    return (outside, 0, quoted, 0) if text.trails else (0, outside, quoted, 0)


def _either(some: Places, others: Places) -> Places:
    return (some[0] | others[0], some[1] | others[1], some[2] | others[2], some[3] | others[3])


def _after_quotes(count: int, levels: tuple[Places, ...], may_err: bool) -> tuple[Places, ...]:
    """Return where they stand behind so many quotes; one of them may be too many, or one may be missing."""
    behind = [_past(count, places) for places in levels]
    if may_err:
        for place, places in enumerate(levels[:-1], start=1):
            for wrong in (count - 1, count + 1):
                behind[place] = _either(behind[place], _past(wrong, places))
    return tuple(behind)


def _past(count: int, places: Places) -> Places:
    begun, bare, quoted, closed = places
    if count == 0:
        return places
    return (0, bare, begun | closed, quoted) if count % 2 else (0, bare, quoted, begun | closed)


def _after_forgiven_quotes(count: int, places: Places, is_at_begin: bool, is_at_edge: bool) -> Places:
    begun, bare, quoted, _ = places
    if is_at_edge:
        # An even number may be quotes inside the field, written twice, or the last one may close it.
        stays, closes = quoted * (count % 2 == 0), quoted
        opens = begun * (count % 2)
        return (0, bare, stays | opens, closes | begun * (count > 1))
    stays = 0 if count % 2 and is_at_begin else quoted
    return (0, bare, stays | begun, 0)
