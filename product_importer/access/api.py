"""REST: the check of permissions before each route."""

from fastapi import Request

from product_importer.access import permissions, principal
from product_importer.core.errors import Forbidden


def require_permission(request: Request) -> None:
    """Check that whoever sends a request has the permission that its route needs.

    Raises:
        Unauthenticated: nobody has signed in.
        Forbidden: the permission is missing, or the route is not listed in `permissions`.
    """
    name = request.scope["endpoint"].__name__
    if name not in permissions.ROUTES:
        raise Forbidden(f"The route {name} is not open to any role.")
    needed = permissions.ROUTES[name]
    if needed is not None:
        principal.current().require(needed)
