"""Draw valid files, and insert, delete or double one quote in each."""

import csv
import io
from dataclasses import dataclass

from hypothesis import strategies as st

from product_importer.imports.parsing.records import filled_width, fitted_row, is_blank

NAMES = ["sku", "name", "description", "col\nour", "size"]
WORDS = ["red", "Hat", "size S", "5", "", " ", "ä"]


@dataclass(frozen=True)
class Damaged:
    """A valid file `whole` with its rows, and its damaged `text`."""

    delimiter: str
    rows: list[list[str]]
    whole: str
    text: str


@st.composite
def damaged_files(draw, around: int = 0, trailing: str = "none") -> Damaged:
    """Draw a file of records, with `around` simple ones before and after them, which are not damaged.

    A delimiter too many is at the end of "all" records, of all but the header ("rows"), of every "other" one, of the
    "header" alone, or of "none".
    """
    delimiter = draw(st.sampled_from(",;\t|"))
    line_break = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    names = draw(st.permutations(NAMES[: draw(st.integers(3, 5))]))
    rows = _numbered(draw(st.lists(_rows(names, delimiter), min_size=1, max_size=5)), names, "S")
    before, after = (_numbered([["x"] * len(names)] * around, names, word) for word in "BC")
    rows = [*before, *rows, *after]
    quoting = draw(st.sampled_from(["minimal", "all", "any"]))
    quotings = ["minimal", *["minimal"] * around, *[quoting] * (len(rows) - 2 * around), *["minimal"] * around]
    records = [_record(draw, row, delimiter, how) for row, how in zip([names, *rows], quotings, strict=True)]
    for place, record in enumerate(records):
        has_more = {"all": True, "rows": place > 0, "other": place % 2 > 0, "header": place == 0, "none": False}
        records[place] = record + delimiter * has_more[trailing]
    whole = line_break.join(records) + line_break * draw(st.booleans())
    start = len(line_break.join(records[: around + 1])) if around else 0
    end = len(line_break.join(records[: len(rows) - around + 1])) if around else len(whole)
    return Damaged(delimiter, rows, whole, _damaged(draw, whole, start, end))


def _rows(names: list[str], delimiter: str):
    breaks = st.sampled_from(["\n", "\r\n", "\r"])
    likeness = st.lists(st.sampled_from(WORDS), min_size=len(names), max_size=len(names))
    quoted = st.lists(
        st.sampled_from([*(f'"{word}"' for word in WORDS), "red"]), min_size=len(names), max_size=len(names)
    )
    lines = st.one_of(
        likeness.map(delimiter.join),
        quoted.map(delimiter.join),
        st.text(st.sampled_from(['"', delimiter, "a", " ", "\n", "\r"]), max_size=8),
        st.sampled_from(['<p class="big">', "</p>", '"', '5" pipe', f'{delimiter}"', f'"{delimiter}']),
    )
    texts = st.lists(st.one_of(lines, breaks), max_size=6).map("".join)
    return st.lists(st.sampled_from(WORDS) | texts, min_size=len(names), max_size=len(names))


def _numbered(rows: list[list[str]], names: list[str], word: str) -> list[list[str]]:
    """Give each row a unique SKU, and a name."""
    place, name = names.index("sku"), names.index("name")
    numbered = [list(row) for row in rows]
    for number, row in enumerate(numbered):
        row[place] = f"{word}{number}{row[place]}"
        row[name] = f"N{row[name]}"
    return numbered


def _record(draw, row: list[str], delimiter: str, quoting: str) -> str:
    return delimiter.join(_cell(draw, cell, delimiter, quoting) for cell in row)


def _cell(draw, cell: str, delimiter: str, quoting: str) -> str:
    can_be_bare = not cell.startswith('"') and not any(character in cell for character in f"{delimiter}\r\n")
    if can_be_bare and (quoting == "minimal" or (quoting == "any" and draw(st.booleans()))):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def _damaged(draw, text: str, start: int, end: int) -> str:
    quotes = [place for place in range(start, end) if text[place] == '"']
    kind = draw(st.sampled_from(["insert", "delete", "double"])) if quotes else "insert"
    at = draw(st.integers(start, end)) if kind == "insert" else draw(st.sampled_from(quotes))
    return text[:at] + text[at + 1 :] if kind == "delete" else text[:at] + '"' + text[at:]


def lenient_rows(text: str, delimiter: str) -> list[list[str]] | None:
    """Return the rows of a valid CSV as wide as the header, or None; only blank cells may be surplus."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        return None
    width = filled_width(rows[0]) if rows else 0
    fitted = [fitted_row(row, width, width) for row in rows if not is_blank(row)]
    return None if None in fitted else [row for row in fitted if row is not None]


def strict_rows(text: str, delimiter: str) -> list[list[str]] | None:
    """Return the rows of a valid CSV, or None if the text is not valid or the rows differ in length."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error:
        return None
    return rows if len(set(map(len, rows))) == 1 else None
