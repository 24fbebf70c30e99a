"""Detect container and encoding while an upload streams, keeping no more of it than its beginning."""

from typing import Literal

from product_importer.core.settings import settings
from product_importer.imports.parsing.archives import MAGIC_BYTES, PARQUET, REPACK, container_of, too_large
from product_importer.imports.parsing.encoding_detection import EncodingDetector
from product_importer.imports.parsing.file_format import Container
from product_importer.imports.parsing.other_documents import refuse_document
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.parsing.unpacking import UNPACKERS, WHILE_ARRIVING, Unpacker

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
            if self.head.startswith(PARQUET):
                raise not_csv("A Parquet file is packed in the file. Upload it by itself: it is packed inside.")
        self.detector.feed(piece, final)


class StreamInspection:
    """Inspects one upload. `container` is None until enough of it has passed, "ole" for an .xls.

    `contents` stays empty for what is read only when it is stored: a zip, whose directory is at its end, and what
    takes much memory to unpack; and for a Parquet file (`is_parquet`), which is no text.
    """

    def __init__(self, encoding: str | None = None):
        self.container: Container | Literal["ole"] | None = None
        self.is_parquet = False
        self.contents = TextInspection(encoding)
        self._start = bytearray()
        self._unpacker: Unpacker | None = None
        # The first unpacked bytes, until they show whether they are a tar.
        self._unpacked: bytearray | None = bytearray()

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
            self.is_parquet = chunk.startswith(PARQUET)
            if container != "ole" and container in WHILE_ARRIVING:
                self._unpacker = UNPACKERS[container]()
        if self._unpacker is not None:
            self._feed_packed(self._unpacker, chunk, final)
        elif self.container == "plain" and not self.is_parquet:
            self.contents.feed(chunk, final)

    def _feed_packed(self, unpacker: Unpacker, chunk: bytes, final: bool) -> None:
        for piece in unpacker.feed(chunk):
            self._feed_unpacked(piece)
            if self.container == "tar":
                return
        if final:
            for piece in unpacker.finish():
                self._feed_unpacked(piece)
            self._feed_unpacked(b"", final=True)

    def _feed_unpacked(self, piece: bytes, final: bool = False) -> None:
        """Inspect unpacked bytes, unless they are a tar: its files are found when it is stored."""
        if self._unpacked is not None:
            self._unpacked += piece
            if len(self._unpacked) < MAGIC_BYTES and not final:
                return
            piece, self._unpacked = bytes(self._unpacked), None
            if container_of(piece[:MAGIC_BYTES]) == "tar":
                self.container, self._unpacker = "tar", None
                return
        self.contents.feed(piece, final)
