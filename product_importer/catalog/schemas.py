"""Products as requests and responses have them, their limits, and the key that makes SKUs comparable."""

import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, model_validator

from product_importer.catalog import attribute_filters
from product_importer.core.edges import INVISIBLE_RANGES, hidden_in, trim, trim_name, trim_pasted
from product_importer.core.pagination import MAX_CURSOR, Page, PageQuery

# In characters. A unique index entry ends at 2,704 bytes; 255 characters stay below it in any script.
MAX_SKU = 255
MAX_NAME = 1_000
MAX_DESCRIPTION = 100_000
MAX_ATTRIBUTES = 200
MAX_ATTRIBUTE_NAME = 255
MAX_ATTRIBUTE = 100_000
# All attributes of one product together, so that an import can read its line of an export.
MAX_ALL_ATTRIBUTES = 1_000_000

# The columns of exports and imports that are not attributes, in any case.
COLUMNS = ("sku", "name", "description", "active")
RESERVED = frozenset((*COLUMNS, "_line", "_code", "_reason"))

# Skipping more rows gets slow. Cursors have no such limit.
MAX_PAGE = 100_000

Sort = Literal["created_at", "-created_at", "sku", "-sku", "name", "-name", "updated_at", "-updated_at"]


# The rules of `sku_key`: they change with this program and with the version of Unicode that Python knows.
KEY_RULES = f"2/{unicodedata.unidata_version}"


def sku_key(sku: str) -> str:
    """Return the key by which SKUs are compared: with trimmed edges, case-folded, canonically composed.

    The comparison is Unicode's canonical caseless matching (The Unicode Standard, D145), so `ſ` is `s`, `ß` is
    `ss`, and composed and decomposed letters are equal; `İ` is `i` with a dot above and not `i`.
    """
    trimmed = trim(sku)
    if trimmed.isascii():
        return trimmed.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", trimmed).casefold())


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store a text: it has no NUL and no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("Text cannot hold a NUL character or half of a surrogate pair")
    return text


def _term(text: str) -> str:
    return trim_pasted(_storable(text))


def _trimmed(value: Any) -> Any:
    # As in imports and `sku_key`; pydantic strips other characters.
    return trim(value) if isinstance(value, str) else value


def _trimmed_name(value: Any) -> Any:
    return trim_name(value) if isinstance(value, str) else value


def _attributes(given: dict[str, str]) -> dict[str, str]:
    """Return attributes as an import stores them: names trimmed, empty values dropped."""
    return {name: value for name, value in _named(given).items() if value}


def _some_named(given: dict[str, str]) -> dict[str, str]:
    if not given:
        raise ValueError("Name at least one attribute")
    return _named(given)


def _named(given: dict[str, str]) -> dict[str, str]:
    """Return attributes with trimmed names, checked."""
    if len(given) > MAX_ATTRIBUTES:
        raise ValueError(f"A product has at most {MAX_ATTRIBUTES} attributes, not {len(given)}")
    attributes: dict[str, str] = {}
    for name, value in given.items():
        trimmed = trim(name)
        if error := name_error(trimmed, attributes) or _value_error(value):
            raise ValueError(f"“{trimmed[:60].encode(errors='replace').decode()}”: {error}")
        attributes[trimmed] = value
    if sum(map(len, attributes)) + sum(map(len, attributes.values())) > MAX_ALL_ATTRIBUTES:
        raise ValueError(f"All attributes together have at most {MAX_ALL_ATTRIBUTES:,} characters")
    return attributes


def name_error(name: str, taken: Iterable[str] = ()) -> str | None:
    """Return why a trimmed name cannot be that of an attribute besides those that are taken; None if it can."""
    if not name:
        return "A name must not be blank"
    if len(name) > MAX_ATTRIBUTE_NAME:
        return f"A name has at most {MAX_ATTRIBUTE_NAME} characters"
    # As strict as imports are with a header, because each name must be able to stand in one.
    if hidden_in(name):
        return "A name must not hold control characters or invisible ones"
    if name.casefold() in RESERVED:
        return "This is another column of the product and cannot be an attribute"
    return "The name is used twice" if name in taken else None


def _value_error(value: str) -> str | None:
    if len(value) > MAX_ATTRIBUTE:
        return f"A value has at most {MAX_ATTRIBUTE:,} characters"
    return None if is_storable(value) else "Text cannot hold a NUL character or half of a surrogate pair"


# The JSON Schema of what the functions check: at least one character that is visible, and no NUL. Patterns write
# characters beyond four digits differently in each language, so those are left out.
_INVISIBLE = "".join(rf"\u{first:04x}-\u{last:04x}" for first, last in INVISIBLE_RANGES if last <= 0xFFFF)
NOT_BLANK = {"pattern": rf"^[^\u0000]*[^\s{_INVISIBLE}\u0000][^\u0000]*$"}
NO_NUL = {"pattern": r"^[^\u0000]*$"}

