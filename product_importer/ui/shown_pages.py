"""Whether a browser still shows a page: what follows changes for it ends when nobody looks."""

import reflex as rx
from reflex.utils import prerequisites


async def is_shown(state: rx.State, route: str) -> bool:
    """Return whether the tab that a state belongs to is open, and shows the page at `route`."""
    return (state.router.url.path.rstrip("/") or "/") == route and await is_open(state)


async def is_open(state: rx.State) -> bool:
    """Return whether the tab that a state belongs to is open."""
    namespace = prerequisites.get_app().app.event_namespace
    return bool(await namespace._token_manager.is_token_connected(state.router.session.client_token))
