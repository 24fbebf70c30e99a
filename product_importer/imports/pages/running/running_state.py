"""Follow what is imported, by whomever, for what every page shows of it."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.db import OUTAGE
from product_importer.core.errors import NotFound
from product_importer.core.shared_waits import REST, SharedWaits
from product_importer.imports.activity import ActiveImports
from product_importer.imports.pages import result_words
from product_importer.imports.pages.running.milestones import Milestones, step_of
from product_importer.imports.progress import current
from product_importer.imports.schemas import ImportRead
from product_importer.ui.activity_state import ActivityState, show
from product_importer.ui.live import IDLE_SECONDS
from product_importer.ui.notifications import notify
from product_importer.ui.shown_pages import Tab

LOOK_SECONDS = 1.0
# With several web processes, what another handler of the tab has noted is seen only when the state is taken.
LOOK_ANYWAY_SECONDS = 60.0
_active = ActiveImports()


async def _read_told() -> tuple[Any, ...]:
    return _told(await _active.now())


def _told(active: list[ImportRead]) -> tuple[Any, ...]:
    """Return what pages tell of the active imports: while it is the same, no tab's state is taken."""
    return (*_shown(active), *map(step_of, active))


_changes = SharedWaits(_read_told, LOOK_SECONDS)


class RunningState(rx.State):
    """What one browser tab has seen of running imports."""

    _milestones: Milestones = Milestones()
    _shows: bool = False
    # The path of the page that the tab shows.
    _path: str = ""

    @rx.event(background=True, supersedes=True)
    async def follow_imports(self) -> AsyncGenerator[EventType[()]]:
        """Follow all imports as long as the tab is open; hidden, too: its title and notifications are for then.

        All tabs together cost one query each time.
        """
        async with self:
            # Another page says nothing again; the next step of an import is on the same page.
            if self._path != self.router.url.path:
                self._path = self.router.url.path
                (await self.get_state(ActivityState)).announcement = ""
        tab, seen, looked_at = Tab(self), None, -math.inf
        active: list[ImportRead] = []
        while tab.is_open():
            began, ended = time.monotonic(), []
            # In an outage, what is shown stays.
            with suppress(*OUTAGE):
                active = await _active.now()
                has_moved = _told(active) != seen or began - looked_at >= LOOK_ANYWAY_SECONDS
                ended = await self._look(active, has_moved=has_moved)
                seen, looked_at = _told(active), began if has_moved else looked_at
            for job in ended:
                yield _say(job)
            # Where the state lies in Redis, to take it costs some 10 ms: many tabs look less often.
            await asyncio.sleep(max(LOOK_SECONDS, REST * (time.monotonic() - began)))
            # One that the page of an import has noted meanwhile, and that has ended, is told now.
            if not self._milestones.gone(active):
                await _changes.other_than(seen, IDLE_SECONDS)

    async def _look(self, active: list[ImportRead], *, has_moved: bool) -> list[ImportRead]:
        """Show what is active, and return what has ended since the last look."""
        gone = self._milestones.gone(active)
        found = dict(zip(gone, await asyncio.gather(*map(_read, gone)), strict=True))
        # The page of an import may have noted one that is newer than what was read of the active ones.
        over = {job_id: job for job_id, job in found.items() if job is None or job.is_final}
        # An import may wait for hours: the state of each tab is not taken each second for that.
        if not over and not (has_moved and (active or self._shows)):
            return []
        ended = [job for job in over.values() if job]
        async with self:
            self._shows = bool(active)
            show(await self.get_state(ActivityState), *_shown(active))
            await tell(self, *active, *ended)
            for job_id in over:
                self._milestones.forget(job_id)
        return ended


async def tell(state: rx.State, *jobs: ImportRead) -> None:
    """Tell the screen reader of a state's tab how far imports are, if that is a step; the state is locked."""
    running = await state.get_state(RunningState)
    words = list(filter(None, map(running._milestones.take, jobs)))
    if words:
        (await state.get_state(ActivityState)).announcement = " ".join(words)


def look_again() -> None:
    """Let all tabs look again: an import has ended, perhaps too soon for any of them to have seen it."""
    _changes.wake()


async def _read(job_id: str) -> ImportRead | None:
    try:
        return await asyncio.to_thread(current, UUID(job_id))
    except NotFound:
        return None


def _shown(active: list[ImportRead]) -> tuple[str, str]:
    return (f"{int(active[0].percent)} %", active[0].filename) if active else ("", "")


def _say(job: ImportRead) -> EventType[()]:
    return notify(job.filename, result_words.result(job), tag=f"import-{job.id}", address=f"/imports/{job.id}")
