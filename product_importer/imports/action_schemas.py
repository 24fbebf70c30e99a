"""Actions on products: the requests for them, and what a job stores of one."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from product_importer.catalog.schemas import Active, AttributeChanges, Description, Name, ProductFilter
from product_importer.core.enums import InlineEnum
from product_importer.core.errors import invalid_fields

MAX_SELECTED = 10_000
# The name of an action names so many fields.
MAX_NAMED_FIELDS = 2
MAX_NAMED_CHARACTERS = 40


class ActionKind(StrEnum):
    """What an action does with each of its products."""

    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    SET = "set"
    DELETE = "delete"


NAMES = {
    ActionKind.ACTIVATE: "Activate products",
    ActionKind.DEACTIVATE: "Deactivate products",
    ActionKind.DELETE: "Delete products",
}


# The JSON Schema of what `ProductAction.check` checks.
VALUES_ONLY_TO_SET: dict[str, Any] = {
    "if": {"properties": {"action": {"const": ActionKind.SET.value}}, "required": ["action"]},
    "then": {"required": ["values"]},
    "else": {"not": {"required": ["values"]}},
}


def _each_once(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < len(ids):
        raise ValueError("A product is named twice")
    return ids


class ProductValues(BaseModel):
    """Values to set in products: the given fields (`model_fields_set`), and the given attributes beside others.

    No field can be null. The defaults only make fields optional: their values are never used.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"minProperties": 1})

    name: Name = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    active: Active = Field(default_factory=bool)
    attributes: AttributeChanges = Field(default_factory=dict)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"Give at least one of {', '.join(type(self).model_fields)}")
        return self

    def given(self) -> dict[str, Any]:
        """Return the values that were given."""
        return self.model_dump(exclude_unset=True)


class ProductAction(BaseModel):
    """What to do with products: activate, deactivate or delete them, or set `values`.

    No field can be null. The defaults only make fields optional.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=VALUES_ONLY_TO_SET)

    action: InlineEnum[ActionKind]
    values: Annotated[
        ProductValues, Field(description="What to set; needed by `set`, and not allowed otherwise.")
    ] = Field(default_factory=ProductValues.model_construct)
    product_ids: Annotated[
        list[UUID],
        AfterValidator(_each_once),
        Field(
            min_length=1,
            max_length=MAX_SELECTED,
            description="Only these products, as far as they match the filters.",
            json_schema_extra={"uniqueItems": True},
        ),
    ] = Field(default_factory=list)

    def check(self) -> None:
        """Check that there are values to set, and no others.

        Raises:
            Unprocessable: there are none, or there are some.
        """
        has_values = "values" in self.model_fields_set
        if self.action == ActionKind.SET and not has_values:
            raise invalid_fields([{"field": "values", "message": 'Say what to set, such as {"active": true}.'}])
        if self.action != ActionKind.SET and has_values:
            message = f"The action “{self.action}” takes no values; “set” does."
            raise invalid_fields([{"field": "values", "message": message}])


class ActionQuery(ProductFilter):
    """On which products an action is carried out: those that match all given filters."""

    confirm: Annotated[
        Literal["true"] | None,
        Field(description="Must be `true` without filters and `product_ids`: all products are meant then."),
    ] = None

    def criteria(self) -> ProductFilter:
        """Return the filters alone."""
        return ProductFilter.model_validate(self.model_dump(exclude={"confirm"}, exclude_unset=True, by_alias=True))


class StoredAction(BaseModel):
    """What an action does (`kind`), the `values` that it sets, and with which products: those that match `filter`.

    `selected` is how many products were named by their ids; null where all that match are meant.
    """

    kind: InlineEnum[ActionKind]
    values: dict[str, Any] | None = None
    filter: dict[str, Any]
    selected: int | None = None

    @classmethod
    def of(cls, criteria: ProductFilter, given: ProductAction) -> Self:
        """Return what a job stores of a request."""
        return cls(
            kind=given.action,
            values=given.values.given() or None,
            filter=criteria.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            selected=len(given.product_ids) or None,
        )

    def criteria(self) -> ProductFilter:
        """Return the filters."""
        return ProductFilter.model_validate(self.filter)

    def changes(self) -> dict[str, Any]:
        """Return the values of fields, and the attributes, that the action writes."""
        match self.kind:
            case ActionKind.ACTIVATE | ActionKind.DEACTIVATE:
                return {"active": self.kind == ActionKind.ACTIVATE}
            case _:
                return self.values or {}

    @property
    def name(self) -> str:
        """The action in a few words, which stand where an import has the name of its file."""
        return NAMES.get(self.kind) or f"Set {_fields(self.changes())} of products"


def _fields(values: dict[str, Any]) -> str:
    names = [*(name for name in values if name != "attributes"), *values.get("attributes", {})]
    if len(names) > MAX_NAMED_FIELDS:
        return f"{len(names)} fields"
    return " and ".join(name[:MAX_NAMED_CHARACTERS] for name in names)
