"""What a source knows of one change of a product, and where other slices register what they know."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session

from product_importer.catalog.history.schemas import ChangeKind
from product_importer.catalog.last_change import Writer
from product_importer.catalog.models import Product

Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One change, as its source knows it.

    `before` and `after` hold the values that the source has, in the fields of a product; None where it has none.
    Where `is_whole`, the attributes in them are all that there were; else only those that differ. `as_version` is the
    version whose values an undo has restored. `record_id` is the entry of the record that has the values.
    """

    version: int
    kind: ChangeKind
    at: datetime
    by: Writer
    before: Values | None = None
    after: Values | None = None
    is_whole: bool = False
    as_version: int | None = None
    record_id: UUID | None = None

    @property
    def order(self) -> tuple[int, bool]:
        """Its place among the changes of the product: a deletion follows the change that made the version."""
        return self.version, self.kind == ChangeKind.DELETED


class Subject(NamedTuple):
    """The product whose changes are wanted; None in place of one that is deleted. It was changed `until` then."""

    id: UUID
    product: Product | None
    until: datetime | None


class JobChanges(NamedTuple):
    """What jobs have done to a product. `created` may be told of a product that never existed.

    `forgotten` are the moments when jobs have deleted products that are not known any more: it may be one of them.
    """

    changes: Iterable[Change] = ()
    created: Change | None = None
    # By an undo of what created it; its version is not known.
    removed: Change | None = None
    forgotten: Sequence[datetime] = ()


# Functions that tell what jobs have done to a product. The catalogue does not know imports.
JOB_FINDERS: list[Callable[[Session, Subject], JobChanges]] = []
