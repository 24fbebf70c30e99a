"""The table of drafts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from product_importer.core.ids import new_id


def _text(nullable: bool = False) -> Any:
    return Column(Text, nullable=nullable)


def _json() -> Any:
    return Column(JSONB(none_as_null=True), nullable=True)


def _moment() -> Any:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


class ImportDraft(SQLModel, table=True):
    """A file that was chosen, before its import starts. The import takes over its id and its file.

    `storage_key` is null where no file is stored: the upload broke off, or no option could make the file readable.
    `head` is the beginning of its unpacked text, null if it is not known or no text.
    """

    __tablename__ = "import_draft"
    __table_args__ = (
        Index("ix_import_draft_updated_at", "updated_at"),
        Index("ix_import_draft_storage_key", "storage_key"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    filename: str = Field(sa_column=_text())
    storage_key: str | None = Field(default=None, sa_column=_text(nullable=True))
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    expected_bytes: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    sha256: str | None = Field(default=None, sa_column=_text(nullable=True))
    status: str = Field(sa_column=_text())
    head: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    # What is known of the bytes, as `drafts.inspection.Inspected`.
    inspected: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )
    # The chosen options, as `ImportOptions`; and those with which the import starts when the upload has ended, with
    # the columns that were shown when this was asked for.
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    will_start: str | None = Field(default=None, sa_column=_text(nullable=True))
    start_options: dict[str, Any] | None = Field(default=None, sa_column=_json())
    # As `drafts.schemas.DraftError`.
    error: dict[str, Any] | None = Field(default=None, sa_column=_json())
    # As `Principal.stored`.
    started_by: dict[str, Any] | None = Field(default=None, sa_column=_json())
    created_at: datetime | None = Field(default=None, sa_column=_moment())
    # When the last bytes arrived, or something was chosen.
    updated_at: datetime | None = Field(default=None, sa_column=_moment())
