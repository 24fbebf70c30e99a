"""Receive files that the page sends, and make a draft of each; make one of sample data."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

import reflex as rx
from reflex.event import EventType

from product_importer.core.db import OUTAGE
from product_importer.core.errors import DomainError
from product_importer.core.outages import unavailable
from product_importer.imports import samples
from product_importer.imports.drafts import service
from product_importer.imports.drafts.receiving import IncomingDraft
from product_importer.imports.options import parse
from product_importer.imports.pages.drafts.remembered import RememberedState, chosen
from product_importer.ui import routes, toasts
from product_importer.ui.ids import parse_id
from product_importer.ui.services import ask

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
# The browser has taken note of all but the newest uploads.
MAX_TOLD = 50


class ReceiveState(rx.State):
    """Receives the files of one browser tab.

    What becomes of each upload is told by its key, in variables: events would be lost while the tab connects.
    """

    # The draft that each upload has become, and why uploads were refused.
    begun: dict[str, str] = {}  # noqa: RUF012 - Reflex copies it for each tab
    refused: dict[str, str] = {}  # noqa: RUF012

    @rx.event(background=True)
    async def receive(self, chunks: rx.UploadChunkIterator, key: str, expected_bytes: int, draft_id: str) -> None:
        """Write a file into a draft, a new one if `draft_id` is empty."""
        incoming: IncomingDraft | None = None
        try:
            async for chunk in chunks:
                if incoming is None:
                    incoming = await self._begin(chunk.filename, key, expected_bytes, draft_id)
                await _finish(incoming.write, chunk.data)
            if incoming is not None:
                await _finish(incoming.finish)
        except DomainError as error:
            await self._refuse(key, error.detail)
        except OUTAGE as error:
            await self._refuse(key, unavailable(error).detail)
        finally:
            # Marks the upload as broken, unless it has ended.
            if incoming is not None:
                await _finish(incoming.abort)

    @rx.event(background=True)
    async def start_sample(self) -> EventType[()]:
        """Make a draft of sample products, and go to it."""
        try:
            draft_id = await asyncio.to_thread(samples.start_sample)
        except DomainError as error:
            return toasts.error(error.title, description=error.detail)
        except OUTAGE as error:
            return toasts.error("No draft was made.", description=unavailable(error).detail)
        return rx.redirect(f"{routes.IMPORTS}/{draft_id}?step=columns")

    @rx.event(background=True)
    async def reopen_import(self, import_id: str) -> EventType[()]:
        """Make a draft of an ended import's file, with its columns and options, and go to it."""
        try:
            draft = await ask(service.from_import, parse_id(import_id, "import"))
        except DomainError as error:
            return toasts.error(error.title, description=error.detail)
        return rx.redirect(f"{routes.IMPORTS}/{draft.id}?step=columns")

    async def _begin(self, path: str, key: str, expected_bytes: int, draft_id: str) -> IncomingDraft:
        """Make a draft with the options that the browser remembers, or take one up again, and tell its id.

        Raises:
            DomainError: that is not possible.
        """
        again = parse_id(draft_id, "draft") if draft_id else None
        incoming = await _finish(IncomingDraft, path.rpartition("/")[2], expected_bytes, again)
        try:
            await self._tell(key, incoming.id, is_new=again is None)
        except BaseException:
            await _finish(incoming.abort)
            raise
        return incoming

    async def _tell(self, key: str, draft_id: UUID, *, is_new: bool) -> None:
        async with self:
            remembered = chosen(await self.get_state(RememberedState))
        # The page of the draft opens as soon as its id is told, and shows the options once.
        if is_new:
            await ask(service.change_options, draft_id, parse(remembered))
        async with self:
            self.begun = _newest({**self.begun, key: str(draft_id)})

    async def _refuse(self, key: str, reason: str) -> None:
        async with self:
            self.refused = _newest({**self.refused, key: reason})


def _newest(told: dict[str, str]) -> dict[str, str]:
    """Return what the browser may not know yet."""
    return dict(list(told.items())[-MAX_TOLD:])


async def _finish(work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
    """Run `work` in a thread and wait for its end even when cancelled: `abort` must not overtake `write`."""
    call = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        raise
