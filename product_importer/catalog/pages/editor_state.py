"""The form in which a product is made or changed."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType
from reflex_base.utils.form import FormData

from product_importer.catalog import service
from product_importer.catalog.pages.form_data import (
    LABELS,
    SKU_TAKEN,
    Changes,
    Difference,
    Draft,
    differences,
    faults,
    field_fault,
    update,
)
from product_importer.catalog.pages.list_state import CatalogState
from product_importer.catalog.pages.view_models import error_text
from product_importer.catalog.schemas import ProductRead
from product_importer.core.errors import DomainError, Stale
from product_importer.ui import toasts
from product_importer.ui.modal import revealing
from product_importer.ui.services import ask

DIALOG = "product-dialog"


@dataclass(frozen=True)
class AttributeView:
    """A line of the form for one attribute; `is_new` where it was added just now, and waits for its name."""

    key: int = 0
    name: str = ""
    value: str = ""
    is_new: bool = False


@dataclass(frozen=True)
class FormView:
    """What the form's fields begin with; `number` differs for each time that they do."""

    number: int = 0
    product_id: str = ""
    sku: str = ""
    name: str = ""
    description: str = ""
    active: bool = True

    @classmethod
    def of(cls, product: ProductRead | None, number: int) -> Self:
        """Return the form of `product`; for a new one where there is none."""
        if product is None:
            return cls(number)
        return cls(number, str(product.id), product.sku, product.name, product.description, product.active)


class EditorState(rx.State):
    """One browser tab's form of a product. What is typed stays in the browser until it is checked or saved."""

    form: FormView = FormView()
    attributes: list[AttributeView] = []  # noqa: RUF012 - Reflex copies it for each tab
    is_open: bool = False
    is_saving: bool = False
    # What is wrong: by field, and with the form as a whole.
    faults: dict[str, str] = {}  # noqa: RUF012
    refusal: str = ""
    # Somebody else was quicker: what they changed.
    is_conflict: bool = False
    differences: list[Difference] = []  # noqa: RUF012
    # The product as the form showed it at first, and the newest that is known of it.
    _seen: ProductRead | None = None
    _current: ProductRead | None = None
    _keys: int = 0

    @rx.event
    def start_product(self) -> None:
        """Open the form for a new product."""
        self._open(None)

    @rx.event(background=True)
    async def edit_product(self, product_id: str) -> list[EventType[()]] | None:
        """Open the form of a product as it is now."""
        try:
            product = await ask(service.read_product, UUID(product_id))
        except DomainError as error:
            return [
                toasts.error("The product cannot be edited.", description=error_text(error)),
                CatalogState.load_products,
            ]
        async with self:
            self._open(product)
        return None

    @rx.event
    def close_editor(self) -> None:
        """Forget the form."""
        self.is_open = False

    @rx.event
    def add_attribute(self) -> None:
        """Add an empty line."""
        self._keys += 1
        self.attributes = [*self.attributes, AttributeView(self._keys, is_new=True)]

    @rx.event
    def remove_attribute(self, key: int) -> None:
        """Remove a line."""
        self.attributes = [line for line in self.attributes if line.key != key]

    @rx.event
    def check_name(self, value: str) -> None:
        """Say while it is typed what is wrong with the name."""
        self._set_fault("name", field_fault("name", value))

    @rx.event
    def check_description(self, value: str) -> None:
        """Say while it is typed what is wrong with the description."""
        self._set_fault("description", field_fault("description", value))

    @rx.event(background=True, supersedes=True)
    async def check_sku(self, value: str) -> None:
        """Say while it is typed what is wrong with the SKU, or that it is taken."""
        number, fault = self.form.number, field_fault("sku", value)
        if not fault and await self._is_sku_taken(value):
            fault = SKU_TAKEN
        async with self:
            if self.form.number == number:
                self._set_fault("sku", fault)

    @rx.event(background=True)
    async def save_product(self, sent: FormData[str, Any]) -> list[EventType[()]] | None:
        """Create the product, or save what was changed, and close the form."""
        async with self:
            if self.is_saving:
                return None
            self.is_saving, self.refusal = True, ""
        number, draft = self.form.number, None
        try:
            draft = Draft.from_form(sent.multi_items())
            done = await self._store(draft)
        except (DomainError, ValidationError) as error:
            async with self:
                self.is_saving = False
                return self._refuse(error, draft) if self._is_at(number) else [_unsaved(error)]
        async with self:
            self.is_saving = False
            self.is_open = self.is_open and not self._is_at(number)
        return [toasts.success(done), CatalogState.load_products]

    @rx.event
    def take_theirs(self) -> None:
        """Begin again with what the other person saved."""
        self._open(self._current)

    async def _store(self, draft: Draft) -> str:
        """Save, and return what was done.

        Raises:
            DomainError: the service refuses.
            ValidationError: fields are wrong.
        """
        if self._seen is None or self._current is None:
            created = await ask(service.create_product, draft.creation())
            return f"{created.sku} was created."
        changes: Changes = draft.changes(self._seen)
        if not changes:
            return "Nothing was changed."
        given = update(changes, self._seen, self._current)
        saved = await ask(service.update_product, self._seen.id, given, self._current.version)
        return f"{saved.sku} was saved."

    async def _is_sku_taken(self, sku: str) -> bool:
        """Whether it is known to be taken; an outage is told when the product is saved."""
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
        self.faults, self.refusal, self.is_conflict, self.differences = {}, "", False, []
        self.is_open = True

    def _is_at(self, number: int) -> bool:
        """Whether the form that was sent is still the one that is shown."""
        return self.is_open and self.form.number == number

    def _refuse(self, error: DomainError | ValidationError, draft: Draft | None) -> list[EventType[()]]:
        if isinstance(error, Stale) and self._seen and draft:
            self._current = ProductRead.model_validate(error.extra["current"])
            self.differences = differences(draft, self._seen, self._current)
            self.is_conflict, self.faults = True, {}
        else:
            self.faults, self.refusal = faults(error), _refusal(error)
        return [revealing(DIALOG)]

    def _set_fault(self, field: str, fault: str) -> None:
        others = {name: text for name, text in self.faults.items() if name != field}
        self.faults = others | {field: fault} if fault else others


def _refusal(error: DomainError | ValidationError) -> str:
    """Why the form was not saved, as one sentence or several."""
    if isinstance(error, DomainError):
        return error_text(error)
    return " ".join(f"{LABELS.get(field, field)}: {fault}" for field, fault in faults(error).items())


def _unsaved(error: DomainError | ValidationError) -> EventType[()]:
    """What is told where the form was closed before its answer came."""
    return toasts.error("The product was not saved.", description=_refusal(error))
