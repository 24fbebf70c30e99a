"""REST: the check of permissions before each route, the routes of tokens, and the record of who did what."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from product_importer.access import audit_log, permissions, principal, tokens
from product_importer.access.audit_schemas import AuditFilter, AuditPage, AuditQuery
from product_importer.access.principal import PrincipalKind
from product_importer.access.schemas import TokenCreate, TokenCreated, TokenPage
from product_importer.core import db
from product_importer.core.errors import Forbidden, problems
from product_importer.core.pagination import PageQuery

router = APIRouter(tags=["access"], responses=problems(422, 503))

RECORD_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


async def require_permission(request: Request) -> None:
    """Check that whoever sends a request has the permission that its route needs.

    Raises:
        Unauthenticated: nobody has signed in.
        Forbidden: the permission is missing, or the route is not listed in `permissions`.
    """
    name = request.scope["endpoint"].__name__
    if name not in permissions.ROUTES:
        raise Forbidden(f"The route {name} is not open to any role.")
    who = principal.current()
    who.require(permissions.alternatives(name, by_token=who.kind == PrincipalKind.TOKEN))


@router.get("/tokens", summary="List tokens")
def list_tokens(query: Annotated[PageQuery, Query()]) -> TokenPage:
    """Your own tokens, newest first; as an administrator, those of everyone."""
    return db.run(tokens.list_tokens, query)


@router.post("/tokens", status_code=201, summary="Create a token", responses=problems(400, 409))
def create_token(given: TokenCreate) -> TokenCreated:
    """The response holds the token's text, which is not shown again. It acts for you, within its scopes.

    A program sends it as `Authorization: Bearer pi_…`. 409 while sign-in is off.
    """
    return db.run(tokens.create_token, given)


@router.delete("/tokens/{token_id}", status_code=204, summary="Delete a token", responses=problems(404))
def delete_token(token_id: UUID) -> None:
    """Delete a token at once: the next request with it is 401, and its open event streams end within seconds."""
    db.run(tokens.delete_token, token_id)


@router.get("/audit", summary="List who did what")
def list_audit_events(query: Annotated[AuditQuery, Query()]) -> AuditPage:
    """List the entries of the record that match all given filters, newest first."""
    return db.run(audit_log.list_events, query)


@router.get("/audit/export", summary="Download who did what", response_class=StreamingResponse, responses=RECORD_FILE)
def export_audit_events(query: Annotated[AuditFilter, Query()]) -> StreamingResponse:
    """Return the entries that match as CSV, newest first. `before`, `after` and `details` are JSON.

    Cells that a spreadsheet would run as a formula begin with an additional apostrophe.
    """
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(audit_log.stream_csv(query), headers=headers, media_type="text/csv; charset=utf-8")
