"""End websockets and event streams within seconds after their session or token has ended."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.types import Message, Receive

from product_importer.access import sessions, tokens
from product_importer.access.principal import Principal
from product_importer.core import db
from product_importer.core.errors import first_line

log = logging.getLogger(__name__)

# How often open connections are checked: the end is noticed at most so much later.
CHECK_SECONDS = 2.0
# Tabs that were told to leave have so long before their websocket is closed.
FAREWELL_SECONDS = 1.0

Farewell = Callable[[frozenset[bytes]], Awaitable[None]]


async def no_farewell(_: frozenset[bytes]) -> None:
    """Tell nobody."""


class OpenSessions:
    """The sessions and tokens whose requests are open, by digest.

    `farewell` tells the tabs of sessions that have ended to leave, before their websockets are closed.
    """

    def __init__(self, farewell: Farewell = no_farewell):
        self._farewell = farewell
        self._open: defaultdict[bytes, set[asyncio.Event]] = defaultdict(set)
        self._watch: asyncio.Task[None] | None = None

    @contextmanager
    def watched(self, principal: Principal) -> Iterator[asyncio.Event]:
        """Watch a request while it is open; the event is set when its session or token has ended."""
        ended = asyncio.Event()
        digest = principal.credential
        if digest is None:
            yield ended
            return
        self._open[digest].add(ended)
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._check_while_open())
        try:
            yield ended
        finally:
            self._open[digest].discard(ended)
            if not self._open[digest]:
                del self._open[digest]

    async def _check_while_open(self) -> None:
        while self._open:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                await self._end_what_has_ended()
            except SQLAlchemyError as error:
                log.warning("open sessions cannot be checked: %s", first_line(error))

    async def _end_what_has_ended(self) -> None:
        opened = frozenset(self._open)
        ended = opened - await asyncio.to_thread(db.run, _current_digests, opened)
        if not ended:
            return
        await self._farewell(ended)
        await asyncio.sleep(FAREWELL_SECONDS)
        for digest in ended:
            for event in self._open.get(digest, ()):
                event.set()


def until_ended(receive: Receive, ended: asyncio.Event, disconnect: Message) -> Receive:
    """Return a `receive` that returns the message `disconnect` as soon as the event is set."""

    async def received() -> Message:
        message, end = asyncio.ensure_future(receive()), asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait({message, end}, return_when=asyncio.FIRST_COMPLETED)
            return message.result() if message.done() and not ended.is_set() else disconnect
        finally:
            message.cancel()
            end.cancel()

    return received


def _current_digests(session: Session, digests: frozenset[bytes]) -> set[bytes]:
    return sessions.current_digests(session, digests) | tokens.current_digests(session, digests)
