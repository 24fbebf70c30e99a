"""Entries of the record as the REST API shows them, and the query that lists them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from product_importer.access.audit import AuditAction, ObjectKind
from product_importer.access.principal import PrincipalKind
from product_importer.core.enums import InlineEnum
from product_importer.core.pagination import Page, PageQuery

MAX_ACTOR = 320

JsonObject = Annotated[dict[str, Any] | None, Field(json_schema_extra={"additionalProperties": True})]


class AuditFilter(BaseModel):
    """Which entries of the record are wanted."""

    model_config = ConfigDict(extra="forbid")

    actor: Annotated[
        str,
        Field(
            max_length=MAX_ACTOR,
            pattern=r"^[^\x00]*$",
            description="A part of the name of who did it, in any case: an e-mail address or a token's name. Or the "
            "whole id.",
        ),
    ] = ""
    action: Annotated[InlineEnum[AuditAction] | None, Field(description="What was done.")] = None
    object_kind: Annotated[InlineEnum[ObjectKind] | None, Field(description="What it was done to.")] = None
    object_id: Annotated[UUID | None, Field(description="The id of what it was done to.")] = None
    since: Annotated[AwareDatetime | None, Field(description="Only entries from this time on.")] = None
    until: Annotated[AwareDatetime | None, Field(description="Only entries before this time.")] = None


class AuditQuery(PageQuery, AuditFilter):
    """Which entries are listed, and which page of them."""


class AuditRead(BaseModel):
    """One entry of the record: who did what, from where, when, and to what.

    `before` and `after` hold the fields that a single change changed, each with its values. `details` holds anything
    else, such as the counts of an import.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    action: InlineEnum[AuditAction]
    actor_kind: InlineEnum[PrincipalKind]
    actor_id: UUID | None
    actor_name: str
    address: str | None
    object_kind: InlineEnum[ObjectKind] | None
    object_id: UUID | None
    object_name: str | None
    before: JsonObject
    after: JsonObject
    details: JsonObject


class AuditPage(Page[AuditRead]):
    """One page of the record, newest first. `total` is a lower bound unless `total_is_exact`."""

    total_is_exact: bool = True
