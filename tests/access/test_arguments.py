"""Events with arguments that no page sends: each is refused or does nothing, and no handler fails."""

from collections.abc import Callable
from typing import Any

import pytest
from reflex_base.registry import RegistrationContext

from product_importer.access import permissions
from product_importer.access.pages.guard import handler_name
from product_importer.access.schemas import Role
from tests.access.people import add_person, sign_in
from tests.access.test_events import HANDLERS, LEAVES, hints_of, refusal, tab
from tests.access.websockets import WebsocketTab
from tests.application import Application

assert tab, "it is a fixture"

pytestmark = pytest.mark.e2e

ID = "01a225be-0000-7000-8000-000000000000"
VALUES = [
    "",
    "no id",
    ID,
    "x" * 50_000,
    "\0",
    -5,
    10**30,
    1.5,
    None,
    True,
    ["a"],
    {"a": 1},
    [{"row": []}],
    {"__reflex_form_data__": 5},
    {"__reflex_form_data__": [["attribute-name", "x"], ["sku", "x"], ["name", "x"], ["description", "x"]]},
    {"no.such.state": "x"},
    {"__reflex_form_data__": [["url", {"a": []}], ["event_types", None], ["days", 5], ["period", []]]},
]
# Of each event that has any; among the others is one that ends the sender's session.
ARGUMENTS = {
    event: names
    for event in HANDLERS
    if handler_name(event) in permissions.EVENTS
    and (names := [name for name, _ in hints_of(RegistrationContext.get().event_handlers[event].handler)])
}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_no_argument_makes_a_handler_fail(value: Any, tab: Callable[..., WebsocketTab], served: Application):
    opened = tab(sign_in(add_person(Role.ADMIN)))
    before = len(served.output.read_text())
    for event, names in ARGUMENTS.items():
        assert LEAVES not in refusal(opened, event, **dict.fromkeys(names, value)), event
    opened.close()
    said = served.output.read_text()[before:]
    assert "Traceback" not in said, said


def test_a_missing_or_unknown_argument_is_refused(tab: Callable[..., WebsocketTab]):
    opened = tab(sign_in(add_person(Role.ADMIN)))
    turn = next(event for event in HANDLERS if handler_name(event) == "DraftState.turn_list")
    for payload in ({}, {"by": 1, "more": 2}, {"by": "one"}):
        opened.send(turn, **payload)
        assert "wrong arguments" in str(opened.receive())
