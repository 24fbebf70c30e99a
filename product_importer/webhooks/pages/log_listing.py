"""What the page of a webhook shows, as its address says it: reloading, sharing and going back show the same."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode
from uuid import UUID

from pydantic import ValidationError

from product_importer.webhooks.schemas import DeliveryQuery

PAGE_SIZE = 25


@dataclass(frozen=True)
class LogListing:
    """The deliveries of a webhook by status (empty for all), which page of them, and the one that is open.

    `webhook` and `delivery` are as they were typed: any text.
    """

    webhook: str = ""
    status: str = ""
    page: int = 1
    delivery: str = ""

    @classmethod
    def from_address(cls, webhook: str, parameters: Mapping[str, str]) -> Self:
        """Read an address; invalid parameters are ignored."""
        delivery = _id_or_empty(parameters.get("delivery", ""))
        try:
            query = DeliveryQuery.model_validate(
                {"status": parameters.get("status"), "page": parameters.get("page", 1), "page_size": PAGE_SIZE}
            )
        except ValidationError:
            return cls(webhook, delivery=delivery)
        return cls(webhook, query.status.value if query.status else "", query.page, delivery)

    def query(self) -> DeliveryQuery:
        """Return the query for the service."""
        return DeliveryQuery.model_validate(
            {"status": self.status or None, "page": self.page, "page_size": PAGE_SIZE}
        )

    def address(self, **changes: object) -> str:
        """Return the address of this page with changes, without its path and without what has its default."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        shown = {
            "status": changed.status,
            "page": changed.page if changed.page > 1 else "",
            "delivery": changed.delivery,
        }
        return f"?{urlencode({name: value for name, value in shown.items() if value})}"

    def same_list(self, other: Self) -> bool:
        """Whether another listing has the same list, whichever delivery is open."""
        return replace(self, delivery="") == replace(other, delivery="")


def _id_or_empty(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
