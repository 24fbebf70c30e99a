"""One wrong quote in a valid file: nothing from inside a field becomes a product, and every lost line is named.

More examples than a test run has time for: `DAMAGED_FILES=20000 pytest tests/imports/parsing/csv/test_damage.py`.
"""

import io
import os
import re

from hypothesis import HealthCheck, event, example, given, settings

from product_importer.core.errors import Invalid
from product_importer.imports.columns.header import match
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.csv import arrow
from product_importer.imports.parsing.csv.recovery import NEAR_LINES
from product_importer.imports.parsing.opening import CountingReader, open_records
from product_importer.imports.parsing.records import RowError, Unreadable, height
from product_importer.imports.pipeline.row_validation import RowValidator
from tests.imports.parsing.csv.damage import Damaged, damaged_files, strict_rows
from tests.imports.parsing.reading import Rows, detected

EXAMPLES = int(os.environ.get("DAMAGED_FILES", "150"))
patient = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


# A line break stands in a cell that no column is for.
HEADER = "sku,description,name,size\n"
SURPLUS = Damaged(
    ",", [["S0", 'a",b', "N", "c\rd"]], HEADER + 'S0,"a"",b",N,"c\rd"\n', HEADER + 'S0,"a",b",N,"c\rd"\n'
)


@patient
@given(damaged_files())
@example(SURPLUS)
def test_nothing_from_inside_a_field_becomes_a_product_and_no_line_is_lost_unnamed(file):
    check(file)


@settings(patient, max_examples=EXAMPLES // 5)
@given(damaged_files(around=NEAR_LINES + 5))
def test_a_damaged_record_costs_what_is_near_it_only(file):
    taken = check(file)
    if strict_rows(file.text, file.delimiter) is None:
        near = {"B0x", f"C{NEAR_LINES + 4}x"}
        assert near <= taken


def check(file: Damaged) -> set[str]:
    """Check what an import makes of a damaged file; return the SKUs that it takes."""
    try:
        names, rows, errors = imported(file)
    except (Invalid, Unreadable):
        event("the column names are damaged: nothing is imported")
        return set()
    found = products(names, [row for _, row in rows])
    said = strict_rows(file.text, file.delimiter)
    if said is None:
        event("broken")
        whole = strict_rows(file.whole, file.delimiter)
        assert whole is not None and found <= products(whole[0], whole[1:])
    else:
        event("a valid file that says something else")
        assert found == {product for product in products(names, said[1:]) if product[0] and product[1]}
    check_lines(file.text, names, rows, errors)
    return {sku for sku, _, _ in found}


def check_lines(text: str, names: list[str], rows: Rows, errors: list[RowError]) -> None:
    """Check that each line behind the header is in one row, in one error, or empty."""
    records = [*((line, line + height(row)) for line, row in rows), *map(extent, errors)]
    named = [number for first, end in records for number in range(first, end)]
    assert len(named) == len(set(named))
    full = [n for n, line in enumerate(io.StringIO(text, newline="").readlines(), 1) if line.strip("\r\n")]
    assert set(full) - set(named) == set(range(full[0], full[0] + height(names))) & set(full)


def extent(error: RowError) -> tuple[int, int]:
    """Return the lines that an error names. Its row lacks the cells that no column is for: the reason has those."""
    said = re.match(r"The row in lines (\d+) to (\d+) ", error.reason)
    return (int(said[1]), int(said[2]) + 1) if said else (error.line, error.line + height(error.row))


def imported(file: Damaged) -> tuple[list[str], Rows, list[RowError]]:
    """Read and check a damaged file as an import does; return its column names, its good rows and its errors."""
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
    return names, rows, errors


def products(names: list[str], rows: list[list[str]]) -> set[tuple[str, str, str]]:
    """Return SKU, name and description of each row, as they are compared with others."""
    sku, name, description = (names.index(field) for field in ("sku", "name", "description"))
    return {(row[sku].strip(), row[name].strip(), row[description]) for row in rows}
