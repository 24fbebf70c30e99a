"""Roles and permissions of people and tokens."""

from enum import StrEnum


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
