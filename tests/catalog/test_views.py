"""Views of the list of products under names: saved, updated, renamed, deleted."""

import pytest
from sqlalchemy import insert

from product_importer.catalog.models import SavedView
from product_importer.catalog.views import (
    MAX_SETTINGS,
    MAX_VIEWS,
    create_view,
    delete_view,
    find_view,
    list_views,
    rename_view,
    update_view,
)
from product_importer.core import db
from product_importer.core.errors import Conflict, NotFound, Unprocessable

SETTINGS = {"address": {"active": "false", "sort": "name"}, "layout": {"hidden": ["description"]}}


def saved() -> list[tuple[str, dict]]:
    with db.session() as session:
        return [(view.name, dict(view.settings)) for view in list_views(session)]


def test_views_are_listed_by_name_as_they_were_spelt(database):
    for name in (" zeta ", "Älteste", "<reflex.Var>1</reflex.Var>", "alpha"):
        db.run(create_view, name, SETTINGS)
    assert [name for name, _ in saved()] == ["<reflex.Var>1</reflex.Var>", "alpha", "zeta", "Älteste"]
    assert dict(saved())["zeta"] == SETTINGS


def test_a_name_is_taken_in_any_case(database):
    db.run(create_view, "Straße", SETTINGS)
    with pytest.raises(Conflict, match="There is a view “STRASSE” already"):
        db.run(create_view, "\u00a0STRASSE\u200b", {})
    assert saved() == [("Straße", SETTINGS)]
    assert db.run(find_view, "strasse").name == "Straße"


def test_a_view_is_updated_and_renamed(database):
    before = db.run(create_view, "Old", SETTINGS).updated_at
    after = db.run(update_view, "OLD", {"address": {}}).updated_at
    assert before and after and before < after
    db.run(create_view, "Other", {})
    with pytest.raises(Conflict):
        db.run(rename_view, "old", "other")
    db.run(rename_view, "old", "OLD")
    db.run(rename_view, "old", "New")
    assert saved() == [("New", {"address": {}}), ("Other", {})]


def test_a_view_is_deleted_by_its_name_in_any_case(database):
    db.run(create_view, "Gone", SETTINGS)
    db.run(delete_view, "gONE")
    assert saved() == []


@pytest.mark.parametrize("name", ["missing", "", "\0", "\ud800", "x" * 10_000])
def test_a_view_that_is_not_there_is_not_found(database, name):
    for service, *more in ((find_view,), (delete_view,), (update_view, {}), (rename_view, "Other")):
        with pytest.raises(NotFound):
            db.run(service, name, *more)


@pytest.mark.parametrize("name", ["", " \u200b ", "x" * 101, "a\nb", "a\0b", "\ud800"])
def test_an_impossible_name_is_refused(database, name):
    db.run(create_view, "Fine", {})
    for service, *given in ((create_view, name, {}), (rename_view, "Fine", name)):
        with pytest.raises(Unprocessable, match="1 to 100 visible characters"):
            db.run(service, *given)
    assert saved() == [("Fine", {})]


def test_views_are_bounded(database):
    rows = [{"name_key": f"view {n}", "name": f"View {n}", "settings": {}} for n in range(MAX_VIEWS)]
    with db.engine().begin() as connection:
        connection.execute(insert(SavedView), rows)
    with pytest.raises(Conflict, match="Delete one first"):
        db.run(create_view, "One more", {})
    with pytest.raises(Unprocessable, match="too many for a view"):
        db.run(update_view, "view 1", {"layout": "x" * MAX_SETTINGS})


@pytest.mark.parametrize(
    "settings",
    [
        {"layout": {"shown": ["@a", "\0"]}},
        {"layout": {"widths": {"\ud800": 1}}},
        {"layout": {"widths": {"sku": float("nan")}}},
        {"address": {"q": "\0"}},
    ],
    ids=repr,
)
def test_settings_that_cannot_be_stored_are_refused(database, settings):
    with pytest.raises(Unprocessable, match="cannot be stored"):
        db.run(create_view, "Mugs", settings)
    assert saved() == []
