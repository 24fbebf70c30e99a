"""Every event handler, sent over a real websocket by a stranger, a viewer, an editor and an administrator.

Also what outlives a session: open websockets, kept events, tokens of tabs.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from reflex.event import EventHandler
from reflex.state import UpdateVarsInternalState
from reflex_base.registry import RegistrationContext
from reflex_base.utils.format import format_event_handler
from simple_websocket import ConnectionClosed, ConnectionError  # type: ignore[import-untyped]

from product_importer.access import permissions, sessions
from product_importer.access.gate.handover import SESSION_HEADER
from product_importer.access.pages.account_state import AccountState
from product_importer.access.pages.guard import handler_name
from product_importer.access.pages.tabs import belongs
from product_importer.access.schemas import ROLE_PERMISSIONS, Role
from product_importer.access.secrets import digest_of
from product_importer.catalog.pages.delete_state import DeleteState
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.core import db
from product_importer.imports.pages.drafts.receive_state import ReceiveState
from product_importer.imports.pages.drafts.remembered import RememberedState
from product_importer.product_importer import app
from tests.access.people import add_person, sign_in
from tests.access.records import entries
from tests.access.websockets import WebsocketTab
from tests.application import Application

pytestmark = pytest.mark.e2e

assert app, "it registers all handlers"
HANDLERS = sorted(RegistrationContext.get().event_handlers)
# It shows a text in the state that the tab gets: as what the browser stores.
MARKED = format_event_handler(UpdateVarsInternalState.event_handlers["update_vars_internal"])
STORED = f"{RememberedState.get_full_name()}.mode"
# Sent last, because it ends the sender's session.
LAST = "AccountState.end_all_sessions"
NOT_OPEN = "not open to any role"
NOT_ALLOWED = "may not do this"
LEAVES = "/sign-in"

Open = Callable[..., WebsocketTab]


@pytest.fixture
def tab(database: None, served: Application) -> Iterator[Open]:
    """Open tabs: `tab(secret, token)`."""
    opened: list[WebsocketTab] = []

    def make(secret: str | None, token: str | None = None, **headers: str) -> WebsocketTab:
        opened.append(WebsocketTab(served.url, secret, token, **headers))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


def refusal(tab: WebsocketTab, event: Any, **payload: Any) -> str:
    """Send an event, and return the script with which it is refused; empty if it is not."""
    tab.send(event, **payload)
    # A tab's events are checked one after the other, so this one is answered after a refusal of the first.
    mark = f"mark {uuid4()}"
    tab.send(MARKED, vars={STORED: mark})
    while True:
        update = tab.receive()
        for script in (str(each["payload"]) for each in update.get("events") or ()):
            if any(sign in script for sign in (NOT_OPEN, NOT_ALLOWED, LEAVES)):
                return script
        if mark in str(update):
            return ""


@pytest.mark.parametrize("role", Role)
def test_each_role_may_send_what_the_table_says(role: Role, tab: Open):
    opened = tab(sign_in(add_person(role)))
    wrong = []
    for event in sorted(HANDLERS, key=lambda event: handler_name(event) == LAST):
        needed = permissions.EVENTS.get(handler_name(event))
        said = refusal(opened, event, **payload_of(event))
        expected = NOT_OPEN if needed is None else None if needed in ROLE_PERMISSIONS[role] else NOT_ALLOWED
        is_refused = NOT_OPEN in said or NOT_ALLOWED in said
        if is_refused != bool(expected) or (expected and expected not in said):
            wrong.append(f"{handler_name(event)}: expected {expected!r}, got {said!r}")
    assert not wrong, "\n".join(wrong)


def test_a_refused_event_is_logged(tab: Open, served: Application):
    viewer = add_person(Role.VIEWER)
    event = next(event for event in HANDLERS if handler_name(event) == "DeleteState.delete_product")
    assert NOT_ALLOWED in refusal(tab(sign_in(viewer)), event)
    assert (
        f"refused to person {viewer.email} at 127.0.0.1: the event DeleteState.delete_product"
        in served.output.read_text()
    )


def test_a_stranger_may_send_nothing(tab: Open):
    """A tab whose session has just ended, and before its websocket is closed."""
    for begin in range(0, len(HANDLERS), 30):
        secret = sign_in(add_person(Role.ADMIN))
        opened = tab(secret)
        end(secret)
        for event in HANDLERS[begin : begin + 30]:
            opened.send(event, **payload_of(event))
        updates = [message for message in opened.rest() if message.startswith("42")]
        assert len(updates) >= len(HANDLERS[begin : begin + 30])
        assert [update for update in updates if LEAVES not in update] == []


def test_a_stranger_gets_no_websocket_and_no_upload(served: Application, database: None):
    for secret in (None, "invented"):
        with pytest.raises((ConnectionError, ConnectionClosed)):
            WebsocketTab(served.url, secret)
    headers = {"reflex-client-token": str(uuid4()), "reflex-event-handler": HANDLERS[0]}
    assert served.client.post("/_upload", headers=headers, content=b"x").status_code == httpx.codes.UNAUTHORIZED


def test_a_websocket_opened_before_signing_out_gets_nothing_after_it(tab: Open):
    secret = sign_in(add_person(Role.VIEWER))
    opened = tab(secret)
    assert not refusal(opened, DeleteState.close)
    end(secret)
    opened.send(CatalogState.load_products)
    received = [message for message in opened.rest() if message.startswith("42")]
    assert received and [message for message in received if LEAVES not in message] == []


def has_form(tab: WebsocketTab) -> bool:
    """Whether the form of a product is open in a tab; the page that is loaded leaves it alone."""
    return bool(tab.hydrate("/account")["editor_state"]["is_open_rx_state_"])


def test_another_sessions_tab_token_gets_a_new_state(tab: Open):
    """Also after the first tab was closed, and for the same person's next session in the same tab."""
    account = add_person(Role.EDITOR)
    first = tab(sign_in(account))
    first.send(EditorState.start_product)
    assert has_form(first)
    first.close()
    for secret in (sign_in(add_person(Role.ADMIN)), sign_in(account)):
        other = tab(secret, first.token)
        assert other.was_replaced and other.token != first.token
        assert not has_form(other)