Sku = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_SKU,
        description="Unique without regard to case, outer spaces and invisible characters at the edges.",
        json_schema_extra=NOT_BLANK,
        examples=["SKU-001"],
    ),
    BeforeValidator(_trimmed),
    AfterValidator(_storable),
]
Name = Annotated[
    str,
    Field(min_length=1, max_length=MAX_NAME, json_schema_extra=NOT_BLANK, examples=["Enamel mug"]),
    BeforeValidator(_trimmed_name),
    AfterValidator(_storable),
]
Description = Annotated[
    str,
    Field(max_length=MAX_DESCRIPTION, json_schema_extra=NO_NUL, examples=["Holds 0.3 l."]),
    AfterValidator(_storable),
]
Active = Annotated[StrictBool, Field(examples=[True])]
_ATTRIBUTES: dict[str, Any] = {
    "maxProperties": MAX_ATTRIBUTES,
    "propertyNames": {"maxLength": MAX_ATTRIBUTE_NAME, **NOT_BLANK},
    "additionalProperties": {"type": "string", "maxLength": MAX_ATTRIBUTE, **NO_NUL},
}
_LIMITS = (
    f"At most {MAX_ATTRIBUTES}, names of {MAX_ATTRIBUTE_NAME} and values of {MAX_ATTRIBUTE:,} characters; no name of "
    "a product's own field."
)
Attributes = Annotated[
    dict[str, str],
    Field(
        description=f"Further columns, by name; an empty value removes one. {_LIMITS}",
        examples=[{"colour": "blue"}],
        json_schema_extra=_ATTRIBUTES,
    ),
    AfterValidator(_attributes),
]
# Attributes to set in products that have others, too.
AttributeChanges = Annotated[
    dict[str, str],
    Field(
        description=f"Attributes to set, by name; an empty value removes one, and the others stay. {_LIMITS}",
        examples=[{"colour": "blue", "season": ""}],
        json_schema_extra={**_ATTRIBUTES, "minProperties": 1},
    ),
    AfterValidator(_some_named),
]


class ProductCreate(BaseModel):
    """A product to create."""

    model_config = ConfigDict(extra="forbid")

    sku: Sku
    name: Name
    description: Description = ""
    active: Active = True
    attributes: Attributes = Field(default_factory=dict)


class ProductUpdate(BaseModel):
    """Changes of a product: the given fields (`model_fields_set`); attributes are replaced as a whole.

    No field can be null. The defaults only make fields optional: their values are never used.
    """

    model_config = ConfigDict(extra="forbid")

    sku: Sku = Field(default_factory=str)
    name: Name = Field(default_factory=str)
    description: Description = Field(default_factory=str)
    active: Active = Field(default_factory=bool)
    attributes: Attributes = Field(default_factory=dict)


class ProductRead(BaseModel):
    """A product as the API returns it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    sku: str
    name: str
    description: str
    active: bool
    attributes: dict[str, str]
    version: int
    created_at: datetime
    updated_at: datetime


# The text that a filter looks for.
Term = Annotated[str, Field(max_length=MAX_NAME, json_schema_extra=NO_NUL), AfterValidator(_term)]
ATTRIBUTE_FILTERS = attribute_filters.parameter(
    {"pattern": rf"^attribute\.[^\u0000]*[^\s{_INVISIBLE}\u0000][^\u0000]*$"},
    {"type": "string", "maxLength": MAX_NAME, **NO_NUL},
)


class ProductFilter(BaseModel):
    """Filters for products. Texts are substrings in any case; `%` and `_` are literal.

    The edges of a text are trimmed if they hold invisible characters, as in a pasted SKU. Further fields are
    `attribute.NAME`, for example `ProductFilter.model_validate({"attribute.colour": "teal"})`.
    """

    # In Python, `import` is no name.
    model_config = ConfigDict(extra="allow", validate_by_name=True)
    __pydantic_extra__: dict[str, Term] = Field(init=False)

    sku: Annotated[str, Field(max_length=MAX_SKU, json_schema_extra=NO_NUL), AfterValidator(_term)] = ""
    name: Term = ""
    description: Term = ""
    active: bool | None = None
    q: Annotated[
        str,
        Field(max_length=MAX_NAME, description="Text in SKU, name or description.", json_schema_extra=NO_NUL),
        AfterValidator(_term),
    ] = ""
    import_id: Annotated[
        UUID | None, Field(alias="import", description="The id of an import: only products that it created.")
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _check_names(cls, given: Any) -> Any:
        fields = {known for name, field in cls.model_fields.items() for known in (name, field.alias) if known}
        return attribute_filters.checked(given, fields, name_error) if isinstance(given, dict) else given

    @property
    def attributes(self) -> dict[str, str]:
        """The texts in attributes, by the attribute's name; an empty one asks only for the attribute."""
        given = (self.__pydantic_extra__ or {}).items()
        return {name.removeprefix(attribute_filters.PREFIX): term for name, term in given}


class ProductQuery(PageQuery, ProductFilter):
    """Filters, order, and page of a list of products; the page by number or by the cursor of the one before."""

    cursor: Annotated[
        str,
        Field(
            max_length=MAX_CURSOR,
            description="`next_cursor` of the page before. Send the same filters and no `page`; the order is kept",
        ),
    ] = ""
    sort: Sort = "-created_at"


class ProductPage(Page[ProductRead]):
    """One page of products. `total` is the number of matches, an estimate unless `total_is_exact`."""

    total_is_exact: bool = True
    next_cursor: str | None = None
