"""Pages of a list, as every list of the API answers."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass
from typing import Annotated, Generic, Self, TypeVar

from pydantic import BaseModel, Field, computed_field

from product_importer.core.errors import Unprocessable

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
MAX_PAGE = 100_000
# Room for the longest value that a list is sorted by, four bytes a character, and its encoding.
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
    """One page of a list and the size of the whole."""

    items: list[Item]
    total: int
    page: int
    page_size: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def pages(self) -> int:
        """How many pages there are: at least one, an empty one included."""
        return max(1, -(-self.total // self.page_size))


@dataclass(frozen=True)
class Cursor:
    """Where a list goes on: its order, the number of the page, and the values behind which it begins.

    It holds nothing that its reader could not have asked for by other means, so it needs no signature.
    """

    sort: str
    page: int
    after: tuple[str, ...]

    def encode(self) -> str:
        """Return the cursor as one word that may stand in an address."""
        text = json.dumps(astuple(self), ensure_ascii=False, separators=(",", ":"))
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, word: str) -> Self:
        """Read what `encode` wrote.

        Raises:
            Unprocessable: it was not written by `encode`.
        """
        try:
            sort, page, after = json.loads(urlsafe_b64decode(word.encode("ascii") + b"=" * (-len(word) % 4)))
            cursor = cls(sort, page, tuple(after))
            # Only one word means one place: whatever else decodes to the same was not written here.
            is_ours = cursor._is_well_formed() and cursor.encode() == word
        except (ValueError, TypeError, RecursionError):
            is_ours = False
        if not is_ours:
            raise unusable_cursor()
        return cursor

    def _is_well_formed(self) -> bool:
        texts = (self.sort, *self.after)
        is_page = type(self.page) is int and 0 < self.page < MAX_CURSOR_PAGE
        return is_page and all(type(text) is str and "\0" not in text for text in texts)


def unusable_cursor(message: str = "This is no cursor of this list; begin again without one.") -> Unprocessable:
    """Return the refusal of a cursor."""
    return Unprocessable(f"cursor: {message}", errors=[{"field": "cursor", "message": message}])
