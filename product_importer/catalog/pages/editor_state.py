"""The state of the form that creates or changes a product."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType
from reflex_base.utils.form import FormData

from product_importer.catalog import last_change, service
from product_importer.catalog.pages import refreshing
from product_importer.catalog.pages.form_data import (
    LABELS,
    SKU_TAKEN,
    Changes,
    Difference,
    Draft,
    differences,
    field_error,
    field_errors,
    merge_changes,
)
from product_importer.catalog.pages.view_models import LastChangeView, error_text
from product_importer.catalog.schemas import ProductRead
from product_importer.core.errors import Conflict, DomainError, Stale
from product_importer.ui import toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.modal import scroll_to_notice
from product_importer.ui.services import ask

DIALOG = "product-dialog"


@dataclass(frozen=True)
class AttributeView:
    """One attribute in the form; `is_new` after "Add an attribute", which focuses its name."""

    key: int = 0
    name: str = ""
    value: str = ""
    is_new: bool = False


@dataclass(frozen=True)
class FormView:
    """The initial values of the fields. `number` changes each time the form is filled."""

    number: int = 0
    product_id: str = ""
    sku: str = ""
    name: str = ""
    description: str = ""
    active: bool = True
    version: int = 0

    @classmethod
    def of(cls, product: ProductRead | None, number: int) -> Self:
        """Return the form of `product`, or of a new product for None."""
        if product is None:
            return cls(number)
        return cls(
            number,
            str(product.id),
            product.sku,
            product.name,
            product.description,
            product.active,
            product.version,
        )


class EditorState(rx.State):
    """One browser tab's form of a product. The browser holds what is typed until it is checked or saved."""

    form: FormView = FormView()
    attributes: list[AttributeView] = []  # noqa: RUF012 - Reflex copies it for each tab
    last_change: LastChangeView = LastChangeView()
    is_open: bool = False
    is_saving: bool = False
    # The errors by field, and why the form was not saved.
    errors: dict[str, str] = {}  # noqa: RUF012
    error: str = ""
    # Whether another user saved the product meanwhile, and what they changed.
    is_conflict: bool = False
    differences: list[Difference] = []  # noqa: RUF012
    # The product as the form first showed it, and its newest known version.
    _seen: ProductRead | None = None
    _current: ProductRead | None = None
    _keys: int = 0

    @rx.event
    def start_product(self) -> None:
        """Open the form for a new product."""
        self._open(None)

    @rx.event(background=True, supersedes=True)
    async def edit_product(self, product_id: str) -> list[EventType[()]] | None:
        """Load a product and open its form, unless another form was opened meanwhile."""
        number = self.form.number
        try:
            product = await ask(service.read_product, parse_id(product_id, "product"))
        except DomainError as error:
            return [
                toasts.error("The product cannot be edited.", description=error_text(error)),
                *refreshing.what_is_shown(self),
            ]
        async with self:
            if self.form.number != number:
                return None
            self._open(product)
        return [EditorState.load_last_change]

    @rx.event(background=True, supersedes=True)
    async def load_last_change(self) -> None:
        """Show who made the last change; an error shows nothing."""
        number, seen = self.form.number, self._seen
        if seen is None:
            return
        with suppress(DomainError):
            found = await ask(last_change.read, seen.id)
            async with self:
                if self.form.number == number:
                    self.last_change = LastChangeView.of(found)

    @rx.event
    def close_editor(self) -> None:
        """Close the form."""
        self.is_open = False

    @rx.event
    def add_attribute(self) -> None:
        """Add an empty attribute."""
        self._keys += 1
        self.attributes = [*self.attributes, AttributeView(self._keys, is_new=True)]

    @rx.event
    def remove_attribute(self, key: int) -> None:
        """Remove an attribute."""
        self.attributes = [attribute for attribute in self.attributes if attribute.key != key]

    @rx.event
    def check_name(self, value: str) -> None:
        """Check the name while it is typed."""
        self._set_error("name", field_error("name", value))

    @rx.event
    def check_description(self, value: str) -> None:
        """Check the description while it is typed."""
        self._set_error("description", field_error("description", value))

    @rx.event(background=True, supersedes=True)
    async def check_sku(self, value: str) -> None:
        """Check the SKU while it is typed, and whether it is taken."""
        number, error = self.form.number, field_error("sku", value)
        if not error and await self._is_sku_taken(value):
            error = SKU_TAKEN
        async with self:
            if self.form.number == number:
                self._set_error("sku", error)

    @rx.event(background=True)
    async def save_product(self, sent: FormData[str, Any]) -> list[EventType[()]] | None:
        """Create the product, or save what was changed, and close the form."""
        async with self:
            if self.is_saving:
                return None
            self.is_saving, self.error = True, ""
        number, draft = self.form.number, None
        try:
            draft = Draft.from_form(sent.multi_items())
            await self._remember(str(sent.get("product-id", "")), str(sent.get("version", "")))
            done = await self._store(draft)
        except (DomainError, ValidationError) as error:
            async with self:
                self.is_saving = False
                return self._show_error(error, draft) if self._is_shown(number) else [_not_saved(error)]
        async with self:
            self.is_saving = False
            self.is_open = self.is_open and not self._is_shown(number)
        return [toasts.success(done), *refreshing.what_is_shown(self)]

    @rx.event
    def take_theirs(self) -> EventType[()]:
        """Fill the form with what the other user saved."""
        self._open(self._current)
        return EditorState.load_last_change

    async def _remember(self, product_id: str, version: str) -> None:
        """Read the product that the form is of, where this state is newer than the form: after a lost connection.

        Raises:
            DomainError: there is no such product any more, or it was changed since the form showed it.
        """
        if not product_id or (self._seen and str(self._seen.id) == product_id):
            return
        product = await ask(service.read_product, parse_id(product_id, "product"))
        if str(product.version) != version:
            raise Conflict("Somebody else changed this product meanwhile. Open it again to see how.")
        async with self:
            self._seen = self._current = product

    async def _store(self, draft: Draft) -> str:
        """Save the product, and return a sentence that says so.

        Raises:
            DomainError: the service cannot save it.
            ValidationError: fields are invalid.
        """
        if self._seen is None or self._current is None:
            created = await ask(service.create_product, draft.creation())
            return f"{created.sku} was created."
        changes: Changes = draft.changes(self._seen)
        if not changes:
            return "Nothing was changed."
        given = merge_changes(changes, self._seen, self._current)
        saved = await ask(service.update_product, self._seen.id, given, self._current.version)
        return f"{saved.sku} was saved."

    async def _is_sku_taken(self, sku: str) -> bool:
        """Return whether the SKU is taken; False during an outage, which saving reports."""
        try:
            return await ask(service.is_sku_taken, sku, self._seen.id if self._seen else None)
        except DomainError:
            return False

    def _open(self, product: ProductRead | None) -> None:
        self._seen = self._current = product
        self.form = FormView.of(product, self.form.number + 1)
        named = sorted(product.attributes.items()) if product else []
        self.attributes = [AttributeView(key, name, value) for key, (name, value) in enumerate(named)]
        self._keys = len(self.attributes)
        self.last_change = LastChangeView()
        self.errors, self.error, self.is_conflict, self.differences = {}, "", False, []
        self.is_open = True

    def _is_shown(self, number: int) -> bool:
        """Return whether the form that was sent is still open."""
        return self.is_open and self.form.number == number

    def _show_error(self, error: DomainError | ValidationError, draft: Draft | None) -> list[EventType[()]]:
        if isinstance(error, Stale) and self._seen and draft:
            self._current = ProductRead.model_validate(error.extra["current"])
            self.differences = differences(draft, self._seen, self._current)
            self.is_conflict, self.errors = True, {}
        else:
            self.errors, self.error = field_errors(error), _error_text(error)
        return [scroll_to_notice(DIALOG)]

    def _set_error(self, field: str, error: str) -> None:
        others = {name: text for name, text in self.errors.items() if name != field}
        self.errors = others | {field: error} if error else others


def _error_text(error: DomainError | ValidationError) -> str:
    """Return why the form was not saved, as one sentence or several."""
    if isinstance(error, DomainError):
        return error_text(error)
    return " ".join(f"{LABELS.get(field, field)}: {text}" for field, text in field_errors(error).items())


def _not_saved(error: DomainError | ValidationError) -> EventType[()]:
    """Return the toast for a form that was closed before the error came."""
    return toasts.error("The product was not saved.", description=_error_text(error))
