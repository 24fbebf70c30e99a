"""Receive a file that the page uploads in chunks, and create its import."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import reflex as rx

from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver
from product_importer.imports.upload.receiver import IncomingUpload

Result = TypeVar("Result")


async def received(chunks: rx.UploadChunkIterator, options: ImportOptions) -> ImportRead:
    """Write the chunks of one file to storage and create its import.

    Raises:
        DomainError: the file cannot be imported; the rest of it is not read.
    """
    await asyncio.to_thread(receiver.refuse_too_many)
    upload: IncomingUpload | None = None
    try:
        async for chunk in chunks:
            upload = upload or IncomingUpload(chunk.filename.rpartition("/")[2], options)
            await _finish(asyncio.to_thread(upload.write, chunk.data))
        upload = upload or IncomingUpload("", options)
        asked = {"refuse_running": True, "ask_header_line": True}
        return await _finish(receiver.in_accept_pool(upload.accept, options, **asked))
    finally:
        # Deletes what has arrived, unless the upload was accepted.
        if upload is not None:
            await _finish(asyncio.to_thread(upload.abort))


async def _finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for a thread's end even when cancelled: `abort` must not overtake `write`."""
    call = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        await asyncio.wait([call])
        raise
