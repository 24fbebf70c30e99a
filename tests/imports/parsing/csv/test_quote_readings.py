"""Readings of one line: all mistakes at once give what each of them gives by itself."""

from functools import reduce
from operator import or_

from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.parsing.csv.quote_readings import BETWEEN, NONE, Grammar, Readings

lines = st.text('",x', max_size=12)
# How many fields a record has, and the number of the quoted one in which a line begins; None between two records.
Start = tuple[int, int | None]
starts = st.integers(1, 4).flatmap(lambda width: st.tuples(st.just(width), st.none() | st.integers(0, width - 1)))


def begin(start: Start) -> Readings:
    return BETWEEN if start[1] is None else Readings(quoted=1 << start[1])


def behind(line: str, start: Start) -> Readings:
    """Return where a reading stands behind a line, by the grammar of CSV alone."""
    width, quoted = start
    place, number = ("begun", 0) if quoted is None else ("quoted", quoted)
    for character in line:
        if character == '"':
            place = {"begun": "quoted", "bare": "bare", "quoted": "closed", "closed": "quoted"}[place]
        elif place != "quoted":
            if character == "," and number + 1 < width:
                place, number = "begun", number + 1
            elif character == "," or place == "closed":
                return NONE
            else:
                place = "bare"
    if place == "quoted":
        return Readings(quoted=1 << number)
    return BETWEEN if number + 1 == width else NONE


def mistaken(line: str) -> set[str]:
    """Return what a line can have been in which one quote is missing or too many."""
    inserted = {line[:at] + '"' + line[at:] for at in range(len(line) + 1)}
    return inserted | {line[:at] + line[at + 1 :] for at, character in enumerate(line) if character == '"'}


def outcomes(lines: set[str], start: Start) -> Readings:
    return reduce(or_, (behind(line, start) for line in lines), NONE)


def as_it_is(line: str, start: Start) -> Readings:
    """Return where a reading stands behind a line; an empty one between two records is none."""
    return behind(line, start) if line or begin(start) != BETWEEN else BETWEEN


@given(lines, starts)
@example('"x"x', (1, None))
@example(',x,x,"",', (5, None))
def test_readings_with_mistakes_stand_where_lines_end_that_are_mended(line, start):
    none, one, two, _ = Grammar(",", start[0]).after_line(line + "\n", (begin(start), NONE, NONE, NONE), may_err=True)
    mended = mistaken(line)
    assert none == as_it_is(line, start)
    assert one == outcomes(mended, start).without(none)
    twice = outcomes({again for other in mended for again in mistaken(other)}, start)
    assert two == two.without(none | one) and two.without(twice) == NONE


@given(lines, starts)
def test_a_line_that_may_not_err_is_read_as_it_is(line, start):
    strict, _ = Grammar(",", start[0]).after_line(line, (begin(start), NONE), may_err=False)
    assert strict == as_it_is(line, start)
