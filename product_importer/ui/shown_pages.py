"""Whether a browser still shows a page: what follows changes for it ends when nobody looks."""

from collections import OrderedDict

import reflex as rx
from reflex.utils import prerequisites

# The path that each tab shows, by its token. In Redis, the state that runs in the background is a copy.
MAX_TABS = 10_000
_paths: OrderedDict[str, str] = OrderedDict()


def note_path(state: rx.State) -> None:
    """Note which page the tab of a state shows from now on."""
    tab = state.router.session.client_token
    _paths[tab] = state.router.url.path
    _paths.move_to_end(tab)
    while len(_paths) > MAX_TABS:
        _paths.popitem(last=False)


class Tab:
    """The browser tab of a state, made once by what follows changes: asking the state each time takes long."""

    def __init__(self, state: rx.State):
        self._token = state.router.session.client_token
        self._first_path = state.router.url.path
        self._tabs = prerequisites.get_app().app.event_namespace._token_manager

    def shows(self, route: str) -> bool:
        """Return whether the tab is open, and shows the page at `route`."""
        path = _paths.get(self._token, self._first_path)
        return (path.rstrip("/") or "/") == route and self.is_open()

    def is_open(self) -> bool:
        """Return whether the tab is open, and connected to this process.

        A tab that has moved to another web process is followed there.
        """
        connected = self._tabs.token_to_socket.get(self._token)
        return connected is not None and connected.instance_id == self._tabs.instance_id
