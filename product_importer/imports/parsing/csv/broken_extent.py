"""How far a broken record reaches: to where all readings agree again that can explain what is wrong with it.

Decision 0020 says why.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from product_importer.imports.parsing.csv.physical_lines import Lines
from product_importer.imports.parsing.csv.quote_readings import BETWEEN, NONE, Family, Grammar, Readings

# A quote that is missing or too many is looked for in so many lines before and behind a broken record's first one.
NEAR_LINES = 100
# So many lines behind a broken record's first one are tried for its end, one by one.
FEW_LINES = 20
# In so many lines, and so many characters, a record ends whose fields hold quotes that are not written twice.
MAX_LINES = 1_000
MAX_CHARACTERS = 256 * 1024


class Extent(NamedTuple):
    """The lines of which nothing is certain, from `first` until before `end`; `is_one`: they are one record."""

    first: int
    end: int
    is_one: bool


class Judge:
    """Judges the broken records of one text."""

    def __init__(self, lines: Lines, grammar: Grammar):
        self._lines = lines
        self._grammar = grammar

    def explain(self, starts: Sequence[int], most_mistakes: int) -> Extent | None:
        """Return how far a broken record reaches, or None where no quotes that are wrong explain it.

        The last of `starts` is the line at which it seems to begin, the others are those of records before it that
        may belong to it.
        """
        broken = starts[-1]
        if self._lines.next_quote(starts[0], broken + NEAR_LINES) == broken + NEAR_LINES:
            return None
        for mistakes in range(1, most_mistakes + 1):
            if extent := _Search(self._lines, self._grammar, starts, mistakes).extent():
                return extent
        return None

    def unexplained(self, broken: int) -> Extent:
        """Return how far a record may reach that nothing explains: while the next lines can be inside a field."""
        anywhere = BETWEEN | self._grammar.anywhere_inside()
        readings = anywhere
        for number in range(broken + 1, broken + NEAR_LINES + 1):
            line = self._lines.get(number)
            if not line:
                break
            if readings == BETWEEN:
                return Extent(broken, number, number == broken + 1)
            if len(line) > MAX_CHARACTERS:
                readings = anywhere
                continue
            outside, inside = self._grammar.behind(line, (_outside(readings), _inside(readings)), may_err=False)
            readings = outside | inside
            if readings == NONE:
                readings = anywhere
        return Extent(broken, number, number == broken + 1)


class _Search:
    """Looks for the readings of one broken record that need at most so many mistakes.

    A family of readings stands before a line. Mistakes lie before a limit, which is a line too.
    """

    def __init__(self, lines: Lines, grammar: Grammar, starts: Sequence[int], mistakes: int):
        self._lines = lines
        self._grammar = grammar
        self._starts = starts
        self._broken = starts[-1]
        self._limit = self._broken + NEAR_LINES
        self._nothing = (NONE,) * (mistakes + 2)
        self._begin = (BETWEEN, *self._nothing[1:])
        self._over: int | None = None

    def extent(self) -> Extent | None:
        """Return the lines on which the readings differ that survive; None where none does."""
        families = self._until_nobody_is_inside()
        end = self._starts[0] + len(families)
        if not _outside(_together(families[-1])).begun:
            return None
        end = self._agreement(families, end)
        # The first record that can hold a mistake.
        place = len(self._starts) - 1
        if place and self._reach(end, self._broken):
            place = bisect_left(self._starts[1:], True, key=lambda limit: self._reach(end, limit))
        first = self._starts[place]
        return Extent(first, min(end, self._lines.end), not self._is_split(first, end))

    def _until_nobody_is_inside(self) -> list[Family]:
        """Return the families behind each line, until no reading is left that can still change its mind."""
        families: list[Family] = []
        characters, family = 0, self._begin
        for number in count(self._starts[0]):
            line = self._lines.get(number)
            characters += len(line) if number >= self._broken else 0
            if not line or characters > MAX_CHARACTERS:
                self._over = number
            family = self._after(number, family, self._limit)
            families.append(family)
            if number >= self._broken and _undecided(family) == self._nothing:
                return families
        raise AssertionError("every reading ends")

    def _agreement(self, families: list[Family], end: int) -> int:
        """Return the line from which on all readings that reach the end agree: some of them died on the way.

        In the middle of the next record all of them are inside it, so lines are tried one by one; behind the first
        `FEW_LINES`, where each costs more, any line at which they agree will do.
        """

        def agree(line: int) -> bool:
            return self._agree(line, families[line - self._starts[0] - 1], end)

        earliest = self._broken + 1
        later = min(earliest + FEW_LINES, end)
        first = next((line for line in range(earliest, later) if agree(line)), None)
        return first or later + bisect_left(range(later, end), True, key=agree)

    def _agree(self, number: int, family: Family, end: int) -> bool:
        """Whether all readings before a line that reach the end are between two records there."""
        family = _undecided(family)
        while number < end and family != self._nothing:
            family = self._after(number, family, self._limit)
            number += 1
        return not _together(family).begun

    def _reach(self, end: int, limit: int) -> bool:
        """Whether a reading gets to the end that has its mistakes before a limit."""
        family = self._begin
        for number in range(self._starts[0], end):
            family = self._after(number, family, limit)
            if number + 1 >= limit and _together(family) == NONE:
                return False
        return bool(_together(family).begun)

    def _is_split(self, first: int, end: int) -> bool:
        """Whether some reading has the lines as several records."""
        whole, split = self._begin, self._nothing
        for number in range(first, end):
            if number > first:
                split = tuple(its | _outside(mine) for mine, its in zip(whole, split, strict=True))
                whole = tuple(map(_inside, whole))
            whole, split = (self._after(number, family, self._limit) for family in (whole, split))
        return bool(_together(split).begun)

    def _after(self, number: int, family: Family, limit: int) -> Family:
        """Return a family behind a line."""
        if number == self._broken and limit > number and family[0].begun:
            family = (*family[:-1], BETWEEN)
        line = self._lines.get(number)
        if len(line) > MAX_CHARACTERS:
            return self._nothing
        return self._bounded(number + 1, self._grammar.behind(line, family, number < limit))

    def _bounded(self, number: int, family: Family) -> Family:
        """Return a family before a line without those that are inside a field for too long."""
        lines = number - self._broken
        if lines <= 0:
            return family
        is_over = self._over is not None and number > self._over
        unmistaken, *strict, forgiving = family
        if is_over or lines >= NEAR_LINES:
            unmistaken, strict = NONE, list(map(_outside, strict))
        if is_over or lines >= MAX_LINES:
            forgiving = _outside(forgiving)
        # The record is broken: whoever finds its end without a mistake has overlooked why.
        return (_inside(unmistaken), *strict, forgiving)


def _together(family: Family) -> Readings:
    """Return the readings that explain what is wrong."""
    together = NONE
    for readings in family[1:]:
        together |= readings
    return together


def _undecided(family: Family) -> Family:
    """Return a family without what stands between two records and makes no further mistake."""
    *erring, last, forgiving = family
    return (*erring, _inside(last), _inside(forgiving))


def _outside(readings: Readings) -> Readings:
    return Readings(begun=readings.begun)


def _inside(readings: Readings) -> Readings:
    return Readings(quoted=readings.quoted)
