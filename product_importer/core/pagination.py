"""Pages of a list, as every list of the API answers."""

from typing import Generic, TypeVar

from pydantic import BaseModel, computed_field

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


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
