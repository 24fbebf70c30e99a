"""Detect container and encoding while an upload streams, keeping no more of it than its beginning."""

from typing import Literal

from product_importer.core.settings import settings
from product_importer.imports.parsing.archives import MAGIC_BYTES, REPACK, Gunzip, container_of, too_large
from product_importer.imports.parsing.encoding_detection import EncodingDetector
from product_importer.imports.parsing.file_format import Container
from product_importer.imports.parsing.other_documents import refuse_document
from product_importer.imports.parsing.records import not_csv

# Enough bytes to check the header before the rest is sent.
HEAD_BYTES = 256 * 1024


class TextInspection:
    """Inspects the unpacked bytes of one text: their number (`size`), their encoding, the first of them (`head`).

    `chosen` is the encoding that was chosen, or None.
    """

    def __init__(self, encoding: str | None):
        self.detector = EncodingDetector(encoding)
        self.head = bytearray()
        self.chosen = encoding
        self.size = 0
        self._has_container = False

    def feed(self, piece: bytes, final: bool = False) -> None:
        """Inspect the next bytes; `final` with the last ones.

        Raises:
            TooLarge: there are more than `MAX_UPLOAD_MB`.
            Invalid: they are packed once more, or a kind of file that cannot be imported.
        """
        self.size += len(piece)
        if self.size > settings().max_upload_bytes:
            raise too_large("What the file holds")
        self.head += piece[: HEAD_BYTES - len(self.head)]
        if not self._has_container and (final or len(self.head) >= MAGIC_BYTES):
            self._has_container = True
            start = bytes(self.head[:MAGIC_BYTES])
            if container_of(start) != "plain":
                raise not_csv(f"The file is packed twice. {REPACK}")
            refuse_document(start)
        self.detector.feed(piece, final)


class StreamInspection:
    """Inspects one upload. `container` is None until enough of it has passed, "ole" for an .xls.

    `contents` stays empty for a zip, whose directory is at its end: `format_detection` reads it when it is stored. So
    it does for an .xls, whose directory can be anywhere.
    """

    def __init__(self, encoding: str | None = None):
        self.container: Container | Literal["ole"] | None = None
        self.contents = TextInspection(encoding)
        self._start = bytearray()
        self._gunzip = Gunzip()

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Inspect the next bytes as they are stored; `final` with the last ones.

        Raises:
            Invalid: no option could make the file readable.
            TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        """
        if self.container is None:
            self._start += chunk
            # Checked from the first byte on, so that a wrong file is refused at once, however short it is.
            container = container_of(bytes(self._start[:MAGIC_BYTES]))
            if len(self._start) < MAGIC_BYTES and not final:
                return
            self.container, chunk = container, bytes(self._start)
        if self.container == "gzip":
            self._feed_packed(chunk, final)
        elif self.container == "plain":
            self.contents.feed(chunk, final)

    def _feed_packed(self, chunk: bytes, final: bool) -> None:
        for piece in self._gunzip.feed(chunk):
            self.contents.feed(piece)
        if final:
            for piece in self._gunzip.finish():
                self.contents.feed(piece)
            self.contents.feed(b"", final=True)
