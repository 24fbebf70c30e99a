"""One wrong quote in a valid file: no part of a field becomes a product, and every lost line is in an error.

To run more examples: `DAMAGED_FILES=20000 pytest tests/imports/parsing/csv/test_damage.py`.
"""

import io
import os
import re

from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from product_importer.core.errors import Invalid
from product_importer.imports.columns.header import match
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.csv.recovery import NEAR_LINES
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import RowError, Unreadable, height
from product_importer.imports.pipeline.row_validation import RowValidator
from tests.imports.parsing.csv.damage import Damaged, damaged_files, lenient_rows, strict_rows
from tests.imports.parsing.reading import Rows, detected

EXAMPLES = int(os.environ.get("DAMAGED_FILES", "150"))
patient = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


# A line break in the last cell, which is surplus after the damage.
HEADER = "sku,description,name,size\n"
SURPLUS = Damaged(
    ",", [["S0", 'a",b', "N", "c\rd"]], HEADER + 'S0,"a"",b",N,"c\rd"\n', HEADER + 'S0,"a",b",N,"c\rd"\n'
)


# The second line of the first column's name looks like a header by itself.
BELOW = Damaged(
    ",",
    [["red", "Nred", "red", "S0red"]],
    '"col\nour",name,description,sku\nred,Nred,red,S0red',
    '"col"\nour",name,description,sku\nred,Nred,red,S0red',
)


@patient
@given(damaged_files())
@example(SURPLUS)
@example(BELOW)
def test_no_part_of_a_field_becomes_a_product_and_every_lost_line_is_named(file):
    check(file)


@patient
@given(st.sampled_from(["all", "rows", "other", "header"]).flatmap(lambda trailing: damaged_files(4, trailing)))
def test_a_delimiter_too_many_at_the_end_of_records_makes_no_part_of_a_field_a_product(file):
    check(file)


@settings(patient, max_examples=EXAMPLES // 5)
@given(damaged_files(around=NEAR_LINES + 5))
def test_a_damaged_record_loses_only_rows_near_it(file):
    imported_skus = check(file)
    if strict_rows(file.text, file.delimiter) is None:
        near = {"B0x", f"C{NEAR_LINES + 4}x"}
        assert near <= imported_skus


def check(file: Damaged) -> set[str]:
    """Check the import of a damaged file, and return the imported SKUs."""
    try:
        header_line, names, rows, errors = imported(file)
    except (Invalid, Unreadable):
        event("the column names are damaged: nothing is imported")
        return set()
    found = products(names, [row for _, row in rows])
    valid = strict_rows(file.text, file.delimiter)
    if valid is None:
        whole, lenient = lenient_rows(file.whole, file.delimiter), lenient_rows(file.text, file.delimiter)
        event("broken" if lenient is None else "still a valid file with blank surplus cells")
        assert whole is not None
        assert found <= products(whole[0], whole[1:]) or (lenient and found <= products(names, lenient[1:]))
    else:
        event("still a valid file, but another one")
        assert found == {product for product in products(names, valid[1:]) if product[0] and product[1]}
    check_lines(file.text, header_line, names, rows, errors)
    return {sku for sku, _, _ in found}


def check_lines(text: str, header_line: int | None, names: list[str], rows: Rows, errors: list[RowError]) -> None:
    """Check that each line after the header is in one row, in one error, or blank."""
    records = [*((line, line + height(row)) for line, row in rows), *map(extent, errors)]
    named = [number for first, end in records for number in range(first, end)]
    assert len(named) == len(set(named))
    full = [n for n, line in enumerate(io.StringIO(text, newline="").readlines(), 1) if line.strip()]
    assert set(full) - set(named) == set(range(full[0], (header_line or full[0]) + height(names))) & set(full)


def extent(error: RowError) -> tuple[int, int]:
    """Return the first line of an error, and the line after its last.

    The row of an error lacks surplus cells, which may have line breaks; then the reason names the lines.
    """
    stated = re.match(r"The row in lines (\d+) to (\d+) ", error.reason)
    return (int(stated[1]), int(stated[2]) + 1) if stated else (error.line, error.line + height(error.row))


def imported(file: Damaged) -> tuple[int | None, list[str], Rows, list[RowError]]:
    """Read and validate a damaged file as an import does; return the line of its header, names, rows and errors."""
    content = file.text.encode()
    format, names = detected(content, ImportOptions(delimiter=file.delimiter))
    records = open_records(CountingReader(io.BytesIO(content)), format, arrow.parse)
    records.header()
    validator = RowValidator(match(names))
    rows: Rows = []
    errors: list[RowError] = []
    for chunk in records.chunks():
        validated = validator.validate(chunk)
        rows += zip(validated.lines, validated.rows, strict=True)
        errors += validated.errors
    return format.header_line, names, rows, errors


def products(names: list[str], rows: list[list[str]]) -> set[tuple[str, str, str]]:
    """Return SKU, name and description of each row, stripped as an import does."""
    sku, name, description = (names.index(field) for field in ("sku", "name", "description"))
    return {(row[sku].strip(), row[name].strip(), row[description]) for row in rows}
