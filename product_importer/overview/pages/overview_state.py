"""The state of the overview, which follows what happens while the page is shown."""

import asyncio
from functools import partial
from typing import Any
from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventType

from product_importer.catalog.pages.listing import ProductListing
from product_importer.core import db
from product_importer.core.db import OUTAGE
from product_importer.core.shared_reads import SharedReads
from product_importer.overview import service
from product_importer.overview.pages.attention_words import ItemView
from product_importer.overview.pages.view_models import CatalogueView, ChartView, ReasonView, RecentView
from product_importer.overview.service import UTC, Overview
from product_importer.ui import routes
from product_importer.ui.formatting import DASH, number
from product_importer.ui.shown_pages import Tab

LOOK_SECONDS = 1.0
FRESH_SECONDS = 0.8
ZONE = "Intl.DateTimeFormat().resolvedOptions().timeZone"
OUTAGE_WORDS = "The database does not answer. The page goes on by itself when it does."
# All pages of this process that show the days of one time zone cost one reading.
_overviews = SharedReads[Overview](FRESH_SECONDS)


class OverviewState(rx.State):
    """One browser tab's view of the overview."""

    loaded: bool = False
    error: str = ""
    is_empty: bool = False
    zone: str = UTC
    catalogue: CatalogueView = CatalogueView()
    running: str = DASH
    # How many wait, in words; empty if none does.
    waiting: str = ""
    completed: str = DASH
    failed: str = DASH
    attention: list[ItemView] = []  # noqa: RUF012 - Reflex copies it for each tab
    chart: ChartView = ChartView([])
    reasons: list[ReasonView] = []  # noqa: RUF012
    recent: list[RecentView] = []  # noqa: RUF012

    @rx.event
    def open_overview(self) -> list[EventType[()]]:
        """Show the overview; an address with filters is an old one of the products."""
        parameters = dict(self.router.url.query_parameters)
        if not ProductListing.parameter_names().isdisjoint(parameters):
            return [rx.redirect(f"{routes.PRODUCTS}?{urlencode(parameters)}", replace=True)]
        return [rx.call_script(ZONE, callback=OverviewState.follow_overview)]

    @rx.event(background=True, supersedes=True)
    async def follow_overview(self, zone: str | None) -> None:
        """Show the numbers as they change, while the page is looked at; days are those of the reader."""
        tab, known = Tab(self), service.known_zone(zone or UTC)
        while True:
            try:
                found = await _overviews.get(known, partial(db.run, service.read_overview, known))
            except OUTAGE:
                # What was shown stays.
                await self._show(error=OUTAGE_WORDS, loaded=True)
            else:
                await self._show(**_values(found))
            await asyncio.sleep(LOOK_SECONDS)
            if not tab.shows(routes.OVERVIEW):
                return

    async def _show(self, **values: Any) -> None:
        """Show new values; only what has changed is sent."""
        if changed := {name: value for name, value in values.items() if getattr(self, name) != value}:
            async with self:
                for name, value in changed.items():
                    setattr(self, name, value)


def _values(found: Overview) -> dict[str, Any]:
    numbers = found.numbers
    return {
        "loaded": True,
        "error": "",
        "is_empty": not numbers.catalogue.total,
        "zone": found.zone.replace("_", " "),
        "catalogue": CatalogueView.of(numbers.catalogue),
        "running": number(numbers.running),
        "waiting": f"{numbers.waiting:,} waiting" if numbers.waiting else "",
        "completed": number(numbers.completed),
        "failed": number(numbers.failed),
        "attention": list(map(ItemView.of, found.attention)),
        "chart": ChartView.of(numbers.days),
        "reasons": ReasonView.all_of(numbers.reasons),
        "recent": list(map(RecentView.of, found.recent)),
    }
