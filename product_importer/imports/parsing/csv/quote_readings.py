"""Follow all readings of a line at once: strict ones, ones with wrong quotes, and forgiving ones.

This is a nondeterministic automaton whose states are bits, as in agrep (Wu and Manber, 1992). The state of a reading
is its place in the grammar of CSV and the number of delimiters of the record so far. Each of the four places is an
integer whose bit n is set if a reading is there after n delimiters. So one operation moves all readings.

A line is taken in steps. A step is some quotes and the text up to the next ones, with all its delimiters; the end of
the line counts as one more delimiter. The package's docstring explains the terms.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

# Readings inside a line by place: at the beginning of a field, in a bare one, in a quoted one, after a quote in that.
Places = tuple[int, int, int, int]
# Quotes, or none at the beginning of a line, and the text after them.
STEP = re.compile('("*)([^"]+)')
# The size of the caches, and the longest lines and steps that are cached.
MAX_CACHED = 4_096
MAX_LINE = 1_000
MAX_STEP = 200
# The size of the cache of shapes: the lines around a broken record are read several times.
MAX_SHAPES = 256


class Readings(NamedTuple):
    """Readings between two lines: those between two records (`begun`), and those inside a quoted field.

    Bit n of `quoted` is set if n delimiters of the record come before.
    """

    begun: int = 0
    quoted: int = 0

    def __or__(self, other: "Readings") -> "Readings":
        return Readings(self.begun | other.begun, self.quoted | other.quoted)

    def without(self, other: "Readings") -> "Readings":
        """Return these readings except the others."""
        return Readings(self.begun & ~other.begun, self.quoted & ~other.quoted)


NONE = Readings()
BETWEEN = Readings(begun=1)

# Readings without a mistake yet, with one, and with two where these are looked for; last, the forgiving ones.
ReadingsByMistakes = tuple[Readings, ...]


class Segment(NamedTuple):
    """A piece of a line without quotes: how many delimiters it has, and whether it begins or ends with one."""

    delimiters: int
    leads: bool
    trails: bool


class LineState(NamedTuple):
    """All readings at a position in a line; `is_at_begin` if a delimiter comes before it, or nothing."""

    strict: tuple[Places, ...]
    forgiving: Places
    is_at_begin: bool


class Grammar:
    """The grammar of CSV with one delimiter, whose records have `width` fields or one of `others`.

    They have any number of fields if `width` is 0.
    """

    def __init__(self, delimiter: str, width: int, others: Iterable[int] = ()):
        self._text = re.compile(f'[^"{re.escape(delimiter)}]+')
        self._delimiter = delimiter
        self._shift = 1 if width else 0
        widths = {width, *others}
        self._width = max(widths)
        # How many delimiters a record has, and the bits of its readings at its end.
        self._delimiters = [max(one - 1, 0) for one in widths]
        self._ends = sum(1 << one for one in widths)
        self._quoted_mask = (1 << self._width) - 1 if width else 1
        self._mask = (2 << self._width) - 1 if width else 1
        # Most lines of a file have one of a few shapes, and the others consist of a few kinds of steps.
        self._cached_shape = lru_cache(MAX_SHAPES)(self._shape_of)
        self._cached_after_shape = lru_cache(MAX_CACHED)(self._after_shape)
        self._cached_after_step = lru_cache(MAX_CACHED)(self._after_step)
        self._cached_after_end = lru_cache(MAX_CACHED)(self._after_end)

    def anywhere_inside(self) -> Readings:
        """Return all readings inside a quoted field, one for each number of delimiters."""
        return Readings(quoted=self._quoted_mask)

    def after_line(self, line: str, by_mistakes: ReadingsByMistakes, may_err: bool) -> ReadingsByMistakes:
        """Return the readings after a line, without those that it contradicts.

        With `may_err`, strict readings may take quotes of the line for too many or for missing; in a line without
        quotes, only one for missing. For a forgiving reading, a quote inside a quoted field closes it only before a
        delimiter or the end of the line; a quote inside a field that looks as if it opened one contradicts it.
        """
        if len(line) > MAX_LINE:
            return self._after_shape(self._shape_of(line), by_mistakes, may_err)
        return self._cached_after_shape(self._cached_shape(line), by_mistakes, may_err)

    def _shape_of(self, line: str) -> str:
        """Return a line without its break, with one letter in place of each text between delimiters and quotes.

        A line of white space is as an empty one.
        """
        if line.isspace() and self._delimiter not in line:
            return ""
        return self._text.sub("x", line.rstrip("\r\n"))

    def _after_shape(self, shape: str, by_mistakes: ReadingsByMistakes, may_err: bool) -> ReadingsByMistakes:
        if '"' not in shape:
            return self._after_unquoted_line(shape, by_mistakes, may_err)
        *strict, forgiving = [(begun, 0, quoted, 0) for begun, quoted in by_mistakes]
        state = LineState(tuple(strict), forgiving, True)
        for quotes, text in STEP.findall(shape + self._delimiter):
            is_short = len(quotes) + len(text) <= MAX_STEP
            after_step = self._cached_after_step if is_short else self._after_step
            state = after_step(state, quotes, text, may_err)
        return self._cached_after_end(state)

    def _after_end(self, state: LineState) -> ReadingsByMistakes:
        places = (*state.strict, state.forgiving)
        return _once(
            tuple(Readings(int(begun & self._ends > 0), quoted & self._quoted_mask) for begun, _, quoted, _ in places)
        )

    def _after_unquoted_line(self, shape: str, by_mistakes: ReadingsByMistakes, may_err: bool) -> ReadingsByMistakes:
        delimiters = shape.count(self._delimiter)
        fits = int(not self._shift or delimiters in self._delimiters or not shape)
        after = [Readings(begun & fits, quoted) for begun, quoted in by_mistakes]
        if may_err:
            for place, readings in enumerate(by_mistakes[:-2], start=1):
                after[place] |= self._mistaken_without_quotes(delimiters * self._shift, readings)
        return _once(tuple(after))

    def _mistaken_without_quotes(self, delimiters: int, readings: Readings) -> Readings:
        """Return the readings for which a quote is missing: it would open a field, or close one."""
        opened = self._quoted_mask & ((2 << delimiters) - 1) if readings.begun else 0
        closed = any(readings.quoted & (2 << last) - (1 << max(last - delimiters, 0)) for last in self._delimiters)
        return Readings(int(closed), opened)

    def _after_step(self, state: LineState, quotes: str, text: str, may_err: bool) -> LineState:
        strict, forgiving, is_at_begin = state
        segment = Segment(
            text.count(self._delimiter), text.startswith(self._delimiter), text.endswith(self._delimiter)
        )
        if quotes:
            forgiving = _after_forgiven_quotes(len(quotes), forgiving, is_at_begin, segment.leads)
            strict = _after_quotes(len(quotes), strict, may_err)
        after = [self._after_segment(segment, places) for places in strict]
        if may_err:
            for place, places in enumerate(strict[:-1], start=1):
                after[place] = _either(after[place], self._after_segment_with_a_quote(segment, places))
            for place, places in enumerate(strict[:-2], start=2):
                after[place] = _either(after[place], self._after_segment_with_two_quotes(segment, places))
        return LineState(tuple(after), self._after_segment(segment, forgiving), segment.trails)

    def _after_segment(self, segment: Segment, places: Places) -> Places:
        outside = _outside(segment, places) << segment.delimiters * self._shift & self._mask
        return _places_after(segment, outside, quoted=places[2])

    def _after_segment_with_a_quote(self, segment: Segment, places: Places) -> Places:
        """Return the readings for which a quote is missing: at the beginning of a field, or before a delimiter."""
        begun, _, quoted, closed = places
        opened = begun | closed | self._spread(_outside(segment, places), segment.delimiters - segment.trails)
        return _places_after(segment, self._spread(quoted, segment.delimiters), opened)

    def _after_segment_with_two_quotes(self, segment: Segment, places: Places) -> Places:
        """Return the readings for which two quotes are missing, one that opens and one that closes, in either order.

        Both around one whole field change nothing: those readings are among the others already.
        """
        begun, _, quoted, closed = places
        left = self._spread(begun | closed, segment.delimiters)
        left |= self._spread(_outside(segment, places) << self._shift, segment.delimiters - 1)
        return _places_after(segment, left, self._spread(quoted, segment.delimiters - segment.trails))

    def _spread(self, readings: int, delimiters: int) -> int:
        """Return the readings after one, two and up to `delimiters` more delimiters."""
        spread = 0
        if readings:
            for _ in range(min(delimiters, self._width or 1)):
                spread = (spread | readings) << self._shift
        return spread & self._mask


def _once(by_mistakes: ReadingsByMistakes) -> ReadingsByMistakes:
    """Return the readings without those in the same state as one with fewer mistakes."""
    *strict, forgiving = by_mistakes
    others = NONE
    for place, readings in enumerate(strict):
        strict[place] = readings.without(others)
        others |= readings
    return (*strict, forgiving)


def _outside(segment: Segment, places: Places) -> int:
    """Return the readings for which a segment is outside quotes."""
    begun, bare, _, closed = places
    return begun | bare | closed if segment.leads else begun | bare


def _places_after(segment: Segment, outside: int, quoted: int) -> Places:
    return (outside, 0, quoted, 0) if segment.trails else (0, outside, quoted, 0)


def _either(some: Places, others: Places) -> Places:
    return (some[0] | others[0], some[1] | others[1], some[2] | others[2], some[3] | others[3])


def _after_quotes(count: int, levels: tuple[Places, ...], may_err: bool) -> tuple[Places, ...]:
    """Return the readings after `count` quotes; with `may_err`, one may be too many or missing."""
    after = [_past(count, places) for places in levels]
    if may_err:
        for place, places in enumerate(levels[:-1], start=1):
            for wrong in (count - 1, count + 1):
                after[place] = _either(after[place], _past(wrong, places))
    return tuple(after)


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
