"""Find the lines that are lost to a broken record: up to where all readings that explain it agree again.

docs/decisions/0020 says why; the package's docstring explains the terms.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from product_importer.imports.parsing.csv.physical_lines import PhysicalLines
from product_importer.imports.parsing.csv.quote_readings import BETWEEN, NONE, Grammar, Readings, ReadingsByMistakes

# How many lines before and after the first line of a broken record are searched for a wrong quote.
NEAR_LINES = 100
# How many lines after it are tried one by one for the end of the lost lines.
SINGLE_STEP_LINES = 20
# How many lines a forgiving reading may follow, and how many characters any reading may.
MAX_LINES = 1_000
MAX_CHARACTERS = 256 * 1024


class LostLines(NamedTuple):
    """Lines that can belong to a broken record, from `first` until before `end`; `is_one` if they are one record."""

    first: int
    end: int
    is_one: bool


class Recovery:
    """Finds the lines that are lost to each broken record of one text."""

    def __init__(self, lines: PhysicalLines, grammar: Grammar):
        self._lines = lines
        self._grammar = grammar

    def explain(self, starts: Sequence[int], max_mistakes: int) -> LostLines | None:
        """Return the lines lost if at most `max_mistakes` wrong quotes explain a broken record, else None.

        The last of `starts` is the line in which the broken record seems to begin. The others are the first lines of
        the records before it, which may belong to it.
        """
        broken = starts[-1]
        if self._lines.next_quote(starts[0], broken + NEAR_LINES) == broken + NEAR_LINES:
            return None
        for mistakes in range(1, max_mistakes + 1):
            if lost := _Search(self._lines, self._grammar, starts, mistakes).lost_lines():
                return lost
        return None

    def unexplained(self, broken: int) -> LostLines:
        """Return the lines lost to a record that nothing explains: those that can be inside one of its fields."""
        anywhere = BETWEEN | self._grammar.anywhere_inside()
        readings = anywhere
        for number in range(broken + 1, broken + NEAR_LINES + 1):
            line = self._lines.get(number)
            if not line:
                break
            if readings == BETWEEN:
                return LostLines(broken, number, number == broken + 1)
            if len(line) > MAX_CHARACTERS:
                readings = anywhere
                continue
            outside, inside = self._grammar.after_line(line, (_outside(readings), _inside(readings)), may_err=False)
            readings = outside | inside
            if readings == NONE:
                readings = anywhere
        return LostLines(broken, number, number == broken + 1)


class _Search:
    """Follows the readings of one broken record that need at most `mistakes` mistakes.

    They make their mistakes in lines before a limit, which is a line number.
    """

    def __init__(self, lines: PhysicalLines, grammar: Grammar, starts: Sequence[int], mistakes: int):
        self._lines = lines
        self._grammar = grammar
        self._starts = starts
        self._broken = starts[-1]
        self._limit = self._broken + NEAR_LINES
        self._nothing = (NONE,) * (mistakes + 2)
        self._begin = (BETWEEN, *self._nothing[1:])
        self._over: int | None = None

    def lost_lines(self) -> LostLines | None:
        """Return the lines on which the readings that remain differ; None if none remains."""
        history = self._follow_readings()
        end = self._starts[0] + len(history)
        if not _outside(_explaining(history[-1])).begun:
            return None
        end = self._agreement(history, end)
        # Lost lines begin with the first record that can hold a mistake.
        place = len(self._starts) - 1
        if place and self._reach(end, self._broken):
            place = bisect_left(self._starts[1:], True, key=lambda limit: self._reach(end, limit))
        first = self._starts[place]
        return LostLines(first, min(end, self._lines.end), not self._is_split(first, end))

    def _follow_readings(self) -> list[ReadingsByMistakes]:
        """Return the readings after each line, until none is left that is inside a field or can make a mistake."""
        history: list[ReadingsByMistakes] = []
        characters, by_mistakes = 0, self._begin
        for number in count(self._starts[0]):
            line = self._lines.get(number)
            characters += len(line) if number >= self._broken else 0
            if not line or characters > MAX_CHARACTERS:
                self._over = number
            by_mistakes = self._after(number, by_mistakes, self._limit)
            history.append(by_mistakes)
            if number >= self._broken and _undecided(by_mistakes) == self._nothing:
                return history
        raise AssertionError("every reading ends")

    def _agreement(self, history: list[ReadingsByMistakes], end: int) -> int:
        """Return the line from which on all readings that reach the end agree: some were contradicted on the way.

        Lines are tried one by one: at a later line all can disagree again, for they are inside the next record. After
        `SINGLE_STEP_LINES`, where each try costs more, any line on which they agree will do.
        """

        def agree(line: int) -> bool:
            return self._agree(line, history[line - self._starts[0] - 1], end)

        earliest = self._broken + 1
        later = min(earliest + SINGLE_STEP_LINES, end)
        first = next((line for line in range(earliest, later) if agree(line)), None)
        return first or later + bisect_left(range(later, end), True, key=agree)

    def _agree(self, number: int, by_mistakes: ReadingsByMistakes, end: int) -> bool:
        """Whether all readings that reach the end are between two records at this line."""
        by_mistakes = _undecided(by_mistakes)
        while number < end and by_mistakes != self._nothing:
            by_mistakes = self._after(number, by_mistakes, self._limit)
            number += 1
        return not _explaining(by_mistakes).begun

    def _reach(self, end: int, limit: int) -> bool:
        """Whether a reading whose mistakes lie before a limit reaches the end."""
        by_mistakes = self._begin
        for number in range(self._starts[0], end):
            by_mistakes = self._after(number, by_mistakes, limit)
            if number + 1 >= limit and _explaining(by_mistakes) == NONE:
                return False
        return bool(_explaining(by_mistakes).begun)

    def _is_split(self, first: int, end: int) -> bool:
        """Whether some reading takes the lines for several records."""
        whole, split = self._begin, self._nothing
        for number in range(first, end):
            if number > first:
                split = tuple(its | _outside(mine) for mine, its in zip(whole, split, strict=True))
                whole = tuple(map(_inside, whole))
            whole, split = (self._after(number, by_mistakes, self._limit) for by_mistakes in (whole, split))
        return bool(_explaining(split).begun)

    def _after(self, number: int, by_mistakes: ReadingsByMistakes, limit: int) -> ReadingsByMistakes:
        """Return the readings after a line."""
        if number == self._broken and limit > number and by_mistakes[0].begun:
            by_mistakes = (*by_mistakes[:-1], BETWEEN)
        line = self._lines.get(number)
        if len(line) > MAX_CHARACTERS:
            return self._nothing
        return self._bounded(number + 1, self._grammar.after_line(line, by_mistakes, number < limit))

    def _bounded(self, number: int, by_mistakes: ReadingsByMistakes) -> ReadingsByMistakes:
        """Return the readings before a line without those that have been inside a field for too long."""
        lines = number - self._broken
        if lines <= 0:
            return by_mistakes
        is_over = self._over is not None and number > self._over
        unmistaken, *strict, forgiving = by_mistakes
        if is_over or lines >= NEAR_LINES:
            unmistaken, strict = NONE, list(map(_outside, strict))
        if is_over or lines >= MAX_LINES:
            forgiving = _outside(forgiving)
        # The record is broken: a reading that finds its end without a mistake explains nothing.
        return (_inside(unmistaken), *strict, forgiving)


def _explaining(by_mistakes: ReadingsByMistakes) -> Readings:
    """Return the readings that explain what is wrong: those with a mistake, and the forgiving ones."""
    explaining = NONE
    for readings in by_mistakes[1:]:
        explaining |= readings
    return explaining


def _undecided(by_mistakes: ReadingsByMistakes) -> ReadingsByMistakes:
    """Return the readings without those that are between two records and cannot make another mistake."""
    *erring, last, forgiving = by_mistakes
    return (*erring, _inside(last), _inside(forgiving))


def _outside(readings: Readings) -> Readings:
    return Readings(begun=readings.begun)


def _inside(readings: Readings) -> Readings:
    return Readings(quoted=readings.quoted)
