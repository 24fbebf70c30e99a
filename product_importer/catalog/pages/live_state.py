"""Show in the list of products what others do with them."""

from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx
from pydantic import ValidationError
from reflex.event import EventType

from product_importer.catalog import news
from product_importer.catalog.news import Look, Stamp
from product_importer.catalog.schemas import ProductPage, ProductRead
from product_importer.core import db
from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError
from product_importer.core.shared_reads import SharedReads
from product_importer.core.shared_waits import SharedWaits
from product_importer.ui import routes
from product_importer.ui.live import (
    FRESH_SECONDS,
    IDLE_SECONDS,
    LOOK_SECONDS,
    TO_TOP,
    LiveListState,
    count_news,
    looks,
)

NEWEST_FIRST = ("-created_at", "-updated_at")
_stamps = SharedReads[Stamp](FRESH_SECONDS)
_looks = SharedReads[Look](FRESH_SECONDS)


class LiveProductsState(LiveListState, mixin=True):
    """A mixin for the state of the list of products, which calls `_loaded_page` with each page that it shows.

    `_show_changes` of the state shows products as they are now, and `_show_gone` marks deleted ones. It has a
    listing, as `AddressListState`.
    """

    # The version of each product that the tab shows, by its id, and how many match; None where that is estimated.
    _versions: dict[str, int] = {}  # noqa: RUF012 - Reflex copies it for each tab
    _matching: int | None = None
    # Which writes the tab knows of.
    _stamp_seen: Stamp = ()

    @rx.event(background=True, supersedes=True)
    async def follow_products(self) -> AsyncGenerator[EventType[()]]:
        """Follow what others do while the page is looked at; all tabs together cost one small query each time."""
        async for _ in looks(self, routes.PRODUCTS, lambda: change_of_products(self._stamp_seen)):
            try:
                stamp = await newest_stamp()
                if stamp != self._stamp_seen and await self._look(stamp):
                    yield self.__class__.load_products  # type: ignore[attr-defined]
            except (DomainError, ValidationError, *OUTAGE):
                # What is shown stays; who asks for something is told.
                continue

    @rx.event
    def show_news(self) -> list[EventType[()]]:
        """Show what is new in the list."""
        state: Any = self
        page = 1 if state.listing.sort in NEWEST_FIRST else state.listing.page
        return [*state._list(replace(state.listing, page=page)), TO_TOP]

    async def _look(self, stamp: Stamp) -> bool:
        """Show what has become of the list; return whether it is to be loaded, because it shows nothing yet."""
        state: Any = self
        async with self:
            listing, versions = state.listing, dict(self._versions)
            if not state.loaded or state.loading:
                return False
        # Read after the stamp: what another tab has read before does not count.
        query, ids = listing.query(), frozenset(map(UUID, versions))
        key = (stamp, query.model_dump_json(), ids)
        found = await _looks.get(key, partial(db.run, news.look, query, ids))
        async with self:
            # Something else has been loaded meanwhile.
            if state.loading or state.listing != listing or self._versions.keys() != versions.keys():
                return False
            self._stamp_seen = stamp
            if versions:
                self._compare(found)
            return not versions and bool(found.page.items)

    def _compare(self, found: Look) -> None:
        """Show the difference between what is shown and what there is now."""
        now = {str(product.id): product for product in (*found.page.items, *found.others)}
        gone = [id for id in self._versions if id not in now]
        fresh = [str(product.id) for product in found.page.items]
        if gone != self.gone:
            self._show_gone(gone)
        self._note(count_news(list(self._versions), fresh, _growth(self._matching, found.page, len(gone))), gone)
        # What was read before this tab saved an edit is older than what it shows.
        changed = [now[id] for id, version in self._versions.items() if id in now and now[id].version > version]
        if changed:
            self._versions = self._versions | {str(product.id): product.version for product in changed}
            self._show_changes(changed)

    def _loaded_page(self, found: ProductPage) -> None:
        """Another page is shown."""
        self._nothing_new()
        self._versions = {str(product.id): product.version for product in found.items}
        self._matching = found.total if found.total_is_exact else None

    def _show_changes(self, changed: Sequence[ProductRead]) -> None:
        """Show products of the list as they are now, each in its place."""
        raise NotImplementedError

    def _show_gone(self, ids: Collection[str]) -> None:
        """Mark products of the list as deleted."""
        raise NotImplementedError


async def newest_stamp() -> Stamp:
    """Return the stamp of the products; all tabs of this process share its query.

    Raises one of `OUTAGE`.
    """
    return await _stamps.get(None, partial(db.run, news.stamp))


async def change_of_products(seen: Stamp) -> None:
    """Wait until the stamp of the products is another one, at most `IDLE_SECONDS`."""
    await _changes.other_than(seen, IDLE_SECONDS)


_changes = SharedWaits(newest_stamp, LOOK_SECONDS)


def _growth(before: int | None, page: ProductPage, gone: int) -> int:
    """Return how many products a list has got, at least; 0 where its length is only estimated."""
    return page.total - before + gone if before is not None and page.total_is_exact else 0
