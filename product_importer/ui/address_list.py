"""Keep a list and the page's address in step: reloading, sharing and going back show the same list."""

import json
from dataclasses import dataclass, fields
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import reflex as rx
from reflex.event import EventSpec, EventType

# So many navigations of a state's own are known that the browser has not told of yet.
MAX_NAVIGATIONS = 20
# The router's own state of the history entry is kept.
PARAMETER = "parameter"
REPLACE_ADDRESS = "history.replaceState(history.state, '', %s)"


@dataclass(frozen=True)
class Listing:
    """What a list shows. Subclasses have a field for each parameter of the address, with its default.

    A field's `metadata` may have the parameter's name as `PARAMETER`, where Python cannot use it.
    """

    ROUTE: ClassVar[str]

    def address(self) -> str:
        """Return the page's address for this listing, without parameters that have their default."""
        changed = self.parameters()
        return f"{self.ROUTE}?{urlencode(changed)}" if changed else self.ROUTE

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the address that do not have their default."""
        # Not by `type(self)()`: inside a state, `self` is a proxy of Reflex's.
        values = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.metadata.get(PARAMETER, field.name): value for field, value in values if value != field.default}

    @classmethod
    def parameter_names(cls) -> frozenset[str]:
        """Return the names of all parameters that the address may have."""
        return frozenset(str(field.metadata.get(PARAMETER, field.name)) for field in fields(cls))

    def texts(self) -> tuple[str, ...]:
        """Return the values of the text inputs."""
        raise NotImplementedError


class AddressListState(rx.State, mixin=True):
    """A mixin for the state of such a list. Subclasses declare their own class of `listing`, and the items."""

    listing: Listing = Listing()
    # Text inputs keep what is being typed. When this number changes, they show the listing's values.
    filling: int = 0
    loaded: bool = False
    loading: bool = False
    # Why the list cannot be shown.
    error: str = ""
    # The parameters of the addresses that this state navigated to itself, the oldest first: their lists are being
    # loaded already. The next one may have been chosen before the browser tells that it shows the one before.
    _navigated_to: tuple[str, ...] = ()
    # The text input that made the newest entry of the browser's history: more typing changes that entry.
    _typing: str = ""

    def _new_parameters(self) -> dict[str, str] | None:
        """Return the address's parameters; None where this state navigated there itself."""
        # Reflex's own parameters lack those without a value.
        parameters = _parameters(self.router.url.query)
        own, address = self._navigated_to, _sorted(parameters)
        if address not in own:
            self._navigated_to = ()
            return parameters
        # The browser does not tell of earlier ones any more.
        self._navigated_to = own[len(own) - own[::-1].index(address) :]
        return None

    def _fill(self, listing: Listing) -> None:
        """Take over a listing, its texts into the inputs; where these are the same, what is being typed stays."""
        self.filling += listing.texts() != self.listing.texts()
        self.listing = listing

    def _show(self, listing: Listing, load: EventType[()], typing: str = "") -> list[EventType[()]]:
        """Load another listing and write it into the address. `typing` names the text input that changed."""
        makes_entry = listing != self.listing and not (typing and typing == self._typing)
        self.listing, self._typing, self.loading = listing, typing, True
        if not makes_entry:
            return [replace_address(listing), load]
        own = _sorted(_parameters(urlsplit(listing.address()).query))
        self._navigated_to = (*self._navigated_to, own)[-MAX_NAVIGATIONS:]
        return [rx.redirect(listing.address()), load]


def _parameters(query: str) -> dict[str, str]:
    return dict(parse_qsl(query, keep_blank_values=True))


def _sorted(parameters: dict[str, str]) -> str:
    return urlencode(sorted(parameters.items()))


def replace_address(listing: Listing) -> EventSpec:
    """Write the listing into the newest entry of the browser's history."""
    return rx.call_script(REPLACE_ADDRESS % json.dumps(listing.address()))
