"""The state of the page of one's own account: the password, and where one is signed in."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType

from product_importer.access import own_sessions, passwords, principal, service
from product_importer.access.models import AccountSession
from product_importer.access.pages.browsers import browser_name
from product_importer.access.pages.leaving import go_to_sign_in
from product_importer.core import db
from product_importer.core.errors import DomainError, invalid_fields
from product_importer.core.outages import unavailable
from product_importer.ui import toasts
from product_importer.ui.formatting import DASH
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

OLD, NEW, AGAIN = "old", "new", "again"
NOT_THE_SAME = "The two new passwords differ."


@dataclass(frozen=True)
class SessionView:
    """One browser in which the person is signed in; times are ISO 8601."""

    id: str = ""
    browser: str = ""
    address: str = ""
    created_at: str = ""
    last_used_at: str = ""
    is_own: bool = False

    @classmethod
    def of(cls, found: AccountSession, own: bytes | None) -> "SessionView":
        """Return what the page shows of a session; `own` is the digest of the one that asks."""
        times = (moment.isoformat() if moment else "" for moment in (found.created_at, found.last_used_at))
        return cls(
            str(found.id), browser_name(found.user_agent), found.address or DASH, *times, is_own=found.digest == own
        )


class AccountState(rx.State):
    """One browser tab's view of the person's account. It never holds a password."""

    sessions: list[SessionView] = []  # noqa: RUF012 - Reflex copies it for each tab
    loaded: bool = False
    error: str = ""
    has_password: bool = True
    is_saving: bool = False
    # By the name of the field, and why nothing was changed otherwise.
    field_errors: dict[str, str] = {}  # noqa: RUF012 - Reflex copies it for each tab
    password_error: str = ""
    # When this number changes, the form is empty again.
    filling: int = 0

    @rx.event
    def open_account(self) -> EventType[()]:
        """Show the account, without what an earlier visit left."""
        self.error, self.password_error, self.field_errors = "", "", {}
        self.filling += 1
        return AccountState.load_sessions

    @rx.event(background=True, supersedes=True)
    async def load_sessions(self) -> None:
        """Load where the person is signed in."""
        who = principal.current()
        try:
            found = await ask(own_sessions.list_own)
            account = await ask(service.read_account, who.account_id) if who.account_id else None
        except DomainError as error:
            async with self:
                self.error = error.detail
            return
        async with self:
            self.sessions = [SessionView.of(each, who.credential) for each in found]
            self.has_password = account is not None and account.password_hash is not None
            self.loaded, self.error = True, ""

    @rx.event(background=True)
    async def change_password(self, sent: dict[str, Any]) -> list[EventType[()]] | None:
        """Change the password; sessions in other browsers end."""
        async with self:
            if self.is_saving:
                return None
            self.is_saving, self.password_error, self.field_errors = True, "", {}
        wrong = await _change_password(sent)
        async with self:
            self.is_saving = False
            if wrong is not None:
                self.field_errors = _fields_of(wrong)
                self.password_error = "" if self.field_errors else wrong.detail
                return None
            self.filling += 1
        changed = toasts.success("The password was changed.", description="Other browsers were signed out.")
        return [changed, AccountState.load_sessions]

    @rx.event(background=True)
    async def end_session(self, session_id: str) -> list[EventType[()]]:
        """Sign out one browser; this one leaves."""
        try:
            await ask(own_sessions.end_own, parse_id(session_id, "session"))
        except DomainError as error:
            return [toasts.error(error.detail), AccountState.load_sessions]
        return [toasts.success("That browser was signed out."), AccountState.load_sessions]

    @rx.event(background=True)
    async def end_all_sessions(self) -> EventSpec:
        """Sign out every browser, this one included."""
        try:
            await ask(own_sessions.end_all_own)
        except DomainError as error:
            return toasts.error(error.detail)
        return go_to_sign_in()


async def _change_password(sent: dict[str, Any]) -> DomainError | None:
    """Change the password with what a form sent; return why not."""
    who = principal.current()
    old, new, again = (str(sent.get(name, "")) for name in (OLD, NEW, AGAIN))
    try:
        if new != again:
            raise invalid_fields([{"field": AGAIN, "message": NOT_THE_SAME}])
        assert who.account_id is not None
        await passwords.in_turn(db.run, service.change_password, who.account_id, old, new, who.credential)
    except db.OUTAGE as error:
        return unavailable(error)
    except DomainError as error:
        return error
    return None


def _fields_of(error: DomainError) -> dict[str, str]:
    """Return the messages of an error about the form's fields, by their names."""
    listed = error.extra.get("errors", ())
    return {item["field"]: item["message"] for item in listed if item["field"] in (OLD, NEW, AGAIN)}
