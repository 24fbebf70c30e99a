"""What can be told about a file while its bytes pass, without keeping more of it than its beginning."""

from product_importer.core.settings import settings
from product_importer.imports.parsing.archives import MAGIC_BYTES, REPACK, Gunzip, container_of, not_csv, too_large
from product_importer.imports.parsing.encoding_detection import TextCheck
from product_importer.imports.parsing.file_format import Container

# So much of a text is enough to judge its header, before the rest is sent.
HEAD_BYTES = 256 * 1024


class Contents:
    """The unpacked bytes of one text: how many (`size`), how encoded (`text`), and the first of them (`head`)."""

    def __init__(self, encoding: str | None):
        self.text = TextCheck(encoding)
        self.head = bytearray()
        self.chosen = encoding
        self.size = 0
        self._is_judged = False

    def feed(self, piece: bytes, final: bool = False) -> None:
        """Look at the next bytes; `final` with the last ones.

        Raises:
            TooLarge: there are more than `MAX_UPLOAD_MB`.
            Invalid: they are packed once more, or are no text of any kind.
        """
        self.size += len(piece)
        if self.size > settings().max_upload_bytes:
            raise too_large("What the file holds")
        self.head += piece[: HEAD_BYTES - len(self.head)]
        if not self._is_judged and (final or len(self.head) >= MAGIC_BYTES):
            self._is_judged = True
            if container_of(bytes(self.head[:MAGIC_BYTES])) != "plain":
                raise not_csv(f"The file is packed twice. {REPACK}")
        self.text.feed(piece, final)


class Inspection:
    """One file on its way in. `container` is None until enough of it has passed; a zip is only known by its end."""

    def __init__(self, encoding: str | None = None):
        self.container: Container | None = None
        self.contents = Contents(encoding)
        self._start = bytearray()
        self._gunzip = Gunzip()

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Look at the next bytes as they are stored; `final` with the last ones.

        Raises:
            Invalid: this is nothing that any option could make readable.
            TooLarge: what is packed in it has more than `MAX_UPLOAD_MB`.
        """
        if self.container is None:
            self._start += chunk
            # Asked for with every byte at first: what is refused is refused at once, however short it is.
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
