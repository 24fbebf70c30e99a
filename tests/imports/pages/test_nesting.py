"""Imports of fixed rows stand below the imports whose rows they fix, as far as these are on the page."""

from product_importer.imports.pages.nesting import MAX_DEPTH, nested
from product_importer.imports.pages.view_models import ImportView


def order(*imports: str) -> list[str]:
    """Return a page of imports, such as `c of a`, newest first, as the history shows it."""
    given = [name.partition(" of ") for name in imports]
    shown = nested([ImportView(id=id, parent=parent) for id, _, parent in given])
    return [f"{'-' * job.depth}{job.id}" for job in shown]


def test_unrelated_imports_stay_newest_first():
    assert order("c", "b", "a") == ["c", "b", "a"]
    assert order() == []


def test_a_family_stands_where_its_newest_member_does():
    assert order("e of a", "d", "c", "b", "a") == ["a", "-e", "d", "c", "b"]
    assert order("d", "c of a", "b", "a") == ["d", "a", "-c", "b"]


def test_imports_of_the_same_rows_come_in_the_order_of_time():
    assert order("d of a", "c of a", "b of a", "a") == ["a", "-b", "-c", "-d"]


def test_fixes_of_fixes_are_nested_deeper():
    assert order("e", "d of c", "c of a", "b of a", "a") == ["e", "a", "-b", "-c", "--d"]


def test_imports_whose_parent_is_on_another_page_stand_at_the_edge():
    assert order("d of c", "c of x", "b", "a of x") == ["c", "-d", "b", "a"]


def test_the_depth_is_bounded_and_no_import_is_lost():
    chain = [f"{n} of {n - 1}" for n in range(20, 1, -1)] + ["1"]
    shown = order(*chain)
    assert [name.lstrip("-") for name in shown] == [str(n) for n in range(1, 21)]
    assert shown[-1] == f"{'-' * MAX_DEPTH}20"
