"""Read the form of a product: its errors, its changes, and the changes of another user.

Only changed fields are saved, so that another user's changes of other fields are kept.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import ValidationError

from product_importer.catalog.schemas import ProductCreate, ProductRead, ProductUpdate
from product_importer.core.edges import trim
from product_importer.core.errors import DomainError, Unprocessable
from product_importer.ui import formatting

LABELS = {"sku": "SKU", "name": "Name", "description": "Description", "active": "Active", "attributes": "Attributes"}
SKU_TAKEN = "Another product has this SKU."
LINE_BREAK = re.compile(r"\r\n?|\n")

Changes = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """The form's fields as they were sent."""

    sku: str = ""
    name: str = ""
    description: str = ""
    active: bool = True
    attributes: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, product: ProductRead) -> Self:
        """Return the untouched form of `product`. Browsers change line breaks: none in inputs, LF in text areas."""
        return cls(
            sku=_line(product.sku),
            name=_line(product.name),
            description=_text(product.description),
            active=product.active,
            attributes={_line(name): _text(value) for name, value in product.attributes.items()},
        )

    @classmethod
    def from_form(cls, sent: Iterable[tuple[str, Any]]) -> Self:
        """Read a form's entries; the attributes' names and values alternate.

        Raises:
            Unprocessable: two attributes have the same name, or it is not the page's form.
        """
        entries = list(sent)
        fields = {name: str(value) for name, value in entries}
        names = [trim(str(value)) for name, value in entries if name == "attribute-name"]
        values = [_text(str(value)) for name, value in entries if name == "attribute-value"]
        if not {"sku", "name", "description"} <= fields.keys() or len(names) != len(values):
            raise Unprocessable("The page sent a form that is not complete. Load the page again.")
        attributes = _distinct([pair for pair in zip(names, values, strict=True) if any(pair)])
        return cls(fields["sku"], fields["name"], _text(fields["description"]), "active" in fields, attributes)

    def creation(self) -> ProductCreate:
        """Return the product to create.

        Raises:
            ValidationError: fields are invalid.
        """
        return ProductCreate.model_validate(vars(self))

    def changes(self, seen: ProductRead) -> Changes:
        """Return the fields that differ from what the form first showed."""
        shown = Draft.of(seen)
        return {name: value for name, value in vars(self).items() if value != getattr(shown, name)}


def merge_changes(changes: Changes, seen: ProductRead, current: ProductRead) -> ProductUpdate:
    """Return the update that applies a user's changes of `seen` to `current`, the product's newest version.

    Raises:
        ValidationError: fields are invalid.
    """
    if "attributes" not in changes:
        return ProductUpdate.model_validate(changes)
    shown, attributes = Draft.of(seen).attributes, dict(current.attributes)
    typed = changes["attributes"]
    for name in shown.keys() - typed.keys():
        attributes.pop(name, None)
    attributes |= {name: value for name, value in typed.items() if shown.get(name) != value}
    return ProductUpdate.model_validate(changes | {"attributes": attributes})


@dataclass(frozen=True)
class Difference:
    """A value that another user changed, beside the form's; `is_mine` where this user changed it, too."""

    label: str = ""
    mine: str = ""
    theirs: str = ""
    is_mine: bool = False


def differences(draft: Draft, seen: ProductRead, current: ProductRead) -> list[Difference]:
    """Return what another user has changed since the form showed `seen`."""
    mine, shown, theirs = _values(draft), _values(Draft.of(seen)), _values(Draft.of(current))
    labels = dict.fromkeys([*shown, *theirs])
    return [
        Difference(label, mine.get(label, ""), theirs.get(label, ""), mine.get(label) != shown.get(label))
        for label in labels
        if theirs.get(label) != shown.get(label)
    ]


def _values(draft: Draft) -> dict[str, str]:
    named = {LABELS[name]: getattr(draft, name) for name in ("sku", "name", "description")}
    named[LABELS["active"]] = "Yes" if draft.active else "No"
    return named | {f"Attribute “{name}”": value for name, value in draft.attributes.items()}


def field_errors(error: DomainError | ValidationError) -> dict[str, str]:
    """Return the errors by field, as sentences."""
    if isinstance(error, ValidationError):
        return {str(item["loc"][0]): formatting.field_error(item) for item in reversed(error.errors())}
    found: Iterable[Mapping[str, str]] = error.extra.get("errors", ())
    return {item["field"].partition(".")[0]: item["message"] for item in found}


def field_error(name: str, value: str) -> str:
    """Return the error of one field of the form; empty where it is valid."""
    try:
        ProductUpdate.model_validate({name: value})
    except ValidationError as error:
        return field_errors(error).get(name, "")
    return ""


def _distinct(pairs: list[tuple[str, str]]) -> dict[str, str]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"“{twice}”: This name is used twice."
        raise Unprocessable(message, errors=[{"field": "attributes", "message": message}])
    return named


def _text(text: str) -> str:
    return LINE_BREAK.sub("\n", text)


def _line(text: str) -> str:
    return LINE_BREAK.sub("", text)
