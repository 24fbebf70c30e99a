"""List, create and delete tokens in one browser tab."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType
from reflex_base.utils.form import FormData

from product_importer.access import tokens
from product_importer.access.schemas import TokenCreate, TokenRead
from product_importer.core.errors import DomainError, NotFound
from product_importer.core.pagination import PageQuery
from product_importer.ui import formatting, toasts
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.ids import parse_id
from product_importer.ui.modal import scroll_to_notice
from product_importer.ui.services import ask, ask_page

DIALOG = "token-dialog"
PAGE_SIZE = 20
# What the form offers: for how many days, and the words for it; 0 is for ever.
PERIODS = {30: "in 30 days", 90: "in 90 days", 365: "in 1 year", 0: "never"}


@dataclass(frozen=True)
class TokenView:
    """A token as the list shows it; times are ISO 8601, empty where there is none."""

    id: str = ""
    name: str = ""
    scopes: str = ""
    owner: str = ""
    created_at: str = ""
    expires_at: str = ""
    last_used_at: str = ""
    is_expired: bool = False

    @classmethod
    def of(cls, token: TokenRead) -> Self:
        """Return a token as the list shows it."""
        return cls(
            str(token.id),
            token.name,
            ", ".join(token.scopes),
            token.owner,
            _iso(token.created_at),
            _iso(token.expires_at),
            _iso(token.last_used_at),
            token.expires_at is not None and token.expires_at <= datetime.now(UTC),
        )


class TokenState(rx.State):
    """A page of the tokens."""

    tokens: list[TokenView] = []  # noqa: RUF012 - Reflex copies it for each tab
    list_page: int = 1
    pages: int = 1
    loaded: bool = False
    load_error: str = ""

    @rx.event
    def open_tokens(self) -> EventType[()]:
        """Show the newest tokens."""
        self.tokens, self.list_page, self.loaded, self.load_error = [], 1, False, ""
        return TokenState.load_tokens

    @rx.event
    def turn_list(self, by: int) -> EventType[()]:
        """Turn the list by `by` pages."""
        self.list_page = min(max(1, self.list_page + by), self.pages)
        return TokenState.load_tokens

    @rx.event(background=True, supersedes=True)
    async def load_tokens(self) -> None:
        """Load the shown tokens."""
        try:
            found = await ask_page(tokens.list_tokens, PageQuery(page=self.list_page, page_size=PAGE_SIZE))
        except DomainError as error:
            async with self:
                self.load_error = error.detail
            return
        async with self:
            self.tokens = [TokenView.of(token) for token in found.items]
            self.list_page, self.pages, self.loaded, self.load_error = found.page, found.pages, True, ""


class TokenEditorState(rx.State):
    """The form of a new token, and the token that it made, which is shown once."""

    is_open: bool = False
    is_saving: bool = False
    # By field name; `form_error` is about the form as a whole.
    field_errors: dict[str, str] = {}  # noqa: RUF012 - Reflex copies it for each tab
    form_error: str = ""
    # Changes each time the form is opened, so that it is empty then.
    number: int = 0
    name: str = ""
    secret: str = ""
    is_copied: bool = False

    @rx.event
    def start_token(self) -> None:
        """Open the empty form."""
        self.number += 1
        self.is_open, self.field_errors, self.form_error = True, {}, ""

    @rx.event
    def close_editor(self) -> None:
        """Close the form."""
        self.is_open = False

    @rx.event(background=True)
    async def create_token(self, sent: FormData[str, Any]) -> EventType[()] | None:
        """Create the token, and show it."""
        async with self:
            if self.is_saving:
                return None
            self.is_saving, self.form_error, self.field_errors = True, "", {}
        try:
            created = await ask(tokens.create_token, _read_form(sent.multi_items()))
        except (DomainError, ValidationError) as error:
            async with self:
                self.is_saving = False
                self.field_errors, self.form_error = _field_errors(error), _error_text(error)
            return scroll_to_notice(DIALOG)
        async with self:
            self.is_saving = self.is_open = self.is_copied = False
            self.name, self.secret = created.name, created.token
        return TokenState.load_tokens

    @rx.event
    def mark_copied(self, done: bool) -> None:
        """Show whether the token has been copied."""
        self.is_copied = bool(done)

    @rx.event
    def forget_secret(self) -> None:
        """Close the dialog that shows the token."""
        self.secret = ""


class TokenDeleteState(ConfirmationState, rx.State):
    """The token that one browser tab is about to delete."""

    token_id: str = ""
    name: str = ""

    @rx.event
    def open_dialog(self, token_id: str, name: str) -> None:
        """Open the dialog for one token."""
        self.token_id, self.name = token_id, name
        self._open()

    @rx.event(background=True)
    async def delete_token(self) -> list[EventType[()]] | None:
        """Delete the token."""
        toast = await self._confirm(partial(_delete, self.token_id))
        return None if toast is None else [toast, TokenState.load_tokens]


async def _delete(token_id: str) -> EventSpec:
    """Delete a token and return the toast that says so."""
    try:
        await ask(tokens.delete_token, parse_id(token_id, "token"))
    except NotFound:
        return toasts.info("The token was already deleted.")
    return toasts.success("The token was deleted.")


def _read_form(sent: Iterable[tuple[str, Any]]) -> TokenCreate:
    """Read the form's entries: one for each field, and one for each selected scope.

    Raises:
        ValidationError: fields are wrong.
    """
    entries = [(name, str(value)) for name, value in sent]
    fields = dict(entries)
    days = int(fields.get("days", "")) if fields.get("days", "").isdecimal() else 0
    return TokenCreate.model_validate(
        {
            "name": fields.get("name", ""),
            "scopes": [value for name, value in entries if name == "scopes"],
            "expires_at": datetime.now(UTC) + timedelta(days=days) if days in PERIODS and days else None,
        }
    )


def _field_errors(error: DomainError | ValidationError) -> dict[str, str]:
    if isinstance(error, ValidationError):
        return {str(item["loc"][0]): _sentence(item) for item in reversed(error.errors())}
    return {item["field"]: item["message"] for item in error.extra.get("errors", ())}


def _sentence(item: Any) -> str:
    return "Choose at least one scope." if item["loc"] == ("scopes",) else formatting.field_error(item)


def _error_text(error: DomainError | ValidationError) -> str:
    return "" if _field_errors(error) or isinstance(error, ValidationError) else error.detail


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
