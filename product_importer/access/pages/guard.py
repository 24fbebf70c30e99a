"""Check each event of the page before its handler runs, and tell the handler who it acts for."""

from dataclasses import replace

from reflex.app import App
from reflex.event import Event
from reflex.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext

from product_importer.access import permissions, principal, sessions
from product_importer.access.gate import refusals
from product_importer.access.gate.authentication import find_principal
from product_importer.access.gate.handover import SESSION_HEADER
from product_importer.access.pages import arguments, half_characters
from product_importer.access.pages.leaving import leave
from product_importer.access.principal import ANYONE, STRANGER, Principal, PrincipalKind
from product_importer.access.schemas import Permission
from product_importer.core.errors import DomainError, Forbidden, Unauthenticated
from product_importer.core.settings import settings
from product_importer.ui import toasts
from product_importer.ui.access_state import AccessState


class Guard(Middleware):
    """Lets an event pass only if its handler is listed in `permissions.EVENTS`, and its sender has the permission.

    It must have the arguments that the handler takes, too, and whole texts.

    Reflex calls it before every handler, those in the background included, within the handler's own task.
    """

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Return None to let the event pass; otherwise what its tab is told."""
        try:
            who = await _sender(state)
            principal.act_as(who)
            require(who, event.name)
            arguments.check(event)
            half_characters.check(event)
        except Unauthenticated:
            return leave()
        except DomainError as error:
            if isinstance(error, Forbidden):
                _log_refusal(event)
            return StateUpdate(events=Event.from_event_type([toasts.error(error.title, description=error.detail)]))
        _show(await state.get_state(AccessState), who)
        return None


def require(who: Principal, event: str) -> None:
    """Check that somebody may send an event.

    Raises:
        Unauthenticated: nobody has signed in.
        Forbidden: the permission is missing, or the handler is not listed in `permissions`.
    """
    # A stranger learns nothing about handlers.
    who.require({Permission.READ})
    name = handler_name(event)
    if name not in permissions.EVENTS:
        raise Forbidden("The page sent an event that is not open to any role. Load the page again.")
    who.require({permissions.EVENTS[name]})


def handler_name(event: str) -> str:
    """Return an event's state and handler as `permissions.EVENTS` lists them, such as `CatalogState.open_products`.

    It is empty if there is no such handler.
    """
    registered = RegistrationContext.get().event_handlers.get(event)
    return f"{registered.states[0].__name__}.{event.rpartition('.')[2]}" if registered else ""


def _log_refusal(event: Event) -> None:
    who = principal.current()
    refusals.log_refusal(f"the event {handler_name(event.name) or 'of an unknown name'}", who, who.address)


async def _sender(state: BaseState) -> Principal:
    """Return who sends the events of a tab, read from the database at each event.

    The headers are those of the tab's connection, as the access layer handed them over: Reflex sets them for each
    event, whatever the browser sends. A tab's token belongs to one session, so this holds for uploads, too.
    """
    headers = state.router_data.get("headers", {})
    address = state.router_data.get("ip") or None
    if not settings().signs_in:
        return replace(ANYONE, address=address)
    digest = headers.get(SESSION_HEADER)
    found = digest and await find_principal(sessions.find_by_digest, bytes.fromhex(digest))
    return replace(found or STRANGER, address=address)


def _show(shown: AccessState, who: Principal) -> None:
    """Let the page know who is at it; only what has changed is sent."""
    given = settings()
    known = {
        "is_known": True,
        "signs_in": who.kind == PrincipalKind.PERSON,
        "name": who.name if who.kind == PrincipalKind.PERSON else "",
        "role": who.role or "",
        "can_import": who.may(Permission.IMPORT),
        "can_write": who.may(Permission.WRITE),
        "is_admin": who.may(Permission.ADMIN),
        "is_open_to_all": not given.signs_in and not given.is_loopback,
    }
    for name, value in known.items():
        if getattr(shown, name) != value:
            setattr(shown, name, value)
