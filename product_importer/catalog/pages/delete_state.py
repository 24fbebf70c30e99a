"""The dialogs in which a product, or all of them, are deleted."""

from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.catalog import service
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.view_models import ProductView, counted
from product_importer.catalog.schemas import ProductQuery
from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import toasts
from product_importer.ui.services import ask

PHRASE = "delete all products"


class RemovalState(rx.State):
    """What one browser tab is about to delete."""

    doomed: ProductView = ProductView()
    is_open: bool = False
    is_all_open: bool = False
    is_deleting: bool = False
    # How many products there are, in words.
    everything: str = ""
    is_confirmed: bool = False
    refusal: str = ""

    @rx.event
    def ask_before_deleting(self, product_id: str, sku: str, name: str) -> None:
        """Open the dialog for one product."""
        self.doomed = ProductView(id=product_id, sku=sku, name=name)
        self.refusal, self.is_deleting, self.is_open = "", False, True

    @rx.event
    def keep_product(self) -> None:
        """Close the dialog."""
        self.is_open = False

    @rx.event(background=True)
    async def delete_product(self) -> list[EventType[()]] | None:
        """Delete the product."""
        async with self:
            doomed, self.refusal, self.is_deleting = self.doomed, "", True
        try:
            await ask(service.delete_product, UUID(doomed.id))
        except NotFound:
            done = toasts.info(f"{doomed.sku} had been deleted already.")
        except DomainError as error:
            async with self:
                self.refusal, self.is_deleting = error.detail, False
            return None
        else:
            done = toasts.success(f"{doomed.sku} was deleted.")
        async with self:
            self.is_open = self.is_deleting = False
        return [done, CatalogState.load_products]

    @rx.event(background=True)
    async def ask_before_deleting_all(self) -> list[EventType[()]] | None:
        """Open the dialog for all products, with how many there are."""
        try:
            found = await ask(service.list_products, ProductQuery(page_size=1))
        except DomainError as error:
            return [toasts.error(error.detail)]
        async with self:
            self.everything = counted(found.total, found.total_is_exact)
            self.refusal, self.is_confirmed, self.is_deleting, self.is_all_open = "", False, False, True
        return None

    @rx.event
    def keep_products(self) -> None:
        """Close the dialog."""
        self.is_all_open = False

    @rx.event
    def type_phrase(self, typed: str) -> None:
        """Look whether the phrase is complete."""
        self.is_confirmed = " ".join(typed.lower().split()) == PHRASE

    @rx.event(background=True)
    async def delete_all_products(self) -> list[EventType[()]] | None:
        """Delete every product, whatever the list is narrowed to."""
        async with self:
            if not self.is_confirmed or self.is_deleting:
                return None
            self.refusal, self.is_deleting = "", True
        try:
            deleted = await ask(service.delete_all_products)
        except DomainError as error:
            async with self:
                self.refusal, self.is_deleting = error.detail, False
            return None
        async with self:
            self.is_all_open = self.is_deleting = False
        return [toasts.success(f"{counted(deleted)} deleted."), CatalogState.load_products]
