"""What a browser tab's state knows of its connections."""

import secrets
from collections import OrderedDict
from collections.abc import Sequence

import reflex as rx
from reflex.event import EventType

from product_importer.ui.shown_pages import note_path

# The newest events that came, by tab and the browser's number of each: it sends again what was not confirmed.
MAX_TAKEN = 10_000
# The browser's own numbers are shorter; longer ones would fill the memory.
MAX_NUMBER = 100
_taken: OrderedDict[tuple[str, str], None] = OrderedDict()
# Connections that followed another one of the same loaded page.
MAX_RESUMED = 10_000
_resumed: OrderedDict[str, None] = OrderedDict()
# What closes the dialogs of each page, by its route.
_closing: dict[str, Sequence[EventType[()]]] = {}


class ConnectionState(rx.State):
    """A browser tab's connections. With one web process, its state is lost when that ends: see decision 5."""

    # Tells the browser whether the state is the one that it knew.
    born: str = ""
    _connection: str = ""
    _path: str = ""

    @rx.event
    def begin_page(self, route: str) -> list[EventType[()]]:
        """Close the page's dialogs, except where only its connection or the parameters of its address are new.

        A dialog may have been opened while the page went to other parameters, as a filter does.
        """
        connection, path = self.router.session.session_id, self.router.url.path
        is_same_page = path == self._path and (connection == self._connection or is_resumed(connection))
        self.born = self.born or secrets.token_hex(8)
        self._connection, self._path = connection, path
        note_path(self)
        return [] if is_same_page else list(_closing.get(route, ()))


def begin_page(route: str, closing: Sequence[EventType[()]]) -> EventType[()]:
    """Return the first event of a page's load; `closing` are the events that close its dialogs."""
    _closing[route] = closing
    return ConnectionState.begin_page(route)


def note_resumed(connection: str) -> None:
    """Note a connection of a page that had one before."""
    _resumed[connection] = None
    while len(_resumed) > MAX_RESUMED:
        _resumed.popitem(last=False)


def is_resumed(connection: str) -> bool:
    """Return whether a connection is that of a page that had one before."""
    return connection in _resumed


def is_new(tab: str, number: object) -> bool:
    """Return whether an event with this number has not come to this process; what has no number of ours is new."""
    if not has_number(number):
        return True
    if (tab, number) in _taken:
        return False
    _taken[tab, str(number)] = None
    while len(_taken) > MAX_TAKEN:
        _taken.popitem(last=False)
    return True


def has_number(number: object) -> bool:
    """Return whether an event's number is one that our page gives."""
    return isinstance(number, str) and len(number) <= MAX_NUMBER
