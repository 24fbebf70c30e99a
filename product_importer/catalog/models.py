"""The table of products."""

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
    """One product. `sku` is as a person wrote it, `sku_key` what makes it unique (`schemas.sku_key`).

    Ids are UUIDv7 and so sort by creation. `updated_at` must never be indexed: an update that touches no index
    stays in its page (HOT), which is what keeps a large import fast.
    """

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("sku_key"),
        # Few are inactive: finding them costs little, and the others cost it nothing.
        Index("ix_product_inactive", "id", postgresql_where=text("NOT active")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    sku: str = Field(sa_column=Column(Text, nullable=False))
    # Byte order: the same on every server, and what lets the merge work in ranges of keys.
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


# For statements whose building should cost little: its columns need no look at the class.
PRODUCTS: Table = Product.__table__  # type: ignore[attr-defined]

# The tables below are written by triggers and statements over whole sets, never row by row: no classes.

# Products written since the text index took notice of them, those of one statement in a row; a product may stand here
# more than once.
product_change = Table(
    "product_change",
    SQLModel.metadata,
    Column("product_ids", ARRAY(Uuid), nullable=False),
    Column("number", Integer, nullable=False),
)

# How many products there are is the sum of these: every transaction adds its own line and waits for nobody.
product_count = Table("product_count", SQLModel.metadata, Column("delta", BigInteger, nullable=False))

# The parts of the text index: segment n is the table `product_search_n`. One that has been replaced is retired,
# and dropped when no query can be using it any more.
search_segment = Table(
    "search_segment",
    SQLModel.metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("rows", BigInteger, nullable=False),
    Column("is_indexed", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("retired_at", DateTime(timezone=True), nullable=True),
)

SEGMENT_PREFIX = "product_search_"
SEGMENT_COLUMNS = ("product_id", "sku", "name", "description")
# SKUs are indexed by so many characters at a time, too. Numbers share their threes: every fifth SKU of a catalogue
# that counts to 500,000 has `000`.
SKU_PART = 5
