"""The tables of products, their count, their changes, the text index, and views of the list."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from product_importer.core.ids import new_id


class Product(SQLModel, table=True):
    """One product. `sku` is as it was written, `sku_key` is its unique form (`schemas.sku_key`).

    Ids are UUIDv7 and so sort by creation. `updated_at` must never be indexed: updates that touch no index stay on
    their page (HOT), which keeps large imports fast.
    """

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("sku_key"),
        # Partial, because few products are inactive: the others cost nothing.
        Index("ix_product_inactive", "id", postgresql_where=text("NOT active")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    sku: str = Field(sa_column=Column(Text, nullable=False))
    # Byte order, which is the same on every server. The merge works in ranges of keys.
    sku_key: str = Field(sa_column=Column(Text(collation="C"), nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    description: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    active: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=text("true")))
    attributes: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))
    created_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    )
    updated_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    )


class SavedView(SQLModel, table=True):
    """A view of the list of products that was saved under a name. `name_key` is the name without case."""

    __tablename__ = "saved_view"

    name_key: str = Field(sa_column=Column(Text(collation="C"), primary_key=True))
    name: str = Field(sa_column=Column(Text, nullable=False))
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    updated_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    )


# Statements over the table's columns are built faster than over the class.
PRODUCTS: Table = Product.__table__  # type: ignore[attr-defined]

# The tables below have no classes, because only triggers and statements over sets of rows write them.

# The products changed since the text index was updated, one row for each statement. A product may occur repeatedly.
product_change = Table(
    "product_change",
    SQLModel.metadata,
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("product_ids", ARRAY(Uuid), nullable=False),
    Column("number", Integer, nullable=False),
)

# The number of products is the sum of `delta`: each transaction adds a row, so that none waits for another.
product_count = Table("product_count", SQLModel.metadata, Column("delta", BigInteger, nullable=False))

# The products that kept a key which `schemas.sku_key` does not give any more, because another product has the new
# one; and that key. See `sku_conflicts`.
sku_conflict = Table(
    "sku_conflict",
    SQLModel.metadata,
    Column("product_id", Uuid, primary_key=True),
    Column("sku_key", Text(collation="C"), nullable=False),
)

# The segments of the text index; segment n is the table `product_search_n`. A replaced segment is retired, and
# dropped when no query can be using it any more. `letters` are those in its texts that are not ASCII; NULL before it
# is indexed, or if there are too many. `attributes_indexed` is NULL if it has no attributes, because an earlier
# version wrote it; `attribute_names` are the most frequent ones once they are indexed.
search_segment = Table(
    "search_segment",
    SQLModel.metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("is_indexed", Boolean, nullable=False),
    Column("letters", Text),
    Column("attributes_indexed", Boolean),
    Column("attribute_names", ARRAY(Text)),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("retired_at", DateTime(timezone=True), nullable=True),
)

SEGMENT_PREFIX = "product_search_"
SEGMENT_COLUMNS = ("product_id", "sku", "name", "description", "attribute_names", "attribute_values")
# In a segment the values of attributes are one text, in the order of the names. This character parts them; in values
# and in terms a space takes its place.
VALUE_END = "\x1e"
# SKUs are also indexed by parts of this many characters, because numbers have common trigrams: a fifth of the numbers
# up to 500,000 contain `000`.
SKU_PART = 5
