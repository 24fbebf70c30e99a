"""Events that no page sends, from somebody who may send them: nothing fails, and nothing changes."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from product_importer.access.schemas import Role
from product_importer.catalog import service
from product_importer.catalog.pages.filters_state import FiltersState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.product.state import ProductHistoryState
from product_importer.catalog.pages.views_state import ViewState
from product_importer.catalog.schemas import ProductCreate, ProductQuery
from product_importer.core import db
from product_importer.imports.pages.actions.action_state import ActionState
from product_importer.overview.pages.overview_state import OverviewState
from product_importer.ui.connection.state import ConnectionState
from product_importer.ui.palette.state import PaletteState
from tests.access.people import add_person, sign_in
from tests.access.websockets import WebsocketTab
from tests.application import Application
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

TEXTS = ("\0", "\ud800", "x" * 5_000, "${alert(1)}", "'; DROP TABLE product; --", "../..", "{0}", "")
LAYOUT: dict[str, Any] = {"stamp": "", "order": [], "hidden": [], "shown": [], "widths": {}, "density": ""}


def hostile(id: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield events with their arguments, each of the type that its handler takes."""
    for text in TEXTS:
        for handler in (
            CatalogState.search_products,
            CatalogState.filter_name,
            CatalogState.filter_active,
        ):
            yield handler, {"value": text}
        yield CatalogState.sort_products, {"sort": text}
        yield CatalogState.sort_by_column, {"column": text}
        yield CatalogState.set_page_size, {"size": text}
        yield CatalogState.filter_attribute, {"name": text, "value": text}
        yield CatalogState.export_products, {"format": text}
        yield FiltersState.add, {"form": {"attribute": text}}
        yield CatalogState.set_layout, {"layout": {**LAYOUT, "shown": [f"@{text}"], "widths": {text: 1e308}}}
        yield ViewState.ask_name, {"dialog": text}
        yield ViewState.save_name, {"form": {"view-name": text or "Mine"}}
        yield ViewState.choose_view, {"name": text}
        yield CatalogState.edit_cells, {"edits": [{"row": text, "column": "name", "value": "x"}], "beyond": -1}
        edits = [{"row": id, "column": text, "value": text}]
        yield CatalogState.edit_cells, {"edits": edits, "beyond": 10**30, "locked": -(10**30)}
        yield CatalogState.load_cells, {"cells": [{"row": text, "column": text}], "number": -1}
        yield CatalogState.switch_product, {"product_id": text, "active": True}
        yield CatalogState.select_rows, {"ids": [text], "is_on": True}
        yield ActionState.choose_field, {"field": text}
        yield ActionState.set_field, {"form": {"field": "active", "value": {"a": text}, "name": [text]}}
        yield ActionState.set_field, {"form": {"field": [text], "value": text}}
        yield ProductHistoryState.open_history, {"product_id": text}
        yield PaletteState.search, {"text": text}
        yield OverviewState.follow_overview, {"zone": text}
        yield ConnectionState.begin_page, {"route": text}
    many = [{"row": id, "column": f"@{number}", "value": "x"} for number in range(5_000)]
    yield CatalogState.edit_cells, {"edits": many, "beyond": 0}
    yield CatalogState.load_cells, {"cells": [{"row": id, "column": "name"}] * 5_000, "number": 1}
    yield CatalogState.set_layout, {"layout": {**LAYOUT, "shown": ["x" * 100_000]}}
    yield CatalogState.turn_page, {"to": 10**30}
    yield CatalogState.undo_edits, {"number": 10**30}
    yield ActionState.cancel, {}
    yield ActionState.delete, {}


def settle(tab: WebsocketTab) -> None:
    """Wait until the server has taken all events of a tab: they are taken one after the other."""
    mark = f"A {uuid4()}"
    tab.send(CatalogState.search_products, value=mark)
    wait_for(lambda: mark in str(tab.receive()), 120, "the last event is answered")


def test_events_that_no_page_sends_fail_nowhere(database: None, served: Application):
    product = db.run(service.create_product, ProductCreate(sku="A", name="Mug"))
    begin = len(served.output.read_text())
    tab = WebsocketTab(served.url, sign_in(add_person(Role.EDITOR)))
    for handler, given in hostile(str(product.id)):
        tab.send(handler, **given)
    settle(tab)
    # What runs in the background has ended when a later tab is answered.
    other = WebsocketTab(served.url, sign_in(add_person(Role.EDITOR)))
    settle(other)
    written = served.output.read_text()[begin:]
    for opened in (tab, other):
        opened.close()
    assert "Traceback" not in written, written[:5_000]
    assert [one.name for one in db.run(service.list_products, ProductQuery()).items] == ["Mug"]


def test_half_of_a_character_is_refused_and_the_connection_stays(database: None, served: Application):
    tab = WebsocketTab(served.url, sign_in(add_person(Role.VIEWER)))
    for value in ("a \ud83d", "\ude00"):
        tab.send(CatalogState.search_products, value=value)
        assert "half of a character" in str(tab.receive())
    tab.send(CatalogState.search_products, value="\U0001f600")
    assert "\U0001f600" in str(tab.receive())
    tab.close()
