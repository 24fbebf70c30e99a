"""Show on the page of a product what others do with it."""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import UUID

import reflex as rx
from reflex.event import EventType
from sqlmodel import Session

from product_importer.catalog import news, service
from product_importer.catalog.history import reading
from product_importer.catalog.news import Stamp
from product_importer.catalog.pages import refreshing
from product_importer.catalog.pages.delete_state import DeleteState
from product_importer.catalog.pages.editor_state import EditorState
from product_importer.catalog.pages.live_state import change_of_products, newest_stamp
from product_importer.catalog.pages.product.state import ProductHistoryState, ProductState
from product_importer.catalog.pages.product.view_models import EntryView, ProductDetails, entries_of
from product_importer.core import db
from product_importer.core.db import OUTAGE
from product_importer.core.errors import NotFound
from product_importer.core.shared_reads import SharedReads
from product_importer.ui.ids import id_in_path, parse_id
from product_importer.ui.live import FRESH_SECONDS, looks

Shown = tuple[ProductDetails | None, Sequence[EntryView]]
_shown = SharedReads[Shown](FRESH_SECONDS)


class Followed:
    """The products that tabs of this process show. One query reads the versions of all."""

    def __init__(self) -> None:
        self._tabs: Counter[UUID] = Counter()
        self._ids: frozenset[UUID] = frozenset()
        self._versions = SharedReads[dict[UUID, int]](FRESH_SECONDS)

    @contextmanager
    def by_a_tab(self, product_id: UUID) -> Iterator[None]:
        """Count a tab that follows a product during the block."""
        self._tabs[product_id] += 1
        self._ids = frozenset(self._tabs)
        try:
            yield
        finally:
            self._tabs -= Counter([product_id])
            self._ids = frozenset(self._tabs)

    async def version(self, product_id: UUID, stamp: Stamp) -> int:
        """Return the version that a product has at `stamp`, or later; 0 if it is not there.

        Raises one of `OUTAGE`.
        """
        ids = self._ids
        found = await self._versions.get((stamp, ids), partial(db.run, news.versions, ids))
        return found.get(product_id, 0)


followed = Followed()


class LiveProductState(rx.State):
    """Follows one product for one browser tab."""

    @rx.event(background=True, supersedes=True)
    async def follow_product(self) -> AsyncGenerator[EventType[()]]:
        """Follow what others do while the page is looked at; all tabs together cost one small query each time."""
        path = self.router.url.path.rstrip("/")
        try:
            product_id = parse_id(id_in_path(path), "product")
        except NotFound:
            return
        with followed.by_a_tab(product_id):
            async for event in self._follow(product_id, path):
                yield event

    async def _follow(self, product_id: UUID, path: str) -> AsyncGenerator[EventType[()]]:
        """Look again after each write of products; the state is asked only where this one has another version."""
        seen: Stamp = ()
        known = None

        async def change() -> None:
            await change_of_products(seen)

        async for _ in looks(self, path, change):
            try:
                stamp = await newest_stamp()
                if stamp == seen:
                    continue
                version = await followed.version(product_id, stamp)
                events = [] if version == known else await self._look(product_id, version, path)
            except OUTAGE:
                # What the page could not load meanwhile is loaded at the next look.
                seen, known = (), None
                continue
            if events is not None:
                seen, known = stamp, version
                for event in events:
                    yield event

    async def _look(self, product_id: UUID, version: int, path: str) -> Sequence[EventType[()]] | None:
        """Show what has become of the product, and return what is to be loaded; None where that has to wait."""
        async with self:
            page, history = await self.get_state(ProductState), await self.get_state(ProductHistoryState)
            if await self._waits(path):
                return None
            if page.load_error or history.load_error or (page.missing and version):
                return refreshing.what_is_shown(self)
            if page.product.version == version:
                return ()
            most = history._most()
        # Read after the version: what another tab has read for an earlier one does not count.
        product, entries = await _shown.get((product_id, version, most), partial(db.run, _read, product_id, most))
        async with self:
            if await self._waits(path):
                return None
            (await self.get_state(ProductState))._see(product)
            (await self.get_state(ProductHistoryState))._see(entries)
        return ()

    async def _waits(self, path: str) -> bool:
        """Return whether the page is being loaded, or something is being done with its product."""
        page, history = await self.get_state(ProductState), await self.get_state(ProductHistoryState)
        dialogs = await self.get_state(EditorState), await self.get_state(DeleteState)
        is_loaded = page._is_settled(path) and (history.loaded or history.load_error)
        return not is_loaded or page.is_switching or any(dialog.is_open for dialog in dialogs)


def _read(session: Session, product_id: UUID, most: int) -> Shown:
    """Return the product, None if it is not there, and the newest changes of it."""
    try:
        product = ProductDetails.of(service.read_product(session, product_id))
    except NotFound:
        product = None
    try:
        entries, _ = reading.list_newest(session, product_id, most)
    except NotFound:
        entries = []
    return product, entries_of(entries)
