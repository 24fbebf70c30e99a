"""What the palette of one browser tab has found."""

import reflex as rx

from product_importer.ui.palette import finders
from product_importer.ui.palette.finders import Hit


class PaletteState(rx.State):
    """The hits of the newest text for which the server was asked."""

    searched: str = ""
    hits: list[Hit] = []  # noqa: RUF012 - Reflex copies it for each tab

    @rx.event(background=True, supersedes=True)
    async def search(self, text: str) -> None:
        """Find products and imports; a newer search replaces one that still runs."""
        hits = await finders.find(text) if text else []
        async with self:
            self.searched, self.hits = text, hits
