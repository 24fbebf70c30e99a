"""The states of the dialogs that delete one product, or all of them; and the undo of the first."""

from functools import partial

import reflex as rx
from reflex.event import EventType

from product_importer.catalog import service
from product_importer.catalog.pages import refreshing
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.view_models import ProductView, count_text, error_text
from product_importer.catalog.schemas import ProductQuery, ProductRead
from product_importer.core.errors import DomainError, NotFound, Unavailable
from product_importer.ui import routes, toasts
from product_importer.ui.confirmation import ConfirmationState
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

PHRASE = "delete all products"
# How many deleted products a tab keeps for an undo.
MAX_KEPT = 10


class DeleteState(ConfirmationState, rx.State):
    """The product that one browser tab is about to delete, and those that it has deleted."""

    product: ProductView = ProductView()
    # By id, the oldest first.
    _deleted: dict[str, ProductRead] = {}  # noqa: RUF012 - Reflex copies it for each tab

    @rx.event
    def open_dialog(self, product_id: str, sku: str, name: str) -> None:
        """Open the dialog for one product."""
        self.product = ProductView(id=product_id, sku=sku, name=name)
        self._open()

    @rx.event(background=True)
    async def delete_product(self, product_id: str, sku: str) -> list[EventType[()]] | None:
        """Delete the product that the dialog shows; its own page then leads to the list.

        It is named, since the state may be a new one.
        """
        found = await self._confirm(partial(_delete, product_id))
        if found is None:
            return None
        is_listed = (self.router.url.path.rstrip("/") or "/") == routes.PRODUCTS
        following = CatalogState.load_products if is_listed else rx.redirect(routes.PRODUCTS)
        if isinstance(found, NotFound):
            return [toasts.info(f"{sku} was already deleted."), following]
        async with self:
            self._deleted = dict([*self._deleted.items(), (str(found.id), found)][-MAX_KEPT:])
        undo = DeleteState.restore_product(str(found.id))
        return [toasts.undoable(f"{found.sku} was deleted.", undo), following]

    @rx.event(background=True)
    async def restore_product(self, product_id: str) -> list[EventType[()]]:
        """Undo the deletion of a product."""
        deleted = self._deleted.get(product_id)
        if deleted is None:
            return [toasts.error("The deletion cannot be undone here any more.")]
        try:
            await ask(service.restore_product, deleted)
        except DomainError as error:
            again = DeleteState.restore_product(str(deleted.id)) if isinstance(error, Unavailable) else None
            return [toasts.error(f"{deleted.sku} was not restored.", error_text(error), again)]
        return [toasts.success(f"{deleted.sku} is back."), *refreshing.what_is_shown(self)]


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


async def _delete(product_id: str) -> ProductRead | NotFound:
    """Delete a product and return it; if it was gone already, the error that says so."""
    try:
        return await ask(service.delete_product, parse_id(product_id, "product"))
    except NotFound as error:
        return error
