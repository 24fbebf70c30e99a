"""The states of the named mappings on a draft's page: choose one, save the chosen columns, delete one."""

from functools import partial
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType

from product_importer.core.errors import DomainError, NotFound
from product_importer.imports.columns import named_mappings
from product_importer.imports.pages.drafts.draft_state import DraftState
from product_importer.ui import toasts
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.services import ask


class MappingState(ConfirmationState, rx.State):
    """The named mappings as one browser tab knows them; the dialog asks for the name of a new one."""

    names: list[str] = []  # noqa: RUF012 - Reflex copies it for each tab
    chosen: str = ""

    @rx.event
    def open_mappings(self) -> EventType[()]:
        """Begin with no mapping when a draft's page opens."""
        self.chosen = ""
        return MappingState.load_mappings

    @rx.event(background=True)
    async def load_mappings(self) -> None:
        """Load the names."""
        try:
            found = await ask(_names)
        except DomainError:
            return
        async with self:
            self.names = found
            self.chosen = self.chosen if self.chosen in found else ""

    @rx.event(background=True)
    async def choose_mapping(self, name: str) -> EventType[()] | None:
        """Give the columns of the file what the mapping says; an empty name finds the columns again."""
        async with self:
            self.chosen = name
        if not name:
            return DraftState.forget_columns
        try:
            columns = await ask(_columns_of, name)
        except DomainError as error:
            return [toasts.error(error.title, description=error.detail), MappingState.load_mappings]
        return DraftState.use_mapping(columns)

    @rx.event
    def ask_name(self) -> None:
        """Ask for the name of a new mapping."""
        self._open()

    @rx.event(background=True)
    async def save_mapping(self, form: dict[str, Any]) -> EventType[()] | None:
        """Save what the columns become under a name."""
        async with self:
            draft = await self.get_state(DraftState)
            columns = {column.name: column.target for column in draft._preview.columns if column.name}
        name = str(form.get("mapping-name", ""))
        saved = await self._confirm(lambda: ask(_save, name, columns))
        if saved is None:
            return None
        async with self:
            self.chosen = saved
        return [toasts.success(f"The mapping “{saved}” was saved."), MappingState.load_mappings]


class MappingDeleteState(ConfirmationState, rx.State):
    """The named mapping that one browser tab is about to delete."""

    name: str = ""

    @rx.event
    async def open_dialog(self) -> None:
        """Ask before the chosen mapping is deleted."""
        self.name = (await self.get_state(MappingState)).chosen
        self._open()

    @rx.event(background=True)
    async def delete_mapping(self) -> EventType[()] | None:
        """Delete the mapping; the columns stay as they are."""
        toast = await self._confirm(partial(_delete, self.name))
        return [toast, MappingState.load_mappings] if toast else None


async def _delete(name: str) -> EventSpec:
    """Delete a mapping and return the toast that says so."""
    try:
        await ask(named_mappings.delete_mapping, name)
    except NotFound:
        return toasts.info(f"The mapping “{name}” was already deleted.")
    return toasts.success(f"The mapping “{name}” was deleted.")


def _names(session: Any) -> list[str]:
    return [one.name for one in named_mappings.list_mappings(session)]


def _columns_of(session: Any, name: str) -> dict[str, str]:
    return dict(named_mappings.find_mapping(session, name).columns)


def _save(session: Any, name: str, columns: dict[str, str]) -> str:
    return named_mappings.save_mapping(session, name, columns).name
