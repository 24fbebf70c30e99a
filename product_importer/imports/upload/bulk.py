"""Receive products as the JSON Lines of a request's body: an upload without a form, with options in the URL."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from python_multipart.multipart import parse_options_header

from product_importer.core.errors import UnsupportedMedia
from product_importer.imports import options
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver, streaming
from product_importer.imports.upload.receiver import IncomingUpload

MEDIA_TYPE = "application/x-ndjson"
FILENAME = "bulk.ndjson"
# The other options say how the text of a file or a workbook is read.
FIELDS = tuple(
    name for name in ImportOptions.model_fields if name not in ("encoding", "delimiter", "sheet", "header_line")
)


async def receive_products(
    headers: Mapping[str, str], given: Mapping[str, str], body: AsyncIterator[bytes], idempotency_key: str | None
) -> ImportRead:
    """Receive JSON Lines, and start their import. `given` are the options; all of their names must exist.

    Raises:
        UnsupportedMedia: the body is announced as something else, or is packed.
        TooMany: too many imports are unfinished; the body is then not read.
        Unprocessable: an option has an impossible value.
        Conflict: the key was used for another body.
        Invalid, TooLarge: the body cannot be imported.
    """
    _check_type(headers)
    chosen = options.parse(given)
    await asyncio.to_thread(receiver.refuse_too_many, idempotency_key)
    target = await asyncio.to_thread(Bulk, chosen, idempotency_key)
    return await streaming.receive(target, body)


class Bulk:
    """A body of JSON Lines that becomes an upload."""

    def __init__(self, chosen: ImportOptions, idempotency_key: str | None):
        self._upload = IncomingUpload(FILENAME, chosen, kind="jsonl")
        self._idempotency_key = idempotency_key

    def write(self, piece: bytes) -> None:
        """Store the next bytes."""
        self._upload.write(piece)

    def accept(self) -> ImportRead:
        """Start the import of what has arrived."""
        return self._upload.accept(idempotency_key=self._idempotency_key)

    def abort(self) -> None:
        """Delete what has arrived unless it was accepted."""
        self._upload.abort()


def _check_type(headers: Mapping[str, str]) -> None:
    """Refuse a body that is announced as anything but JSON Lines.

    Raises:
        UnsupportedMedia: it is.
    """
    kind, parameters = parse_options_header(headers.get("content-type"))
    charset = parameters.get(b"charset", b"utf-8").lower()
    if kind != MEDIA_TYPE.encode() or charset not in (b"utf-8", b"utf8"):
        raise UnsupportedMedia(
            f"Send the products as {MEDIA_TYPE} in UTF-8, one JSON object a line. Files go to /api/upload-csv."
        )
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("The body is packed. Send the JSON Lines as they are.")
