"""The states of the dialogs that delete one product, or all of them."""

from functools import partial
from uuid import UUID

import reflex as rx
from reflex.event import EventSpec, EventType

from product_importer.catalog import service
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.view_models import ProductView, count_text
from product_importer.catalog.schemas import ProductQuery
from product_importer.core.errors import DomainError, NotFound
from product_importer.ui import toasts
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.services import ask

PHRASE = "delete all products"


class DeleteState(ConfirmationState, rx.State):
    """The product that one browser tab is about to delete."""

    product: ProductView = ProductView()

    @rx.event
    def open_dialog(self, product_id: str, sku: str, name: str) -> None:
        """Open the dialog for one product."""
        self.product = ProductView(id=product_id, sku=sku, name=name)
        self._open()

    @rx.event(background=True)
    async def delete_product(self) -> list[EventType[()]] | None:
        """Delete the product."""
        toast = await self._confirm(partial(_delete, self.product))
        return [toast, CatalogState.load_products] if toast else None


class DeleteAllState(ConfirmationState, rx.State):
    """How far one browser tab is in deleting all products."""

    # The number of products, in words.
    count: str = ""
    is_phrase_typed: bool = False

    @rx.event(background=True)
    async def open_dialog(self) -> list[EventType[()]] | None:
        """Count all products and open the dialog."""
        try:
            found = await ask(service.list_products, ProductQuery(page_size=1))
        except DomainError as error:
            return [toasts.error(error.detail)]
        async with self:
            self.count, self.is_phrase_typed = count_text(found.total, found.total_is_exact), False
            self._open()
        return None

    @rx.event
    def type_phrase(self, typed: str) -> None:
        """Check whether the phrase is complete."""
        self.is_phrase_typed = " ".join(typed.lower().split()) == PHRASE

    @rx.event(background=True)
    async def delete_all_products(self) -> list[EventType[()]] | None:
        """Delete every product, whatever the list is filtered by."""
        if not self.is_phrase_typed:
            return None
        deleted = await self._confirm(partial(ask, service.delete_all_products))
        if deleted is None:
            return None
        return [toasts.success(f"{count_text(deleted)} deleted."), CatalogState.load_products]


async def _delete(product: ProductView) -> EventSpec:
    """Delete a product and return the toast that says so."""
    try:
        await ask(service.delete_product, UUID(product.id))
    except NotFound:
        return toasts.info(f"{product.sku} was already deleted.")
    return toasts.success(f"{product.sku} was deleted.")
