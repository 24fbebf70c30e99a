"""What a page knows of the person at it, and parts that only some roles see."""

from typing import Any

import reflex as rx

# The role that was last known at this browser stands at the root element (assets/role.js).
VIEWERS = "in-data-[role=viewer]:hidden"
ALL_BUT_ADMINS = "in-data-[role=viewer]:hidden in-data-[role=editor]:hidden"


class AccessState(rx.State):
    """Who is at one browser tab, and what they may do. The check before each event keeps it up to date.

    It only decides what is shown: what is allowed is decided at each event. Nothing is hidden before it is known.
    """

    is_known: bool = False
    # Whether a person has signed in; not so while sign-in is off.
    signs_in: bool = False
    name: str = ""
    role: str = ""
    can_import: bool = True
    can_write: bool = True
    is_admin: bool = True
    # Whether anyone who reaches the application from other machines may change everything.
    is_open_to_all: bool = False


def for_importers(*parts: rx.Component, instead: Any = None) -> rx.Component:
    """Return parts that only those see who may import; others see `instead`."""
    return _for(AccessState.can_import, parts, instead, VIEWERS)


def for_writers(*parts: rx.Component, instead: Any = None) -> rx.Component:
    """Return parts that only those see who may change products."""
    return _for(AccessState.can_write, parts, instead, VIEWERS)


def for_admins(*parts: rx.Component, instead: Any = None) -> rx.Component:
    """Return parts that only administrators see."""
    return _for(AccessState.is_admin, parts, instead, ALL_BUT_ADMINS)


def _for(is_allowed: Any, parts: tuple[rx.Component, ...], instead: Any, hidden_for: str) -> rx.Component:
    # Until it is known who is at the tab, the parts keep their room without being seen, so that nothing moves; they
    # take none if the role that was last known does not see them.
    kind = rx.cond(AccessState.is_known, "contents", f"contents invisible {hidden_for}")
    return rx.cond(is_allowed, rx.el.div(*parts, class_name=kind), instead or rx.fragment())
