"""What each REST route and each event handler of the page needs. What is not listed here is refused."""

from product_importer.access.schemas import Permission

READ, IMPORT, WRITE, ADMIN = Permission.READ, Permission.IMPORT, Permission.WRITE, Permission.ADMIN

# By the name of the route's function, which is its operation id. None: strangers may, too.
ROUTES: dict[str, Permission | None] = {
    "read_health": None,
    "read_readiness": None,
    "read_metrics": READ,
    "show_openapi": READ,
    "show_docs": READ,
    "list_tokens": READ,
    "create_token": READ,
    "delete_token": READ,
    "upload_csv": IMPORT,
    "import_products": IMPORT,
    "list_imports": READ,
    "read_import": READ,
    "list_import_changes": READ,
    "follow_import": READ,
    "list_kept_products": READ,
    "download_rejects": READ,
    "apply_import": IMPORT,
    "cancel_import": IMPORT,
    "retry_import": IMPORT,
    "undo_import": IMPORT,
    "list_products": READ,
    "export_products": READ,
    "read_product": READ,
    "create_product": WRITE,
    "put_product": WRITE,
    "patch_product": WRITE,
    "delete_product": WRITE,
    "delete_all_products": WRITE,
    "list_webhooks": READ,
    "read_webhook": READ,
    "list_deliveries": READ,
    "create_webhook": ADMIN,
    "put_webhook": ADMIN,
    "delete_webhook": ADMIN,
    "test_webhook": ADMIN,
    "rotate_webhook_secret": ADMIN,
    "redeliver_message": ADMIN,
    "redeliver_failed_messages": ADMIN,
    "list_audit_events": ADMIN,
    "export_audit_events": ADMIN,
}

# What a token needs instead, where a person needs less: else whoever finds one could make further ones of it.
BY_TOKEN: dict[str, Permission] = {"list_tokens": ADMIN, "create_token": ADMIN, "delete_token": ADMIN}
# What who may import may do, too: a program that imports follows its import.
BY_IMPORT = frozenset(
    {
        "list_imports",
        "read_import",
        "list_import_changes",
        "follow_import",
        "list_kept_products",
        "download_rejects",
    }
)


def alternatives(route: str, *, by_token: bool) -> frozenset[Permission]:
    """Return the permissions of which one is enough for a route; none for a route that strangers may use.

    Raises:
        KeyError: the route is not listed.
    """
    needed = BY_TOKEN.get(route, ROUTES[route]) if by_token else ROUTES[route]
    if needed is None:
        return frozenset()
    return frozenset({needed, IMPORT}) if route in BY_IMPORT else frozenset({needed})
