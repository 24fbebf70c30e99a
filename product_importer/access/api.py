"""REST: the check of permissions before each route, and the routes of tokens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from product_importer.access import permissions, principal, tokens
from product_importer.access.principal import PrincipalKind
from product_importer.access.schemas import TokenCreate, TokenCreated, TokenPage
from product_importer.core import db
from product_importer.core.errors import Forbidden, problems
from product_importer.core.pagination import PageQuery

router = APIRouter(prefix="/tokens", tags=["access"], responses=problems(422, 503))


def require_permission(request: Request) -> None:
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


@router.get("", summary="List tokens")
def list_tokens(query: Annotated[PageQuery, Query()]) -> TokenPage:
    """Your own tokens, newest first; as an administrator, those of everyone."""
    return db.run(tokens.list_tokens, query)


@router.post("", status_code=201, summary="Create a token", responses=problems(400, 409))
def create_token(given: TokenCreate) -> TokenCreated:
    """The response holds the token's text, which is not shown again. It acts for you, within its scopes.

    A program sends it as `Authorization: Bearer pi_…`. 409 while sign-in is off.
    """
    return db.run(tokens.create_token, given)


@router.delete("/{token_id}", status_code=204, summary="Delete a token", responses=problems(404))
def delete_token(token_id: UUID) -> None:
    """Delete a token at once: the next request with it is 401, and its open event streams end within seconds."""
    db.run(tokens.delete_token, token_id)
