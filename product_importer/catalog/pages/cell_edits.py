"""Save edits of single cells of products: each is saved or refused on its own, all in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self
from uuid import UUID

from pydantic import ValidationError
from sqlmodel import Session

from product_importer.catalog import service
from product_importer.catalog.pages.form_data import SKU_TAKEN, field_errors
from product_importer.catalog.pages.grid_view import ATTRIBUTE, LABELS, values
from product_importer.catalog.pages.view_models import error_text
from product_importer.catalog.schemas import ProductRead, ProductUpdate
from product_importer.core.edges import trim
from product_importer.core.errors import Conflict, DomainError, NotFound, Stale, Unprocessable
from product_importer.core.problem_types import ProblemType
from product_importer.ui.grid.component import CellEdit, CellName
from product_importer.ui.ids import parse_id

MAX_EDITS = 1_000
# All whole texts that are asked for at once, in characters.
MAX_TEXTS = 5_000_000
ACTIVE = {"true": True, "yes": True, "1": True, "active": True}
INACTIVE = {"false": False, "no": False, "0": False, "inactive": False}
BAD_ACTIVE = "Write true or false, yes or no, 1 or 0, active or inactive."
# No product has this version.
UNSEEN = 0
CHANGED = "Somebody else has changed this product meanwhile."


@dataclass(frozen=True)
class RowEdit:
    """New values of cells of one product, by the keys of their columns.

    The product must still have the `version`, where one is given, and the `expected` values.
    """

    id: UUID
    cells: dict[str, str]
    version: int | None = None
    expected: dict[str, str] = field(default_factory=dict)

    def expecting(self, written: Mapping[str, str]) -> Self:
        """Return the edit for a product in whose cells these values were written meanwhile."""
        known = {key: text for key, text in written.items() if key in self.expected}
        return replace(self, expected=self.expected | known) if known else self


@dataclass(frozen=True)
class Edited:
    """What has become of a `RowEdit`: the product as it is now, or None if there is none.

    `before` has the old values of what was saved, `refused` why other cells were not.
    """

    edit: RowEdit
    product: ProductRead | None
    before: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    is_stale: bool = False

    def written(self) -> dict[str, str]:
        """Return the new values of what was saved."""
        now = values(self.product) if self.product else {}
        return {key: now.get(key, "") for key in self.before}


def row_edits(
    edits: Sequence[CellEdit], versions: Mapping[str, int], foreign: Mapping[str, int] | None = None
) -> list[RowEdit]:
    """Return the edits of cells by product, with the versions that the page shows.

    `foreign` has the stamp with which each row began to show what others wrote: an edit that began before that has
    not seen it.

    Raises:
        Unprocessable: there are too many.
        NotFound: an id is none.
    """
    if len(edits) > MAX_EDITS:
        raise Unprocessable(
            f"At most {MAX_EDITS:,} cells can be changed at once; these are {len(edits):,}. Nothing was changed."
        )
    rows: dict[str, dict[str, str]] = {}
    outdated = {edit["row"] for edit in edits if edit["stamp"] < (foreign or {}).get(edit["row"], 0)}
    for edit in edits:
        rows.setdefault(edit["row"], {})[edit["column"]] = edit["value"]
    return [
        RowEdit(parse_id(id, "product"), cells, UNSEEN if id in outdated else versions.get(id))
        for id, cells in rows.items()
    ]


def save(session: Session, edits: Sequence[RowEdit]) -> list[Edited]:
    """Save what can be saved. Products are locked in one order, so that two of these never wait for each other."""
    return [_save_row(session, edit) for edit in sorted(edits, key=lambda edit: edit.id)]


def read_texts(session: Session, cells: Sequence[CellName]) -> dict[str, dict[str, str]]:
    """Return the whole texts of cells by product and column; of a product that is gone there are none.

    Raises:
        Unprocessable: there are too many, or they are too long together.
    """
    if len(cells) > MAX_EDITS:
        raise Unprocessable(f"At most {MAX_EDITS:,} long texts can be read at once; these are {len(cells):,}.")
    texts: dict[str, dict[str, str]] = {}
    products: dict[str, dict[str, str] | None] = {}
    left = MAX_TEXTS
    for cell in cells:
        id, key = cell["row"], cell["column"]
        if id not in products:
            products[id] = _values(session, id)
        found = products[id]
        if found is None:
            continue
        texts.setdefault(id, {})[key] = found.get(key, "")
        left -= len(texts[id][key])
        if left < 0:
            raise Unprocessable("These texts are too long to be read at once. Choose fewer, or export them.")
    return texts


def _values(session: Session, id: str) -> dict[str, str] | None:
    try:
        return values(service.read_product(session, parse_id(id, "product")))
    except NotFound:
        return None


def _save_row(session: Session, edit: RowEdit) -> Edited:
    try:
        current = service.read_product(session, edit.id)
    except NotFound as error:
        return Edited(edit, None, refused=dict.fromkeys(edit.cells, error_text(error)))
    if _is_outdated(edit, current):
        return _stale(edit, current)
    given, refused = _checked(edit.cells, current)
    try:
        saved = _write(session, current, given, refused)
    except Stale as error:
        return _stale(edit, ProductRead.model_validate(error.extra["current"]))
    except DomainError as error:
        return Edited(edit, current, refused=dict.fromkeys(edit.cells, error_text(error)))
    old, new = values(current), values(saved)
    before = {key: old.get(key, "") for key in edit.cells if old.get(key) != new.get(key)}
    return Edited(edit, saved, before, refused)


def _is_outdated(edit: RowEdit, current: ProductRead) -> bool:
    now = values(current)
    is_changed = any(now.get(key, "") != text for key, text in edit.expected.items())
    return is_changed or edit.version not in (None, current.version)


def _stale(edit: RowEdit, current: ProductRead) -> Edited:
    return Edited(edit, current, refused=dict.fromkeys(edit.cells, CHANGED), is_stale=True)


def _write(session: Session, current: ProductRead, given: dict[str, Any], refused: dict[str, str]) -> ProductRead:
    """Write the fields; without the SKU, which is `refused` then, if another product has it."""
    try:
        return service.update_product(session, current.id, ProductUpdate.model_validate(given), current.version)
    except Conflict as error:
        if error.kind != ProblemType.SKU_TAKEN:
            raise
        refused["sku"] = SKU_TAKEN
        return _write(session, current, {name: value for name, value in given.items() if name != "sku"}, refused)


def _checked(cells: Mapping[str, str], current: ProductRead) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields that can be written, and why the other cells cannot."""
    given: dict[str, Any] = {}
    refused: dict[str, str] = {}
    attributes = dict(current.attributes)
    for key, text in cells.items():
        try:
            name, value = _field(key, text)
            ProductUpdate.model_validate({name: value})
        except (ValidationError, Unprocessable) as error:
            refused[key] = _reason(error)
            continue
        if name == "attributes":
            attributes |= {trim(given_name): text for given_name, text in value.items()}
        else:
            given[name] = value
    if attributes != current.attributes:
        _add_attributes(given, attributes, cells, refused)
    return given, refused


def _field(key: str, text: str) -> tuple[str, Any]:
    """Return the product's field of a column, and its value.

    Raises:
        Unprocessable: there is no such column, or the text is no value of it.
    """
    if key.startswith(ATTRIBUTE):
        return "attributes", {key[len(ATTRIBUTE) :]: text}
    if key not in LABELS:
        raise Unprocessable("This column cannot be edited.")
    if key != "active":
        return key, text
    value = (ACTIVE | INACTIVE).get(text.strip().lower())
    if value is None:
        raise Unprocessable(BAD_ACTIVE)
    return key, value


def _add_attributes(
    given: dict[str, Any], attributes: dict[str, str], cells: Mapping[str, str], refused: dict[str, str]
) -> None:
    """Add all attributes to the fields, unless they are too many, or too long together."""
    try:
        ProductUpdate.model_validate({"attributes": attributes})
    except ValidationError as error:
        refused.update({key: _reason(error) for key in cells if key.startswith(ATTRIBUTE) and key not in refused})
    else:
        given["attributes"] = attributes


def _reason(error: ValidationError | Unprocessable) -> str:
    if isinstance(error, Unprocessable):
        return error.detail
    return next(iter(field_errors(error).values()))
