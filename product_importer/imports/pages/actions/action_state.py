"""The state of actions on the selected products: their dialogs, their progress, and their undo."""

import json
from dataclasses import dataclass
from typing import Any, Self

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventSpec, EventType

from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.schemas import ProductFilter
from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError
from product_importer.core.settings import settings
from product_importer.imports import actions, service
from product_importer.imports.action_schemas import ActionKind, ProductAction, ProductValues
from product_importer.imports.models import ImportStatus, UndoStatus
from product_importer.imports.pages import action_words
from product_importer.imports.schemas import ImportRead
from product_importer.imports.watching import watch
from product_importer.ui import toasts
from product_importer.ui.formatting import field_error
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

ATTRIBUTE = "attribute"
ACTIVE = {"yes": True, "no": False}
# What was typed was meant for the field before.
FIELD_CHANGED = "Another field was chosen meanwhile. Give its new value."
# Parameters of a list that are no filters.
PAGING = {"page", "page_size", "cursor", "sort"}


# The id of the element that shows what runs, and the page's headline.
RUNNING = "action-running"
HEADLINE = "main h1"
# What had the focus may be gone: then it is nowhere, and a keyboard would begin at the top.
FOCUS = """requestAnimationFrame(() => requestAnimationFrame(() => {
    const found = document.querySelector(SELECTOR);
    if (!found || document.activeElement !== document.body) return;
    found.tabIndex = -1;
    found.focus({ preventScroll: true });
}))"""


@dataclass(frozen=True)
class ActionView:
    """An action that runs, as the page shows it."""

    id: str = ""
    doing: str = ""
    percent: int = 0
    counts: str = ""

    @classmethod
    def of(cls, job: ImportRead) -> Self:
        """Return a running action as the page shows it."""
        doing = action_words.DOING[job.action.kind] if job.action else ""
        counts = "" if job.total_rows is None else f"{job.processed_rows:,} of {job.total_rows:,}"
        return cls(str(job.id), doing, int(job.percent), counts)


