"""Limit the size of request bodies and the time in which nothing arrives."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from product_importer.core.errors import DomainError, RequestTimeout, TooLarge

MAX_BODY_BYTES = 1024 * 1024
SILENCE_SECONDS = 30.0
# Routes for files, which have their own limit and are stored while they arrive: ours, and the one of Reflex's page.
UPLOADS = frozenset({("POST", "/api/upload-csv"), ("POST", "/api/products/bulk"), ("POST", "/_upload")})


class Body:
    """The body of a request: read completely in advance, or passed on in pieces if it is a file.

    `error` is set when a file stops arriving; the application then gets a disconnect.
    """

    def __init__(self, scope: Scope, receive: Receive):
        self.error: DomainError | None = None
        self._receive = receive
        self._is_upload = (scope["method"], scope["path"]) in UPLOADS
        self._headers = Headers(scope=scope)
        # HTTP/2 requests may have a body without these headers.
        self._has_body = scope["http_version"] == "2" or not {"content-length", "transfer-encoding"}.isdisjoint(
            self._headers
        )
        self._is_complete = False
        self._whole: Message | None = None

    async def prepare(self) -> None:
        """Read the body, unless it is a file or its announced length is too large.

        Raises:
            TooLarge: it is larger than `MAX_BODY_BYTES`.
            RequestTimeout: nothing arrived for `SILENCE_SECONDS`.
        """
        if not self._has_body:
            # Nothing else comes: to wait for it would cost three tasks.
            self._is_complete, self._whole = True, {"type": "http.request", "body": b"", "more_body": False}
            return
        if self._is_upload:
            return
        length = self._headers.get("content-length", "0")
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            raise _too_large()
        read = bytearray()
        while not self._is_complete:
            message = await self._next()
            if message["type"] == "http.disconnect":
                self._whole = message
                return
            read += message.get("body", b"")
            if len(read) > MAX_BODY_BYTES:
                raise _too_large()
        self._whole = {"type": "http.request", "body": bytes(read), "more_body": False}

    async def receive(self) -> Message:
        """Return the next message for the application."""
        if self._whole is not None:
            message, self._whole = self._whole, None
            return message
        try:
            return await self._next()
        except RequestTimeout as error:
            self.error = error
            return {"type": "http.disconnect"}

    async def _next(self) -> Message:
        if self._is_complete:
            # Only a disconnect can follow, which may come at any time during the answer; and before it the empty body
            # that was not waited for.
            while (message := await self._receive())["type"] == "http.request":
                pass
            return message
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                message = await self._receive()
        except TimeoutError:
            self._is_complete = True
            raise RequestTimeout(
                f"Nothing has arrived for {SILENCE_SECONDS:.0f} s, so the request was ended and discarded."
            ) from None
        self._is_complete = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message


def _too_large() -> TooLarge:
    limit = f"{MAX_BODY_BYTES // 2**20} MiB"
    detail = f"The body is larger than {limit}. Send files to /api/upload-csv, JSON Lines to /api/products/bulk."
    return TooLarge(detail, title="The body is too large")
