"""Detect the encoding of a text while its bytes pass, or check the one that was chosen."""

import codecs
import re

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType

# Enough bytes to tell whether a text is UTF-16 without a byte order mark.
SNIFF_BYTES = 64
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Most files that are not UTF-8 are in this encoding. As nearly every byte is valid in it, a control character
# rules it out.
GUESS = "windows-1252"
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
# All bytes but line breaks and control characters.
PLAIN = bytes(byte for byte in range(256) if byte not in b"\r\n" and not CONTROL.match(bytes([byte])))

OVERRIDE = "If it is a text, name its encoding in the form field “encoding”, or save it as “CSV UTF-8”."


class EncodingDetector:
    """Detects the encoding of one text; its bytes are fed as they arrive, and all of them are checked.

    `encoding` is the encoding so far, `is_guessed` if nothing but the bytes suggests it. `error` is set at the first
    byte that is not text; what follows is not checked.
    """

    def __init__(self, chosen: str | None = None):
        self._chosen = chosen
        # True while nothing tells the encoding and all bytes are ASCII.
        self._may_guess = False
        self._start = bytearray()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._control: Invalid | None = None
        self._offset = 0
        self._line = 1
        self._after_return = False
        self.encoding = "utf-8"
        self.is_guessed = False
        self.error: Invalid | None = None

    def feed(self, chunk: bytes, final: bool = False) -> None:
        """Check the next bytes; `final` with the last ones."""
        if self._decoder is None:
            self._start += chunk
            if len(self._start) < SNIFF_BYTES and not final:
                return
            chunk = bytes(self._start)
            self._decoder = self._begin(chunk[:SNIFF_BYTES])
        if self.error is None:
            self._check(self._decoder, chunk, final)

    def _begin(self, start: bytes) -> codecs.IncrementalDecoder:
        marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), None)
        if self._chosen is None:
            self.encoding = marked or _unmarked_utf_16(start) or "utf-8"
            self._may_guess = self.encoding == "utf-8"
        elif self._chosen == "utf-16" and marked != "utf-16":
            self.encoding = _unmarked_utf_16(start) or "utf-16-le"
        else:
            self.encoding = self._chosen
        return codecs.getincrementaldecoder(self.encoding)()

    def _check(self, decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool) -> None:
        if self._may_guess and chunk.isascii() and not decoder.getstate()[0]:
            # Most of most files, and there is nothing to decode.
            self._pass_ascii(chunk)
            return
        if self.is_guessed or self._may_guess:
            self._find_control(chunk)
        if self.is_guessed and self._control is not None:
            self.error = self._control
            return
        state = decoder.getstate()
        try:
            text = decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            decoder.setstate(state)
            self._guess_or_fail(decoder, error, chunk, final)
            return
        self._pass(text, len(chunk))

    def _guess_or_fail(
        self, decoder: codecs.IncrementalDecoder, error: UnicodeDecodeError, chunk: bytes, final: bool
    ) -> None:
        """Go on with the guessed encoding if the text was ASCII so far; else set the error."""
        pending = len(error.object) - len(chunk)
        good = max(0, error.start - pending)
        # Decoded again for the decoder's state and the lines before the bad byte.
        text = decoder.decode(chunk[:good])
        if self._may_guess and text.isascii():
            self._pass(text, error.start - pending)
            self.encoding, self.is_guessed, self._may_guess = GUESS, True, False
            self._decoder = codecs.getincrementaldecoder(GUESS)()
            self._check(self._decoder, error.object[error.start :], final)
        else:
            self.error = self._undecodable(error, self._offset - pending + error.start, self._line_after(text))

    def _pass_ascii(self, chunk: bytes) -> None:
        """Go on after bytes that are ASCII like all before; one pass finds line breaks and control characters."""
        special = chunk.translate(None, PLAIN)
        breaks = special.count(b"\n")
        if b"\r" in special:
            breaks += chunk.count(b"\r") - chunk.count(b"\r\n")
        if special.translate(None, b"\r\n"):
            self._find_control(chunk)
        self._line += breaks - (self._after_return and chunk.startswith(b"\n"))
        self._after_return = chunk.endswith(b"\r") if chunk else self._after_return
        self._offset += len(chunk)

    def _pass(self, text: str, size: int) -> None:
        self._line = self._line_after(text)
        self._after_return = text.endswith("\r") if text else self._after_return
        self._may_guess = self._may_guess and text.isascii()
        self._offset += size

    def _line_after(self, text: str) -> int:
        # Twice as fast as `count`.
        breaks = len(text) - len(text.replace("\n", ""))
        # A search is quicker than two counts, and most files have no carriage return.
        if "\r" in text:
            breaks += text.count("\r") - text.count("\r\n")
        return self._line + breaks - (self._after_return and text.startswith("\n"))

    def _find_control(self, chunk: bytes) -> None:
        # Far faster than the expression, which then finds the position.
        if self._control is None and chunk.translate(None, PLAIN).translate(None, b"\r\n"):
            found = CONTROL.search(chunk)
            assert found is not None
            line = self._line_after(chunk[: found.start()].decode("latin-1"))
            reason = "a control character, which no text holds"
            self._control = _not_text(self._offset + found.start(), line, found[0], reason)

    def _undecodable(self, error: UnicodeDecodeError, offset: int, line: int) -> Invalid:
        reason = f"not text in {self.encoding}"
        if self.is_guessed:
            reason = "text neither in UTF-8 nor in Windows-1252"
        elif self.encoding == "utf-8" and not self._chosen:
            reason = "not UTF-8 text, though there is UTF-8 text before it"
        return _not_text(offset, line, error.object[error.start : error.start + 1], reason)


def _unmarked_utf_16(start: bytes) -> str | None:
    """Return the UTF-16 of a text without a byte order mark, or None: half the bytes of Latin letters are zero."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    pairs = max(1, len(start) // 2)
    if odd * 2 >= pairs and even * 8 <= odd:
        return "utf-16-le"
    if even * 2 >= pairs and odd * 8 <= even:
        return "utf-16-be"
    return None


def _not_text(offset: int, line: int, byte: bytes, reason: str) -> Invalid:
    return Invalid(
        f"Byte {offset:,} (line {line:,}) is 0x{byte.hex().upper()}: {reason}. {OVERRIDE}",
        kind=ProblemType.NOT_TEXT,
        title="The file is not readable as text",
        line=line,
        offset=offset,
    )
