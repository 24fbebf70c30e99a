"""Show in the history what others import, without moving what is being read."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from product_importer.core import db
from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError
from product_importer.core.shared_reads import SharedReads
from product_importer.imports import news
from product_importer.imports.news import Look, Stamp
from product_importer.imports.pages.view_models import ImportView
from product_importer.imports.schemas import ImportRead
from product_importer.ui.live import FRESH_SECONDS, LiveListState, count_news

# The stamp does not tell that a file has expired, or that a retry has begun and ended between two looks.
LOOK_ANYWAY_SECONDS = 10.0
_stamps = SharedReads[Stamp](FRESH_SECONDS)
_looks = SharedReads[Look](FRESH_SECONDS)


class Seen(NamedTuple):
    """What a look has found: whether to load imports, because none is shown yet; and those that have ended."""

    are_first: bool = False
    ended: tuple[ImportView, ...] = ()


class LiveHistoryState(LiveListState, mixin=True):
    """A mixin for the state of the history, which has `imports`, `total`, and a listing."""

    _stamp_seen: Stamp = ()
    _looked_at: float = 0.0
    # The ids of the imports that were seen running since the page was entered, and the ends that were said: what is
    # read may be older than what was said.
    _seen_running: frozenset[str] = frozenset()
    _said: frozenset[tuple[str, str]] = frozenset()

    async def _look(self) -> Seen:
        """Show what has become of the imports."""
        with suppress(DomainError, *OUTAGE):
            stamp = await _stamps.get(None, partial(db.run, news.stamp))
            if stamp != self._stamp_seen or time.monotonic() - self._looked_at > LOOK_ANYWAY_SECONDS:
                return await self._look_closely(stamp)
        # An outage is shown by what a person asks for; here, the list stays as it is.
        return Seen()

    async def _look_closely(self, stamp: Stamp) -> Seen:
        state: Any = self
        async with self:
            listing, ids = state.listing, frozenset(UUID(job.id) for job in state.imports)
            if not state.loaded or state.loading:
                return Seen()
        query = listing.query()
        found = await _looks.get((stamp, query.model_dump_json(), ids), partial(db.run, news.look, query, ids))
        async with self:
            # Something else has been loaded meanwhile.
            if state.loading or state.listing != listing or {UUID(job.id) for job in state.imports} != ids:
                return Seen()
            self._stamp_seen, self._looked_at = stamp, time.monotonic()
            if ids:
                return Seen(ended=self._compare(found))
            return Seen(are_first=bool(found.page.items))

    def _compare(self, found: Look) -> tuple[ImportView, ...]:
        """Show each import as it is now, in its place, and count those that are new; return those that have ended."""
        state: Any = self
        now = {str(job.id): ImportView.of(job) for job in (*found.page.items, *found.others)}
        shown = [replace(now[job.id], depth=job.depth) if job.id in now else job for job in state.imports]
        ended = self._ends([*found.page.items, *found.others])
        if shown != list(state.imports):
            state.imports = shown
        fresh = [str(job.id) for job in found.page.items]
        self._note(count_news([job.id for job in shown], fresh, found.page.total - state.total))
        return ended

    def _enter(self) -> None:
        """The page is entered: how imports ended that were seen before is no news."""
        self._seen_running, self._said = frozenset(), frozenset()

    def _ends(self, found: Sequence[ImportRead]) -> tuple[ImportView, ...]:
        """Note which imports run; return those that have ended since they were seen running, each end once."""
        ended = []
        for job in found:
            view, end = ImportView.of(job), (str(job.id), str(job.finished_at))
            if view.is_running:
                self._seen_running |= {view.id}
            elif view.id in self._seen_running:
                self._seen_running -= {view.id}
                ended += [] if end in self._said else [view]
                self._said |= {end}
        return tuple(ended)
