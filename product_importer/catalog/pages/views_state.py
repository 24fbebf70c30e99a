"""The state of the saved views: which there are, choosing one, and the dialogs that save, rename and delete."""

from typing import Any

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from product_importer.catalog import views
from product_importer.catalog.models import SavedView
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import toasts
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.services import ask

SAVE, RENAME, DELETE = "save", "rename", "delete"


class ViewState(ConfirmationState, rx.State):
    """The views as one browser tab knows them. `dialog` is what the open dialog does."""

    names: list[str] = []  # noqa: RUF012 - Reflex copies it for each tab
    dialog: str = ""

    # No background event: it comes after `open_products`, which reads the address.
    @rx.event
    async def open_views(self) -> list[EventType[()]] | None:
        """Load the names, and show the view that the address names."""
        catalog = await self.get_state(CatalogState)
        try:
            self.names, found = await ask(_names_and_view, catalog._wanted_view)
        except DomainError as error:
            catalog._fail(error)
            return None
        return catalog._take_view(found) if catalog._wanted_view else None

    @rx.event(background=True, supersedes=True)
    async def choose_view(self, name: str) -> list[EventType[()]]:
        """Show a view."""
        try:
            view = await ask(views.find_view, name)
        except DomainError as error:
            return [toasts.error("The view cannot be shown.", description=error.detail), ViewState.open_views]
        async with self:
            return (await self.get_state(CatalogState))._show_view(view)

    @rx.event
    def ask_name(self, dialog: str) -> None:
        """Ask for the name of a new view, or for another one of the chosen view."""
        self.dialog = dialog if dialog in (SAVE, RENAME) else SAVE
        self._open()

    @rx.event
    def ask_before_deleting(self) -> None:
        """Ask before the chosen view is deleted."""
        self.dialog = DELETE
        self._open()

    @rx.event(background=True)
    async def save_name(self, form: dict[str, Any]) -> list[EventType[()]] | None:
        """Save what is shown as a view, or give the chosen view another name."""
        name, is_new = str(form.get("view-name", "")), self.dialog != RENAME
        current, settings = await self._shown()
        if is_new:
            saved = await self._confirm(lambda: ask(views.create_view, name, settings))
        else:
            saved = await self._confirm(lambda: ask(views.rename_view, current, name))
        if saved is None:
            return None
        return await self._go_on(saved, f"The view “{saved.name}” was {'saved' if is_new else 'renamed'}.")

    @rx.event(background=True)
    async def update_view(self) -> list[EventType[()]]:
        """Save what is shown under the name of the chosen view."""
        current, settings = await self._shown()
        try:
            saved = await ask(views.update_view, current, settings)
        except DomainError as error:
            return [toasts.error("The view was not saved.", description=error.detail), ViewState.open_views]
        return await self._go_on(saved, f"The view “{saved.name}” was updated.")

    @rx.event(background=True)
    async def delete_view(self) -> list[EventType[()]] | None:
        """Delete the chosen view; what is shown stays."""
        current, _ = await self._shown()
        done = await self._confirm(lambda: ask(_delete, current))
        if not done:
            return None
        async with self:
            events = (await self.get_state(CatalogState))._leave_view()
        return [toasts.success(f"The view “{current}” was deleted."), *events, ViewState.open_views]

    async def _shown(self) -> tuple[str, views.Settings]:
        """Return the name of the chosen view, and the settings of what is shown."""
        async with self:
            catalog = await self.get_state(CatalogState)
            layout = dict(catalog._layout) if catalog._layout else {}
            return catalog.listing.view, {"address": catalog.listing.kept(), "layout": layout}

    async def _go_on(self, saved: SavedView, said: str) -> list[EventType[()]]:
        async with self:
            events = (await self.get_state(CatalogState))._show_view(saved)
        return [toasts.success(said), *events, ViewState.open_views]


def _names_and_view(session: Session, wanted: str) -> tuple[list[str], SavedView | None]:
    found = None
    if wanted:
        try:
            found = views.find_view(session, wanted)
        except NotFound:
            found = None
    return [view.name for view in views.list_views(session)], found


def _delete(session: Session, name: str) -> bool:
    views.delete_view(session, name)
    return True
