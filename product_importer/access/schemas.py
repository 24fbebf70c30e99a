"""Roles, permissions, and the request and response models of tokens."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from product_importer.core.enums import InlineEnum
from product_importer.core.pagination import Page


class Permission(StrEnum):
    """What a route or an event handler needs. A token's scopes are permissions, too."""

    READ = "read"
    IMPORT = "import"
    WRITE = "write"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person may do; each role includes those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.EDITOR: frozenset({Permission.READ, Permission.IMPORT, Permission.WRITE}),
    Role.ADMIN: frozenset(Permission),
}

MAX_TOKEN_NAME = 100
TOKEN_DAYS = 365


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("A name is one line of printable characters")
    return text


def _in_order(given: list[Permission]) -> list[Permission]:
    return [scope for scope in Permission if scope in given]


def _in_future(moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= datetime.now(UTC):
        raise ValueError("This time has passed already")
    return moment


def _default_expiry() -> datetime:
    return datetime.now(UTC) + timedelta(days=TOKEN_DAYS)


class TokenCreate(BaseModel):
    """The fields of a new token."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str,
        Field(
            min_length=1, max_length=MAX_TOKEN_NAME, description="What the token is for.", examples=["Nightly import"]
        ),
        BeforeValidator(_stripped),
        AfterValidator(_printable),
    ]
    scopes: Annotated[
        list[InlineEnum[Permission]],
        Field(min_length=1, description="What the token may do; at most what its owner's role allows."),
        AfterValidator(_in_order),
    ]
    expires_at: Annotated[
        AwareDatetime | None,
        Field(description=f"When it ends; {TOKEN_DAYS} days from now if absent, never if null."),
        AfterValidator(_in_future),
    ] = Field(default_factory=_default_expiry)


class TokenRead(BaseModel):
    """A token, without what makes it secret. `owner` is the e-mail address of the person it acts for."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    scopes: list[InlineEnum[Permission]]
    owner: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class TokenCreated(TokenRead):
    """A new token with its secret text, which is not shown again."""

    token: str


class TokenPage(Page[TokenRead]):
    """One page of the tokens."""
