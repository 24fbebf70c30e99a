"""The state of the fields that filter the products: which attributes can be added, and whether they are unfolded."""

from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.listing import attribute_fault
from product_importer.catalog.search import attribute_names
from product_importer.core.edges import trim
from product_importer.core.errors import DomainError
from product_importer.ui.services import ask

HIDE = "document.getElementById('attribute-filter')?.hidePopover()"


class FiltersState(rx.State):
    """One browser tab's fields that filter the products."""

    # In narrow windows.
    are_unfolded: bool = False
    # The names of attributes that are suggested.
    names: list[str] = []  # noqa: RUF012 - Reflex copies it for each tab
    # The attribute that was added last: its field takes the focus.
    added: str = ""
    # How many were added.
    number: int = 0
    # Why the attribute cannot be added.
    error: str = ""

    @rx.event
    def fold(self) -> None:
        """Unfold the filters, or fold them up."""
        self.are_unfolded = not self.are_unfolded

    # No background event: what is sent right afterwards may be wrong, and that is not to be taken back.
    @rx.event
    def ask_name(self) -> EventType[()]:
        """Begin to ask for a name."""
        self.error = ""
        return FiltersState.suggest

    @rx.event(background=True)
    async def suggest(self) -> None:
        """Suggest names of attributes; without suggestions any name can be typed."""
        try:
            names = await ask(attribute_names.frequent)
        except DomainError:
            return
        async with self:
            self.names = names

    @rx.event
    async def add(self, form: dict[str, Any]) -> list[EventType[()]] | None:
        """Add the filter of an attribute, or say why that cannot be."""
        name, catalog = trim(str(form.get("attribute", ""))), await self.get_state(CatalogState)
        self.error = attribute_fault(catalog.listing, name)
        if self.error:
            return None
        self.added, self.number = name, self.number + 1
        # Not as an event with the name: Reflex evaluates what a name such as <reflex.Var> holds.
        return [*catalog._add_attribute(name), rx.call_script(HIDE)]
