"""What a product looks like from outside, its limits, and the one function that makes SKUs comparable."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from product_importer.core.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page

# In characters. A unique index entry ends at 2,704 bytes; 255 characters stay below it in any script.
MAX_SKU = 255
MAX_NAME = 1_000
MAX_DESCRIPTION = 100_000

# Deeper, counting and skipping rows gets slow; a cursor has no such limit.
MAX_PAGE = 100_000

Sort = Literal["created_at", "-created_at", "sku", "-sku", "name", "-name", "updated_at", "-updated_at"]


def sku_key(sku: str) -> str:
    """Return what makes two SKUs the same: outer spaces off, case folded, canonical composition.

    The comparison is Unicode's canonical caseless matching (The Unicode Standard, D145), so `ſ` is `s`, `ß` is
    `ss`, and composed and decomposed letters are equal; `İ` is `i` with a dot above and not `i`.
    """
    stripped = sku.strip()
    if stripped.isascii():
        return stripped.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", stripped).casefold())


class ProductRead(BaseModel):
    """A product as the API answers it."""

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


class ProductQuery(BaseModel):
    """Which products to list. Texts are substrings in any case; `%` and `_` mean themselves."""

    model_config = ConfigDict(extra="forbid")

    page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 1
    page_size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE
    sku: Annotated[str, Field(max_length=MAX_SKU)] = ""
    name: Annotated[str, Field(max_length=MAX_NAME)] = ""
    description: Annotated[str, Field(max_length=MAX_NAME)] = ""
    active: bool | None = None
    q: Annotated[str, Field(max_length=MAX_NAME, description="any of SKU, name and description")] = ""
    sort: Sort = "-created_at"


class ProductPage(Page[ProductRead]):
    """One page of products. `total` counts every match, exactly where `total_is_exact`."""

    total_is_exact: bool = True
    next_cursor: str | None = None
