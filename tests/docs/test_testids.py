"""docs/testids.md lists every test id that the pages have, and no other."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from reflex.components.component import BaseComponent
from reflex.vars.base import LiteralVar

from product_importer.product_importer import app
from product_importer.ui.grid.component import DataGrid
from tests.docs.documents import ROOT, assert_same, first_column, read

DOCUMENT = read("docs/testids.md")
ROUTES = {
    "Overview": {"index"},
    "Products": {"products", "products/[product_id]"},
    "Imports": {"imports", "imports/[import_id]"},
    "Webhooks": {"webhooks", "webhooks/[webhook_id]"},
    "Record": {"audit"},
    "Tokens": {"tokens"},
    "Account": {"account"},
}
# It has only what every page has.
PLAIN = "404"
ID = re.compile(r"[a-z]+([-_][a-z]+)*(-…)?")
# What every grid draws itself.
PARTS = [ROOT / "assets/grid.jsx", *ROOT.glob("assets/grid/*.jsx")]
DRAWN = frozenset(id for part in PARTS for id in re.findall(r'data-testid="([^"]+)"', part.read_text()))
# What follows the fixed part of a text that is made of a value.
VALUE = re.compile(r"<reflex\.Var>.*", re.DOTALL)


@cache
def ids(route: str) -> frozenset[str]:
    """Return the test ids of a page, also of what it shows only at times; `…` stands for a value in one."""
    page = app._unevaluated_pages[route].component
    component = page() if callable(page) else page
    assert isinstance(component, BaseComponent)
    return frozenset(_ids(component))


def _ids(component: BaseComponent) -> Iterator[str]:
    if given := getattr(component, "custom_attrs", {}).get("data-testid"):
        yield VALUE.sub("…", given if isinstance(given, str) else f"{given}")
    if isinstance(component, DataGrid):
        yield from DRAWN
        yield from _ids_of_grid(component)
    for child in (*component.children, *getattr(component, "_get_components_in_props", tuple)()):
        yield from _ids(child)


def _ids_of_grid(grid: DataGrid) -> Iterator[str]:
    """Return the test ids that a page gives to parts of its grid, or the default ones."""
    default = {"row": "grid-row", "table": str(grid.name).strip('"')}
    given = grid.ids._var_value if isinstance(grid.ids, LiteralVar) else default
    yield from given.values()
    if "columns" in given:
        yield f"{given['columns']}-menu"


def of_section(heading: str) -> frozenset[str]:
    return frozenset[str]().union(*map(ids, ROUTES[heading]))


def of_all() -> frozenset[str]:
    """Return what each section would list."""
    return frozenset.intersection(*map(of_section, ROUTES))


def listed(heading: str) -> set[str]:
    return first_column(DOCUMENT.partition(f"## {heading}\n")[2], "| test id | what it is |")


def test_every_page_is_listed():
    assert {route for routes in ROUTES.values() for route in routes} | {PLAIN} == set(app._unevaluated_pages)
    assert re.findall(r"^## (.*)$", DOCUMENT, re.MULTILINE) == ["Every page", *ROUTES]


def test_what_every_page_has_is_listed_once():
    assert_same(listed("Every page"), of_all(), "docs/testids.md, Every page")
    assert ids(PLAIN) <= of_all()


@pytest.mark.parametrize("heading", ROUTES)
def test_every_test_id_of_a_page_is_listed_and_every_listed_one_exists(heading):
    assert_same(listed(heading), of_section(heading) - of_all(), f"docs/testids.md, {heading}")


def test_test_ids_are_words_with_hyphens():
    found = frozenset[str]().union(*map(ids, app._unevaluated_pages))
    assert len(found) > 150
    assert not [id for id in found if not ID.fullmatch(id)]
