"""docs/security.md has each requirement of OWASP's ASVS once, and names tests that exist."""

import ast
import re
from collections import Counter

import pytest

from tests.docs.documents import ROOT, read

# The sections of ASVS 5.0.0 with how many requirements of levels 1 and 2 each has; these are the first of each.
SECTIONS = """
V1.1 2, V1.2 9, V1.3 11, V1.4 3, V1.5 2, V2.1 3, V2.2 3, V2.3 4, V2.4 1, V3.2 2, V3.3 4, V3.4 6, V3.5 5,
V3.7 2, V4.1 3, V4.2 1, V4.3 2, V4.4 4, V5.1 1, V5.2 3, V5.3 2, V5.4 3, V6.1 3, V6.2 12, V6.3 4, V6.4 4,
V6.5 5, V6.6 3, V6.8 4, V7.1 3, V7.2 4, V7.3 2, V7.4 5, V7.5 2, V7.6 2, V8.1 2, V8.2 3, V8.3 1, V8.4 1, V9.1 3,
V9.2 4, V10.1 2, V10.2 2, V10.3 4, V10.4 11, V10.5 5, V10.6 2, V10.7 3, V11.1 2, V11.2 3, V11.3 3, V11.4 4,
V11.5 1, V11.6 1, V12.1 3, V12.2 2, V12.3 4, V13.1 1, V13.2 5, V13.3 2, V13.4 5, V14.1 2, V14.2 4, V14.3 3,
V15.1 3, V15.2 3, V15.3 7, V16.1 1, V16.2 5, V16.3 4, V16.4 3, V16.5 3, V17.1 1, V17.2 4, V17.3 2
"""
REQUIREMENTS = [
    f"{section}.{number}"
    for section, count in re.findall(r"(V\S+) (\d+)", SECTIONS)
    for number in range(1, int(count) + 1)
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
# What may stand in place of a test, or beside one.
WORDS = re.compile(r"\*\*(`make lint`|document|operator|in part|not met|not applicable)\*\*")
DOCUMENT = read("docs/security.md")
ROWS = [line for line in DOCUMENT.splitlines() if re.match(r"\| V\d", line)]


def requirements(cell: str) -> list[str]:
    """Return the ids that a cell lists; `V1.2.3–V1.2.5` are three."""
    found = []
    for part in cell.split(", "):
        first, _, last = part.partition("–")
        section, _, begin = first.rpartition(".")
        end = last.removeprefix(f"{section}.") or begin
        found += [f"{section}.{number}" for number in range(int(begin), int(end) + 1)]
    return found


def test_each_requirement_is_there_once():
    listed = Counter(id for row in ROWS for id in requirements(row.split("|")[1].strip()))
    assert len(REQUIREMENTS) == 253
    assert listed == Counter(REQUIREMENTS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_has_a_test_or_says_why_not(row: str):
    shown_by = row.split("|")[4]
    assert TEST.search(shown_by) or WORDS.search(shown_by)


@pytest.mark.parametrize(("heading", "word"), [("Not met: ", "not met"), ("Met in part: ", "in part")])
def test_what_is_missing_is_listed_at_the_top(heading: str, word: str):
    [summary] = [line for line in DOCUMENT.splitlines() if line.startswith(heading)]
    missing = [row.split("|")[1].strip() for row in ROWS if f"**{word}**" in row.split("|")[4]]
    assert missing
    assert summary == f"{heading}{', '.join(missing)}."


def test_each_test_that_is_named_exists():
    named = TEST.findall(DOCUMENT)
    assert len(named) > 200
    # What looks like a test is one, and stands as a whole.
    assert DOCUMENT.count("::") == len(named)
    functions = {path: _functions(path) for path, _ in named}
    assert [f"{path}::{name}" for path, name in named if name not in functions[path]] == []


def _functions(path: str) -> set[str]:
    if not (ROOT / path).exists():
        return set()
    parsed = ast.parse((ROOT / path).read_text()).body
    return {part.name for part in parsed if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}
