"""The state of the rejected rows on an import's page."""

from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.errors import DomainError
from product_importer.imports import row_errors
from product_importer.imports.pages.rejection_views import (
    ReasonView,
    RejectionView,
    counted_only,
    more_rows,
    shown_columns,
)
from product_importer.imports.row_errors import RejectionCounts, RejectionsQuery, RowRejectionPage
from product_importer.ui.services import ask

SHOWN_ROWS = 10


class RejectionsState(rx.State):
    """One browser tab's view of why rows of an import were rejected."""

    reasons: list[ReasonView] = []  # noqa: RUF012 - Reflex copies it for each tab
    rows: list[RejectionView] = []  # noqa: RUF012
    columns: list[str] = []  # noqa: RUF012
    counted_only: str = ""
    more_rows: str = ""
    loaded: bool = False
    error: str = ""
    _import_id: str = ""

    @rx.event
    def open_rejections(self, import_id: str) -> EventType[()]:
        """Show why rows of this import were rejected."""
        self._import_id, self.loaded, self.error = import_id, False, ""
        self.reasons, self.rows, self.columns = [], [], []
        return RejectionsState.load_rejections

    @rx.event(background=True, supersedes=True)
    async def load_rejections(self) -> None:
        """Load the reasons and the first rows."""
        import_id = self._import_id
        try:
            counts = await ask(row_errors.count_rejections, UUID(import_id))
            page = await ask(row_errors.list_rejections, UUID(import_id), RejectionsQuery(page_size=SHOWN_ROWS))
        except DomainError as error:
            async with self:
                self.error = error.detail
            return
        async with self:
            if self._import_id == import_id:
                self._take(counts, page)

    def _take(self, counts: RejectionCounts, page: RowRejectionPage) -> None:
        shown = shown_columns(page)
        self.reasons = [ReasonView.of(found) for found in counts.items]
        self.rows = [RejectionView.of(row, shown) for row in page.items]
        self.columns = [name for _, name in shown]
        self.counted_only, self.more_rows = counted_only(counts), more_rows(page)
        self.loaded, self.error = True, ""
