"""All readings together equal each one alone."""

from functools import reduce
from operator import or_

from hypothesis import example, given
from hypothesis import strategies as st

from product_importer.imports.parsing.csv.quote_readings import BETWEEN, NONE, Grammar, Readings

lines = st.text('",x', max_size=12)
# The number of fields of a record, and the index of the quoted field in which a line begins, or None between records.
Start = tuple[int, int | None]
starts = st.integers(1, 4).flatmap(lambda width: st.tuples(st.just(width), st.none() | st.integers(0, width - 1)))


def begin(start: Start) -> Readings:
    return BETWEEN if start[1] is None else Readings(quoted=1 << start[1])


def after(line: str, start: Start) -> Readings:
    """Return the reading after a line without mistakes, by the grammar of CSV."""
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


def corrections(line: str) -> set[str]:
    """Return the lines of which this one can be made by adding or removing one quote."""
    inserted = {line[:at] + '"' + line[at:] for at in range(len(line) + 1)}
    return inserted | {line[:at] + line[at + 1 :] for at, character in enumerate(line) if character == '"'}


def outcomes(lines: set[str], start: Start) -> Readings:
    return reduce(or_, (after(line, start) for line in lines), NONE)


def without_mistakes(line: str, start: Start) -> Readings:
    """Return the reading after a line without mistakes; an empty line between records is no record."""
    return after(line, start) if line or begin(start) != BETWEEN else BETWEEN


@given(lines, starts)
@example('"x"x', (1, None))
@example(',x,x,"",', (5, None))
def test_readings_with_mistakes_equal_those_of_the_corrected_line(line, start):
    none, one, two, _ = Grammar(",", start[0]).after_line(line + "\n", (begin(start), NONE, NONE, NONE), may_err=True)
    corrected = corrections(line)
    assert none == without_mistakes(line, start)
    assert one == outcomes(corrected, start).without(none)
    twice = outcomes({again for other in corrected for again in corrections(other)}, start)
    assert two == two.without(none | one) and two.without(twice) == NONE


@given(lines, starts)
def test_a_reading_without_mistakes_follows_the_grammar(line, start):
    strict, _ = Grammar(",", start[0]).after_line(line, (begin(start), NONE), may_err=False)
    assert strict == without_mistakes(line, start)


@given(lines, starts, st.integers(1, 3))
@example("x", (1, None), 1)
@example('x,"', (1, None), 2)
def test_records_of_two_widths_have_the_readings_of_both(line, start, more):
    both = (start, (start[0] + more, start[1]))
    grammar = Grammar(",", start[0], [start[0] + more])
    none, one, *_ = grammar.after_line(line + "\n", (begin(start), NONE, NONE, NONE), may_err=True)
    assert none == without_mistakes(line, both[0]) | without_mistakes(line, both[1])
    corrected = corrections(line)
    assert one == (outcomes(corrected, both[0]) | outcomes(corrected, both[1])).without(none)
