"""Who does something: a person, a token, nobody known, or the application itself."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

from product_importer.access.schemas import Permission, Role
from product_importer.core.errors import Forbidden, Unauthenticated


class PrincipalKind(StrEnum):
    """What kind of principal it is. The record of changes stores these values."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a kind, no secret
    # Anybody, while sign-in is off.
    ANYONE = "anyone"
    # Somebody who has not signed in, while sign-in is on.
    STRANGER = "stranger"
    # A worker, a command, or periodic work.
    SYSTEM = "system"


@dataclass(frozen=True)
class Principal:
    """Who a request comes from, and what they may do.

    `name` is a person's e-mail address or a token's name. `account_id` is the person, or the person whose token it
    is. `credential` is the digest of the session or token, by which its end is noticed. `address` is where the
    request came from.
    """

    kind: PrincipalKind
    permissions: frozenset[Permission] = frozenset()
    id: UUID | None = None
    name: str = ""
    account_id: UUID | None = None
    role: Role | None = None
    credential: bytes | None = None
    address: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether the principal has a permission."""
        return permission in self.permissions

    def stored(self) -> dict[str, str | None]:
        """Return who it is as JSON, for work that goes on after the request; without what they may do."""
        return {"kind": self.kind, "id": str(self.id) if self.id else None, "name": self.name}

    @classmethod
    def of_stored(cls, stored: Mapping[str, str | None] | None) -> Self:
        """Return who `stored` describes, without any permission; the application itself for None."""
        if stored is None:
            return cls(PrincipalKind.SYSTEM, name=PrincipalKind.SYSTEM)
        id = stored["id"]
        return cls(PrincipalKind(stored["kind"] or ""), id=UUID(id) if id else None, name=stored["name"] or "")

    @property
    def known_name(self) -> str | None:
        """The name of a person or a token; None where nobody is known."""
        return self.name if self.kind in (PrincipalKind.PERSON, PrincipalKind.TOKEN) else None

    def require(self, alternatives: Collection[Permission]) -> None:
        """Check that the principal has one of several permissions; none are needed if there are none.

        Raises:
            Unauthenticated: nobody has signed in.
            Forbidden: the principal lacks the permission.
        """
        if not alternatives or not self.permissions.isdisjoint(alternatives):
            return
        if self.kind == PrincipalKind.STRANGER:
            raise Unauthenticated(SIGN_IN_FIRST)
        if self.kind == PrincipalKind.TOKEN:
            scopes = "” or “".join(sorted(alternatives))
            raise Forbidden(
                f"The token “{self.name}” may not do this: it needs the scope “{scopes}”, and its owner's role must "
                "allow it."
            )
        raise Forbidden(f"Your role, {self.role}, may not do this. Ask an administrator for another role.")


SIGN_IN_FIRST = "Sign in first, or send a token: “Authorization: Bearer pi_…”."
SYSTEM = Principal(PrincipalKind.SYSTEM, frozenset(Permission), name="system")
ANYONE = Principal(PrincipalKind.ANYONE, frozenset(Permission), name="anyone")
STRANGER = Principal(PrincipalKind.STRANGER)

_current: ContextVar[Principal] = ContextVar("principal", default=SYSTEM)


def current() -> Principal:
    """Return who the running request or event comes from; `SYSTEM` outside of requests."""
    return _current.get()


def act_as(principal: Principal) -> None:
    """Let the rest of this task, and the threads and tasks that it starts, act as a principal."""
    _current.set(principal)


@contextmanager
def acting_as(principal: Principal) -> Iterator[None]:
    """Act as a principal within a block."""
    before = _current.set(principal)
    try:
        yield
    finally:
        _current.reset(before)
