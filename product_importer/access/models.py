"""The tables of accounts, sessions, set-up links and tokens. Secrets are stored as SHA-256 digests only."""

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
from sqlmodel import Field, SQLModel

from product_importer.core.ids import new_id


def _now() -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=False, server_default=func.now())


def _time() -> Column[Any]:
    return Column(DateTime(timezone=True), nullable=True)


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
