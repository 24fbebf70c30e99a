"""The table of products."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, DateTime, Integer, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from product_importer.core.ids import new_id


class Product(SQLModel, table=True):
    """One product. `sku` is as a person wrote it, `sku_key` what makes it unique (`schemas.sku_key`).

    Ids are UUIDv7 and so sort by creation. `updated_at` must never be indexed: an update that touches no index
    stays in its page (HOT), which is what keeps a large import fast.
    """

    __tablename__ = "product"
    __table_args__ = (UniqueConstraint("sku_key"),)

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
