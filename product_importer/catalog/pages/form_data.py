"""What a person typed into the form of a product: its faults in words, its changes, and what somebody else changed.

Only what a person changed is saved, so that what another person changed meanwhile in other fields remains.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import ValidationError

from product_importer.catalog.schemas import ProductCreate, ProductRead, ProductUpdate
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
        """Return the form of `product` that nobody has touched: a browser's fields know one kind of line break."""
        return cls(
            sku=_line(product.sku),
            name=_line(product.name),
            description=_text(product.description),
            active=product.active,
            attributes={_line(name): _text(value) for name, value in product.attributes.items()},
        )

    @classmethod
    def from_form(cls, sent: Iterable[tuple[str, Any]]) -> Self:
        """Read a form's entries; the attributes' names and values take turns.

        Raises:
            Unprocessable: two attributes have the same name.
        """
        entries = list(sent)
        fields = {name: str(value) for name, value in entries}
        names = [str(value).strip() for name, value in entries if name == "attribute-name"]
        values = [_text(str(value)) for name, value in entries if name == "attribute-value"]
        attributes = _distinct([pair for pair in zip(names, values, strict=True) if any(pair)])
        return cls(fields["sku"], fields["name"], _text(fields["description"]), "active" in fields, attributes)

    def creation(self) -> ProductCreate:
        """Return what creates the product.

        Raises:
            ValidationError: fields are wrong.
        """
        return ProductCreate.model_validate(vars(self))

    def changes(self, seen: ProductRead) -> Changes:
        """Return the fields that differ from what the form showed at first."""
        shown = Draft.of(seen)
        return {name: value for name, value in vars(self).items() if value != getattr(shown, name)}


def update(changes: Changes, seen: ProductRead, current: ProductRead) -> ProductUpdate:
    """Return what brings a person's changes of `seen` to what the product is by now.

    Raises:
        ValidationError: fields are wrong.
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
    """A value that somebody else has changed, beside the own one; `is_mine` where the person changed it, too."""

    label: str = ""
    mine: str = ""
    theirs: str = ""
    is_mine: bool = False


def differences(draft: Draft, seen: ProductRead, current: ProductRead) -> list[Difference]:
    """Return what somebody else has changed since the form showed `seen`."""
    mine, shown, theirs = _values(draft), _values(Draft.of(seen)), _values(Draft.of(current))
    labels = dict.fromkeys([*shown, *theirs])
    return [
        Difference(label, mine.get(label, ""), theirs.get(label, ""), mine.get(label) != shown.get(label))
        for label in labels
        if theirs.get(label) != shown.get(label)
    ]


def _values(draft: Draft) -> dict[str, str]:
    named = {LABELS[name]: getattr(draft, name) for name in ("sku", "name", "description")}
    named["Status"] = "Active" if draft.active else "Inactive"
    return named | {f"Attribute “{name}”": value for name, value in draft.attributes.items()}


def faults(error: DomainError | ValidationError) -> dict[str, str]:
    """Return each wrong field with what is wrong about it, in words for people."""
    if isinstance(error, ValidationError):
        return {str(item["loc"][0]): formatting.fault(item) for item in reversed(error.errors())}
    found: Iterable[Mapping[str, str]] = error.extra.get("errors", ())
    return {item["field"].partition(".")[0]: item["message"] for item in found}


def field_fault(name: str, value: str) -> str:
    """Return what is wrong with one field of the form; nothing where it is right."""
    try:
        ProductUpdate.model_validate({name: value})
    except ValidationError as error:
        return faults(error).get(name, "")
    return ""


def _distinct(pairs: list[tuple[str, str]]) -> dict[str, str]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"“{twice}”: The name is there twice."
        raise Unprocessable(message, errors=[{"field": "attributes", "message": message}])
    return named


def _text(text: str) -> str:
    return LINE_BREAK.sub("\n", text)


def _line(text: str) -> str:
    return LINE_BREAK.sub("", text)
