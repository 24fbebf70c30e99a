"""The view models of rejected rows."""

from product_importer.imports.error_codes import RowErrorCode
from product_importer.imports.pages.rejection_views import (
    MAX_COLUMNS,
    TITLES,
    ReasonView,
    RejectionView,
    counted_only,
    more_rows,
    shown_columns,
)
from product_importer.imports.row_errors import RejectionCount, RejectionCounts, RowRejection, RowRejectionPage

CELLS = [str(number) for number in range(MAX_COLUMNS + 3)]


def page(*rows: RowRejection, total: int) -> RowRejectionPage:
    columns = [f"c{cell}" for cell in CELLS]
    return RowRejectionPage(items=list(rows), total=total, page=1, page_size=10, columns=columns)


def row(wrong_cell: int | None, cells: list[str] = CELLS) -> RowRejection:
    return RowRejection(line=1_002, code=RowErrorCode.NO_SKU, reason="Why.", cells=cells, wrong_cell=wrong_cell)


def test_each_code_has_a_title():
    assert set(TITLES) == set(RowErrorCode)


def test_a_reason_names_its_first_lines():
    found = RejectionCount(code=RowErrorCode.NO_SKU, count=7, first_lines=[2, 1_003], reason="Why.")
    shown = ReasonView.of(found)
    assert (shown.title, shown.count, shown.lines) == ("The SKU is missing", "7 rows", "lines 2, 1,003, …")
    one = ReasonView.of(found.model_copy(update={"count": 1, "first_lines": [2]}))
    assert (one.count, one.lines) == ("1 row", "line 2")


def test_a_wrong_cell_is_shown_however_far_to_the_right():
    shown = shown_columns(page(row(None), row(MAX_COLUMNS + 1), total=2))
    assert [at for at, _ in shown] == [*range(MAX_COLUMNS), MAX_COLUMNS + 1]
    view = RejectionView.of(row(MAX_COLUMNS + 1), shown)
    assert (view.line, view.cells[-1].label, view.cells[-1].is_wrong) == ("1,002", f"c{MAX_COLUMNS + 1}", True)
    assert not any(cell.is_wrong for cell in view.cells[:-1])


def test_a_row_with_too_few_cells_has_blank_ones():
    view = RejectionView.of(row(None, ["a", "b" * 500]), [(0, "x"), (1, "y"), (2, "z")])
    assert [cell.text[:1] for cell in view.cells] == ["a", "b", ""]
    assert len(view.cells[1].text) < 200


def test_it_is_said_where_not_all_is_shown():
    assert more_rows(page(row(None), total=5)) == "These are the first 1 of 5 rejected rows."
    assert more_rows(page(row(None), total=1)) == ""
    assert counted_only(RejectionCounts(items=[], counted=5, total=9)) == "Reasons of the first 5 rejected rows."
    assert counted_only(RejectionCounts(items=[], counted=5, total=5)) == ""
