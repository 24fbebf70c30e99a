"""Pages and cursors of the API's lists."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, Field, computed_field

from product_importer.core.errors import Unprocessable

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_PAGE = 100_000
# Enough for the longest value that a list is sorted by, at four bytes a character, in Base64.
MAX_CURSOR = 10_000
MAX_CURSOR_PAGE = 2**53


class PageQuery(BaseModel):
    """Which page of a list, counted from 1."""

    page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 1
    page_size: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.page - 1) * self.page_size


class Page(BaseModel, Generic[Item]):
    """One page of a list and the total number of items."""

    items: list[Item]
    total: int
    page: int
    page_size: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pages(self) -> int:
        """The number of pages, at least one; an empty list has one page."""
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True)
class Cursor:
    """Where the next page of a list begins: its order, its number, and the sort values of the item before it.

    `filters` tells the list's filters from others; it is empty where that is not checked. A cursor grants no access
    that its holder does not have anyway, so it is not signed.
    """

    sort: str
    page: int
    after: tuple[str, ...]
    filters: str = ""

    def encode(self) -> str:
        """Return the cursor as URL-safe Base64 without padding."""
        parts = (self.sort, self.page, self.after, *([self.filters] if self.filters else []))
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, encoded: str) -> Self:
        """Decode what `encode` returned.

        Raises:
            Unprocessable: the text is not an encoded cursor.
        """
        try:
            sort, page, after, *filters = json.loads(
                urlsafe_b64decode(encoded.encode("ascii") + b"=" * (-len(encoded) % 4))
            )
            cursor = cls(sort, page, tuple(after), *filters)
            # Each cursor has exactly one spelling; reject the others that Base64 and JSON allow.
            is_valid = cursor._is_well_formed() and cursor.encode() == encoded
        except (ValueError, TypeError, RecursionError):
            is_valid = False
        if not is_valid:
            raise invalid_cursor()
        return cursor

    def _is_well_formed(self) -> bool:
        texts = (self.sort, self.filters, *self.after)
        is_page = type(self.page) is int and 0 < self.page < MAX_CURSOR_PAGE
        return is_page and all(type(text) is str and "\0" not in text for text in texts)


def invalid_cursor(message: str = "This is no cursor of this list; begin again without one.") -> Unprocessable:
    """Return the error of an invalid cursor."""
    return Unprocessable(f"cursor: {message}", errors=[{"field": "cursor", "message": message}])
