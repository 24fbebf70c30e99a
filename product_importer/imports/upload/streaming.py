"""Store a request's body while it arrives, and keep nothing of one that is cut off."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver

# The web server passes on pieces of a few KiB; one call to a thread takes a MiB.
WRITE_BYTES = 1024 * 1024


class Target(Protocol):
    """Where the bytes of a body go. Every method blocks."""

    def write(self, piece: bytes) -> None:
        """Store the next bytes."""

    def accept(self) -> ImportRead:
        """Start the import of what has arrived."""

    def abort(self) -> None:
        """Delete what has arrived unless it was accepted."""


async def receive(target: Target, body: AsyncIterator[bytes]) -> ImportRead:
    """Write a body to its target, and start its import.

    Raises:
        DomainError: the target refuses it.
    """
    writing = asyncio.create_task(asyncio.to_thread(target.write, b""))
    try:
        async for piece in _pieces(body):
            # One piece arrives while the one before is written.
            await asyncio.shield(writing)
            writing = asyncio.create_task(asyncio.to_thread(target.write, piece))
        await asyncio.shield(writing)
        return await receiver.in_accept_pool(target.accept)
    finally:
        # Shielded: a request that is cancelled must still remove what it stored.
        await asyncio.shield(_abort(target, writing))


async def _abort(target: Target, writing: asyncio.Task[None]) -> None:
    """Delete the stored file unless it was accepted, once no thread writes to it."""
    await asyncio.gather(writing, return_exceptions=True)
    await asyncio.to_thread(target.abort)


async def _pieces(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the body in pieces of at least `WRITE_BYTES`, but for the last."""
    gathered = bytearray()
    async for chunk in body:
        gathered += chunk
        if len(gathered) >= WRITE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)
