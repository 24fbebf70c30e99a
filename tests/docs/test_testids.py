"""docs/testids.md lists every test id that the pages have, and no other."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from reflex.components.component import BaseComponent
from reflex_base.vars.base import Var

from product_importer.product_importer import app
from tests.docs.documents import assert_same, first_column, read

DOCUMENT = read("docs/testids.md")
ROUTES = {
    "Products": {"index"},
    "Imports": {"imports", "imports/[import_id]"},
    "Webhooks": {"webhooks", "webhooks/[webhook_id]"},
    "Record": {"audit"},
    "Tokens": {"tokens"},
    "Account": {"account"},
}
# What every page has stands on this one alone.
PLAIN = "404"
ID = re.compile(r"[a-z]+([-_][a-z…]+)*")


@cache
def ids(route: str) -> frozenset[str]:
    """Return the test ids of a page, also of what it shows only at times."""
    page = app._unevaluated_pages[route].component
    component = page() if callable(page) else page
    assert isinstance(component, BaseComponent)
    return frozenset(_ids(component))


def _ids(component: BaseComponent) -> Iterator[str]:
    if given := getattr(component, "custom_attrs", {}).get("data-testid"):
        yield _words(given)
    for child in (*component.children, *getattr(component, "_get_components_in_props", tuple)()):
        yield from _ids(child)


def _words(given: str | Var[str]) -> str:
    """Return an id; one that is made of a value has `…` in its place."""
    return given if isinstance(given, str) else "…".join(re.findall(r'"([^"]*)"', str(given)))


def listed(heading: str) -> set[str]:
    return first_column(DOCUMENT.partition(f"## {heading}\n")[2], "| test id | what it is |")


def test_every_page_is_listed():
    assert {route for routes in ROUTES.values() for route in routes} | {PLAIN} == set(app._unevaluated_pages)
    assert re.findall(r"^## (.*)$", DOCUMENT, re.MULTILINE) == ["Every page", *ROUTES]


def test_what_every_page_has_is_listed_once():
    assert_same(listed("Every page"), ids(PLAIN), "docs/testids.md, Every page")
    assert all(ids(PLAIN) <= ids(route) for routes in ROUTES.values() for route in routes)


@pytest.mark.parametrize("heading", ROUTES)
def test_every_test_id_of_a_page_is_listed_and_every_listed_one_exists(heading):
    found = frozenset[str]().union(*map(ids, ROUTES[heading])) - ids(PLAIN)
    assert_same(listed(heading), found, f"docs/testids.md, {heading}")


def test_test_ids_are_words_with_hyphens():
    found = frozenset[str]().union(*map(ids, app._unevaluated_pages))
    assert len(found) > 150
    assert not [id for id in found if not ID.fullmatch(id)]