def test_a_tab_that_connects_again_keeps_its_state(tab: Open):
    secret = sign_in(add_person(Role.EDITOR))
    first = tab(secret)
    first.send(EditorState.start_product)
    assert has_form(first)
    first.close()
    again = tab(secret, first.token)
    assert not again.was_replaced
    assert has_form(again)


def test_a_copied_tab_gets_a_state_of_its_own(tab: Open):
    secret = sign_in(add_person(Role.VIEWER))
    first = tab(secret)
    copy = tab(secret, first.token)
    assert copy.token != first.token
    assert belongs(copy.token, digest_of(secret))


def test_what_the_browser_says_of_itself_counts_for_nothing(tab: Open):
    """Neither an event nor a connection can name a session by its digest."""
    admin, viewer = (digest_of(sign_in(add_person(role))).hex() for role in (Role.ADMIN, Role.VIEWER))
    opened = tab(sign_in(add_person(Role.VIEWER)), **{SESSION_HEADER: admin})
    opened.send(
        EditorState.start_product,
        {"pathname": "/", "headers": {SESSION_HEADER: admin}, "token": viewer, "ip": "203.0.113.1"},
    )
    assert NOT_ALLOWED in str(opened.receive())


def test_a_tab_cannot_send_the_beginning_of_a_connection(tab: Open):
    """Who has read a session's digest in the database would be that person, from any address."""
    admin, viewer = add_person(Role.ADMIN), add_person(Role.VIEWER)
    opened = tab(sign_in(viewer))
    opened.forge_connection(SESSION_HEADER, digest_of(sign_in(admin)).hex(), "203.0.113.7")
    assert NOT_ALLOWED in refusal(opened, EditorState.start_product)
    # Each of its events still carries the address from which it came.
    opened.send(AccountState.end_all_sessions)
    opened.rest()
    (entry,) = entries("signed_out_everywhere")
    assert (entry.actor_id, entry.address) == (viewer.id, "127.0.0.1")


def test_the_page_knows_who_is_at_it(tab: Open):
    account = add_person(Role.EDITOR)
    shown = tab(sign_in(account)).hydrate()["access_state"]
    known = {name.removesuffix("_rx_state_"): value for name, value in shown.items()}
    assert (known["name"], known["role"], known["signs_in"]) == (account.email, "editor", True)
    assert (known["can_import"], known["can_write"], known["is_admin"]) == (True, True, False)


def test_a_new_role_holds_from_the_next_event_on(tab: Open):
    account = add_person(Role.EDITOR)
    opened = tab(sign_in(account))
    assert not refusal(opened, EditorState.start_product)
    db.run(lambda session: session.merge(account).sqlmodel_update({"role": Role.VIEWER}))
    assert NOT_ALLOWED in refusal(opened, EditorState.start_product)


@pytest.mark.parametrize(
    ("role", "own", "status"),
    [(Role.VIEWER, True, 403), (Role.EDITOR, False, 403), (Role.EDITOR, True, 400)],
)
def test_an_upload_is_for_ones_own_tab_and_role(role: Role, own: bool, status: int, tab: Open, served: Application):
    """The body is no form, which only Reflex's own upload finds out."""
    secret, other = sign_in(add_person(role)), sign_in(add_person(role))
    headers = {
        "Cookie": f"pi_session={secret}",
        "Origin": served.url,
        "reflex-client-token": tab(secret if own else other).token,
        "reflex-event-handler": format_event_handler(ReceiveState.event_handlers["receive"]),
    }
    assert served.client.post("/_upload", headers=headers, content=b"x").status_code == status


def test_a_handler_acts_for_its_sender_alone(tab: Open):
    """Also in the background, in a thread: nobody ends another person's session by its id."""
    other = add_person(Role.VIEWER)
    sign_in(other)
    (theirs,) = db.run(sessions.list_sessions, other.id)
    opened = tab(sign_in(add_person(Role.ADMIN)))
    opened.send(AccountState.load_sessions)
    shown = str(opened.receive())
    assert shown.count("'is_own': True") == 1 and str(theirs.id) not in shown
    opened.send(AccountState.end_session, session_id=str(theirs.id))
    assert "ended already" in str(opened.receive())
    assert len(db.run(sessions.list_sessions, other.id)) == 1


def test_dialogs_know_of_no_other_tab(tab: Open):
    """An event replayed in another session finds nothing of the one that it was made for."""
    first, other = tab(sign_in(add_person(Role.EDITOR))), tab(sign_in(add_person(Role.EDITOR)))
    first.send(DeleteState.open_dialog, product_id=str(uuid4()), sku="MINE", name="x")
    assert "MINE" in str(first.receive())
    assert "MINE" not in str(other.hydrate())


def end(secret: str) -> None:
    db.run(sessions.end, digest_of(secret))


def payload_of(event: str) -> dict[str, Any]:
    """Return a value for each argument of a handler; most are not valid."""
    handler = RegistrationContext.get().event_handlers[event].handler
    return {name: {} if "FormData" in str(hint) or "dict" in str(hint) else "" for name, hint in hints_of(handler)}


def hints_of(handler: EventHandler) -> list[tuple[str, Any]]:
    given = list(inspect.signature(handler.fn).parameters.values())[1:]
    return [(each.name, each.annotation) for each in given if each.default is inspect.Parameter.empty]
