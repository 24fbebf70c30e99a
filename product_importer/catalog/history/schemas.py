"""The history of a product as the REST API shows it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from product_importer.core.enums import InlineEnum
from product_importer.core.pagination import Page


class ChangeKind(StrEnum):
    """What became of a product. An undone import or action gave it the values back that it had before."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"
    UNDONE = "undone"


class ChangedField(BaseModel):
    """One field before and after a change; null where there was no product, or where it is not known any more.

    An attribute that a product does not have is an empty text. Texts of more than 10,000 characters are cut.
    """

    field: Annotated[str, Field(description="A field, or `attribute.` and the name of an attribute.")]
    before: str | bool | None
    after: str | bool | None


class HistoryEntry(BaseModel):
    """One change of a product.

    `version` is what the change made; of a deletion, the version that was deleted. `by` names the person or token;
    null where nobody is known. `job_id` and `filename` name the job that made the change; in `undone` and `restored`,
    and in a `deleted` by an import, the one that was undone.
    """

    at: datetime
    kind: InlineEnum[ChangeKind]
    version: int
    by: str | None
    job_id: UUID | None
    filename: str | None
    action: Annotated[
        str | None, Field(description="What the job does if it is an action on products; null for an import.")
    ]
    changes: Annotated[list[ChangedField] | None, Field(description="Null where it is not known what was changed.")]


class HistoryPage(Page[HistoryEntry]):
    """One page of the history of a product, newest first. `total` is a lower bound unless `total_is_exact`."""

    total_is_exact: bool = True
