"""Lists learn of what others do without moving what is being read.

Entries that changed are shown as they are now, where they stand. Deleted ones stay, marked as such. New ones are only
counted: a button shows them.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventType

from product_importer.core.shared_waits import REST
from product_importer.ui.shown_pages import Tab
from product_importer.ui.widgets import button

LOOK_SECONDS = 0.5
# So often a tab that waits for a change looks whether it is still open.
IDLE_SECONDS = 10.0
# What one look has read answers other pages of this process that look at the same list so shortly after it.
FRESH_SECONDS = 0.3
# Of no height, so that nothing moves when the button appears; it stays in sight when the list is scrolled.
PLACE = "pointer-events-none sticky top-[60px] z-9 flex h-0 justify-center"
# In narrow windows it stays above the buttons of the first entry.
FLOATING = "pointer-events-auto -mt-2 h-fit rounded-lg shadow-lg max-md:-mt-4"
# What is new stands at the top.
TO_TOP = rx.call_script("window.scrollTo({ top: 0 })")
# Of what shows an entry, with `data_gone`.
GONE = "data-[gone=true]:**:text-muted"


class LiveListState(rx.State, mixin=True):
    """A mixin for the state of a list that follows what others do."""

    # How many entries are new, and the ids of those that are shown and were deleted.
    news: int = 0
    gone: list[str] = []  # noqa: RUF012 - Reflex copies it for each tab

    def _nothing_new(self) -> None:
        """The list has just been loaded."""
        if self.news:
            self.news = 0
        if self.gone:
            self.gone = []

    def _note(self, news: int, gone: Sequence[str] = ()) -> None:
        """Show the news; only what has changed is sent."""
        if self.news != news:
            self.news = news
        if list(self.gone) != list(gone):
            self.gone = list(gone)


async def looks(
    state: rx.State, route: str, change: Callable[[], Awaitable[None]] | None = None
) -> AsyncGenerator[None]:
    """Yield each time that a list should be looked at, while the tab of a state shows its page.

    Where `change` is given, which waits for one at most `IDLE_SECONDS`, nothing is looked at before.
    """
    tab = Tab(state)
    while tab.shows(route):
        began = time.monotonic()
        yield
        await asyncio.sleep(max(LOOK_SECONDS, REST * (time.monotonic() - began)))
        if change is not None:
            await change()


def count_news(shown: Sequence[str], fresh: Sequence[str], growth: int) -> int:
    """Return how many entries are new to somebody who sees the ids `shown`; `fresh` are those of the page now.

    New ones stand before one that is shown. What follows the last of these has only moved up from the next page.
    `growth` is by how much the list has grown, where that is known.
    """
    known = set(shown)
    places = [place for place, id in enumerate(fresh) if id in known]
    before = fresh[: places[-1]] if places else fresh
    return max(0, growth, sum(id not in known for id in before))


def with_news(state: Any, show: EventType[()], content: rx.Component) -> rx.Component:
    """Return a list with the button that shows what is new in it; screen readers hear of it."""
    shown = button(
        rx.icon("arrow-up", size=14, aria_hidden="true"),
        rx.el.span(state.news.to_string(), " new, show"),
        kind="primary",
        on_click=show,
        data_testid="news-show",
    )
    return rx.el.div(
        rx.el.div(rx.cond(state.news > 0, rx.el.div(shown, class_name=FLOATING)), role="status", class_name=PLACE),
        content,
        class_name="min-w-0",
    )


def marked(name: Any, is_gone: Any) -> rx.Component:
    """Return what an entry is about; struck where it was deleted, which a word says, too."""
    deleted = rx.el.span(
        rx.el.s(name), rx.el.span(" deleted", class_name="text-xs font-normal"), data_testid="news-deleted"
    )
    return rx.cond(is_gone, deleted, name)
