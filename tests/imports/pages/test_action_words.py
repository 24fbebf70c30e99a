"""Actions on products are shown as what they are, and not as imports of a file."""

import pytest

from product_importer.imports.action_schemas import StoredAction
from product_importer.imports.pages import action_words
from product_importer.imports.schemas import ImportWarning
from tests.imports.pages.test_view_models import seen

SET = StoredAction(
    kind="set",
    values={"name": "<b>", "active": False, "attributes": {"season": "spring", "old": ""}},
    filter={"q": "mug", "active": True},
)


def test_a_completed_action_says_what_it_has_done():
    shown = seen(status="completed", action=SET, total_rows=5, updated=3, unchanged=2)
    assert (shown.result, shown.tone, shown.action) == ("3 products changed, 2 unchanged", "good", "set")
    assert shown.created_address == ""


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("delete", {"deleted": 1, "total_rows": 1}, "1 product deleted"),
        ("activate", {"updated": 1_000, "total_rows": 1_000}, "1,000 products activated"),
        ("deactivate", {"total_rows": 0}, "No product matched"),
    ],
)
def test_each_kind_has_its_words(kind: str, given: dict, words: str):
    action = StoredAction(kind=kind, filter={})
    assert seen(status="completed", action=action, **given).result == words


def test_a_cancelled_action_says_how_far_it_came_and_can_be_retried():
    action = StoredAction(kind="delete", filter={})
    shown = seen(status="cancelled", action=action, total_rows=900, deleted=300, file_available=False)
    assert shown.result == "Cancelled: 300 products deleted before"
    assert shown.stopped == "Stopped: 300 of 900 products are deleted."
    assert shown.can_retry and not shown.file_gone


def test_the_details_say_which_products_and_which_values():
    shown = seen(action=SET)
    assert shown.action_products == "any text contains “mug”, active is yes"
    values = {fact.label: fact.value for fact in shown.action_values}
    assert values == {"name": "“<b>”", "active": "no", "season": "“spring”", "old": "empty"}
    assert action_words.products(StoredAction(kind="delete", filter={})) == "All products"
    selected = StoredAction(kind="delete", filter={}, selected=1)
    assert action_words.products(selected) == "1 product selected one by one"


def test_a_running_action_finds_its_products_and_then_writes():
    shown = seen(status="processing", phase="reading", action=SET)
    assert (shown.doing, shown.bar.part, shown.bar.begins) == ("Finding the products", "Finding", "Finding")


def test_no_filter_is_hidden():
    given = {"attribute.colour": "teal", "attribute.<b>": "", "from_a_newer_version": "x"}
    words = action_words.products(StoredAction(kind="delete", filter=given))
    assert words == "colour contains “teal”, has the attribute “<b>”, from_a_newer_version “x”"


def test_an_action_says_how_many_products_it_left():
    left = ImportWarning(code="attributes_full", count=2_000, first_line=None, message="They stayed.")
    shown = seen(status="completed", action=SET, total_rows=3_000, updated=900, unchanged=2_100, warnings=[left])
    assert shown.result == "900 products changed, 2,100 unchanged (2,000 can take no more attributes)"
    assert [(one.message, one.where) for one in shown.warnings] == [("They stayed.", "2,000 products.")]