class ActionState(rx.State):
    """What one browser tab is doing with the selected products."""

    # The dialog that is open: "set", "delete", or none.
    dialog: str = ""
    is_busy: bool = False
    error: str = ""
    # How many products are meant, in words; empty until they are counted.
    count: str = ""
    # Until when it can be undone, in words.
    deadline: str = ""
    # The field that is chosen in the form.
    field: str = "active"
    # The actions that were started in this tab and run, the oldest first.
    running: list[ActionView] = []  # noqa: RUF012 - Reflex copies it for each tab

    @rx.event
    def close(self) -> None:
        """Close the dialog."""
        self.dialog = ""

    @rx.event
    def choose_field(self, field: str) -> None:
        """Choose which field is set."""
        self.field, self.error = field if field in (*ProductValues.model_fields, ATTRIBUTE) else "active", ""

    @rx.event
    def open_set(self) -> EventType[()]:
        """Open the dialog that sets a field."""
        return self._open("set")

    @rx.event
    def open_delete(self) -> EventType[()]:
        """Open the dialog that asks before products are deleted."""
        return self._open("delete")

    @rx.event(background=True, supersedes=True)
    async def count_products(self) -> None:
        """Count the products that are meant, for the dialog."""
        async with self:
            criteria, ids = await self._meant()
        try:
            number = len(ids) if ids else await ask(actions.count, criteria)
        except DomainError as error:
            async with self:
                self.error = error.detail
            return
        async with self:
            self.count = action_words.counted(number)

    @rx.event(background=True)
    async def switch(self, active: bool) -> list[EventType[()]] | None:
        """Activate or deactivate the selected products."""
        return await self._start({"action": ActionKind.ACTIVATE if active else ActionKind.DEACTIVATE})

    @rx.event(background=True)
    async def delete(self) -> list[EventType[()]] | None:
        """Delete the selected products."""
        return await self._start({"action": ActionKind.DELETE})

    @rx.event(background=True)
    async def set_field(self, form: dict[str, Any]) -> list[EventType[()]] | None:
        """Set the chosen field of the selected products to what was typed."""
        async with self:
            field = self.field
            if form.get("field") != field:
                self.error = FIELD_CHANGED
                return None
        return await self._start({"action": ActionKind.SET, "values": _values(field, form)})

    @rx.event(background=True)
    async def follow(self, job_id: str) -> list[EventType[()]] | None:
        """Show the progress of an action until its end, then say what it has done, with a button that undoes it."""
        ended = await self._watch(job_id)
        if ended is None or ended.action is None:
            return None
        said = _said(ended, action_words.done(ended, ended.action))
        return [said, focus_on(HEADLINE), CatalogState.load_products]

    @rx.event(background=True)
    async def cancel(self, job_id: str) -> list[EventType[()]] | None:
        """Cancel an action after its current batch."""
        try:
            await ask(service.cancel_import, parse_id(job_id, "action"))
        except DomainError as error:
            return [toasts.error(error.detail)]
        return None

    @rx.event(background=True)
    async def undo(self, job_id: str) -> list[EventType[()]] | None:
        """Undo an action, wait for that, and say what came of it."""
        try:
            await ask(service.undo_import, parse_id(job_id, "action"))
        except DomainError as error:
            return [toasts.error("Nothing was undone.", description=error.detail)]
        undone = await self._watch(job_id, doing="Undoing")
        if undone is None or undone.undo is None:
            return None
        return [_undone(undone), focus_on(HEADLINE), CatalogState.load_products]

    def _open(self, dialog: str) -> EventType[()]:
        self.dialog, self.is_busy, self.error, self.count, self.field = dialog, False, "", "", "active"
        days = settings().undo_days
        self.deadline = f"It can be undone for {days} {'day' if days == 1 else 'days'}."
        return ActionState.count_products

    async def _meant(self) -> tuple[ProductFilter, list[str]]:
        """Return the filters, or the ids, of the selected products; the state is locked.

        Those that were selected one by one are meant whatever the filters are now.
        """
        catalog = await self.get_state(CatalogState)
        if not catalog.all_selected:
            return ProductFilter(), list(catalog.selected)
        filters = catalog.listing.query().model_dump(by_alias=True, exclude=PAGING, exclude_defaults=True)
        return ProductFilter.model_validate(filters), []

    async def _start(self, given: dict[str, Any]) -> list[EventType[()]] | None:
        """Start an action on the selected products, and forget the selection; an error is shown."""
        async with self:
            if self.is_busy:
                return None
            self.is_busy, self.error = True, ""
            criteria, ids = await self._meant()
            catalog = await self.get_state(CatalogState)
            has_selection = bool(ids) or catalog.all_selected
        error = "Nothing is selected any more." if not has_selection else ""
        try:
            action = ProductAction.model_validate({**given, **({"product_ids": ids} if ids else {})})
            job = None if error else await ask(actions.start_action, criteria, action, is_confirmed=True)
        except (DomainError, ValidationError) as refused:
            error, job = _message(refused), None
        async with self:
            self.is_busy = False
            if job is None:
                self.error = error
                return None if self.dialog else [toasts.error("Nothing was changed.", description=error)]
            self.dialog = ""
            self._show(ActionView.of(job))
            (await self.get_state(CatalogState))._clear_selection()
        return [focus_on(f"#{RUNNING}"), ActionState.follow(str(job.id))]

    async def _watch(self, job_id: str, doing: str = "") -> ImportRead | None:
        """Show an action until nothing of it changes any more, and return it.

        None if there is none, or during an outage.
        """
        shown = None
        try:
            async for shown in watch(parse_id(job_id, "action")):
                async with self:
                    view = ActionView.of(shown)
                    self._show(ActionView(view.id, doing) if doing else view)
        except (DomainError, *OUTAGE):
            shown = None
        async with self:
            self.running = [one for one in self.running if one.id != job_id]
        return shown

    def _show(self, action: ActionView) -> None:
        """Show how far an action is, in its place, or below the others."""
        if any(one.id == action.id for one in self.running):
            self.running = [action if one.id == action.id else one for one in self.running]
        else:
            self.running = [*self.running, action]


def focus_on(selector: str) -> EventSpec:
    """Give an element the focus, unless something has it."""
    return rx.call_script(FOCUS.replace("SELECTOR", json.dumps(selector)))


def _values(field: str, form: dict[str, Any]) -> dict[str, Any]:
    """Return the values that a form sets."""
    # Whoever sends events by hand may send other types.
    value = str(form.get("value", ""))
    if field == ATTRIBUTE:
        return {"attributes": {str(form.get("name", "")): value}}
    return {field: ACTIVE.get(value, value) if field == "active" else value}


def _message(error: DomainError | ValidationError) -> str:
    """Return why an action was refused, without the names of fields in a request."""
    if isinstance(error, DomainError):
        return error.detail
    return field_error(error.errors()[0])


def _said(job: ImportRead, words: str) -> EventSpec:
    """Return the toast that says what an action has done."""
    # Also what one has done that failed or was cancelled.
    can_undo = job.undo is not None and job.undo.status == UndoStatus.POSSIBLE
    undo = ActionState.undo(str(job.id)) if can_undo else None
    if job.status == ImportStatus.FAILED:
        return toasts.error(words, description=job.error.message if job.error else "", undo=undo)
    return toasts.undoable(words, undo) if undo else toasts.info(words)


def _undone(job: ImportRead) -> EventSpec:
    """Return the toast that says what an undo has done."""
    assert job.undo is not None
    restored = f"{action_words.counted(job.undo.restored)} restored"
    if not job.undo.kept:
        return toasts.success(f"{restored}.")
    kept = f"{action_words.counted(job.undo.kept)} could not be: they, or their SKUs, were changed since."
    return toasts.warning(f"{restored}.", description=kept)
