"""The tables of accounts, sessions, set-up links, tokens and the record. Of secrets, only digests are stored."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from product_importer.core.ids import new_id


def _now() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


def _time() -> Column[Any]:
    return Column(DateTime(timezone=True), nullable=True)


def _json() -> Column[Any]:
    return Column(JSONB(none_as_null=True))


def _account() -> Column[UUID]:
    return Column(Uuid, ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True)


class Account(SQLModel, table=True):
    """A person, who signs in with a password or through an OpenID provider.

    `email_key` is the address without regard to case. It is unique among accounts with passwords; people of a
    provider are known by `oidc_issuer` and `oidc_subject`, whatever their address.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("ix_account_email", "email_key", unique=True, postgresql_where=text("oidc_subject IS NULL")),
        UniqueConstraint("oidc_issuer", "oidc_subject"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    email: str = Field(sa_column=Column(Text, nullable=False))
    email_key: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    password_hash: str | None = Field(default=None, sa_column=Column(Text))
    oidc_issuer: str | None = Field(default=None, sa_column=Column(Text))
    oidc_subject: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    disabled_at: datetime | None = Field(default=None, sa_column=_time())


class AccountSession(SQLModel, table=True):
    """One browser in which a person is signed in. Its end is its deletion."""

    __tablename__ = "account_session"
    __table_args__ = (UniqueConstraint("digest"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    account_id: UUID = Field(sa_column=_account())
    address: str | None = Field(default=None, sa_column=Column(Text))
    user_agent: str | None = Field(default=None, sa_column=Column(Text))
    created_at: datetime | None = Field(default=None, sa_column=_now())
    last_used_at: datetime | None = Field(default=None, sa_column=_now())


class SetupLink(SQLModel, table=True):
    """A link by which a person chooses a password, once; without an account it makes the first one."""

    __tablename__ = "setup_link"
    __table_args__ = (UniqueConstraint("digest"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    account_id: UUID | None = Field(
        default=None, sa_column=Column(Uuid, ForeignKey("account.id", ondelete="CASCADE"), index=True)
    )
    created_at: datetime | None = Field(default=None, sa_column=_now())
    expires_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ApiToken(SQLModel, table=True):
    """A token with which a program acts for a person, within its scopes."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("digest"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    name: str = Field(sa_column=Column(Text, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    account_id: UUID = Field(sa_column=_account())
    created_at: datetime | None = Field(default=None, sa_column=_now())
    expires_at: datetime | None = Field(default=None, sa_column=_time())
    last_used_at: datetime | None = Field(default=None, sa_column=_time())


class AuditEvent(SQLModel, table=True):
    """One entry of the record of who did what. A trigger refuses to change or delete it.

    `actor_kind` is a `PrincipalKind`. `before` and `after` hold the fields that a single change changed; `details`
    holds anything else, such as the counts of an import.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_object", "object_id", "id"),
        Index("ix_audit_event_actor", "actor_id", "id"),
        Index("ix_audit_event_at", "at", "id"),
    )

    # Sorts by time.
    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime | None = Field(default=None, sa_column=_now())
    action: str = Field(sa_column=Column(Text, nullable=False))
    actor_kind: str = Field(sa_column=Column(Text, nullable=False))
    actor_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    actor_name: str = Field(sa_column=Column(Text, nullable=False))
    address: str | None = Field(default=None, sa_column=Column(Text))
    object_kind: str | None = Field(default=None, sa_column=Column(Text))
    object_id: UUID | None = Field(default=None, sa_column=Column(Uuid))
    object_name: str | None = Field(default=None, sa_column=Column(Text))
    before: dict[str, Any] | None = Field(default=None, sa_column=_json())
    after: dict[str, Any] | None = Field(default=None, sa_column=_json())
    details: dict[str, Any] | None = Field(default=None, sa_column=_json())
