"""Detect the encoding of a text while its bytes pass, or check the one that was chosen."""

import codecs
import re
from dataclasses import dataclass
from typing import Self

from product_importer.core.errors import Invalid
from product_importer.core.problem_types import ProblemType
from product_importer.imports.parsing.csv.physical_lines import PADDING
from product_importer.imports.parsing.text_codecs import decoder_of
from product_importer.imports.parsing.unmarked_utf_16 import SNIFF_BYTES, unmarked_utf_16
from product_importer.imports.parsing.western_text import WesternEvidence

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
# Most files that are not UTF-8 are in this encoding. As nearly every byte is valid in it, a control character
# rules it out, and so do words of other languages.
GUESS = "windows-1252"
# How many bytes more than characters are UTF-8 by chance in another encoding, at most.
MAX_CHANCE = 48
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")
PADDING_BYTES = "".join(PADDING).encode()
# All bytes but line breaks and control characters.
PLAIN = bytes(byte for byte in range(256) if byte not in b"\r\n" and not CONTROL.match(bytes([byte])))

UTF_8_BEFORE = "not UTF-8 text, though there is UTF-8 text before it"
# What Python calls a text that ends within a letter.
ENDS_EARLY = "unexpected end of data"
CUT_OFF = "the beginning of a letter in UTF-8, whose end is missing: perhaps the file was not transferred to its end"
OVERRIDE = "If it is a text, name its encoding in the form field “encoding”, or save it as “CSV UTF-8”."


class EncodingDetector:
    """Detects the encoding of one text; its bytes are fed as they arrive, and all of them are checked.

    `encoding` is the encoding so far, `is_guessed` if nothing but the bytes suggests it. `error` is set at the first
    byte that is not text; what follows is not checked. Where only the whole text can tell what else it may be, it is
    set after the last byte: then `is_other_text` is true. A text that is partly UTF-8 and partly Windows-1252 is no
    other text.
    """

    def __init__(self, chosen: str | None = None):
        self._chosen = chosen
        # True while nothing tells the encoding and hardly a byte is other than ASCII.
        self._may_guess = False
        self._start = bytearray()
        self._decoder: codecs.IncrementalDecoder | None = None
        self._evidence = WesternEvidence()
        # The first control character; and the first one of padding, unless text follows it.
        self._control: Invalid | None = None
        self._padding: Invalid | None = None
        # The first byte that is not UTF-8, and the first one that Windows-1252 does not define.
        self._not_utf_8: BadByte | None = None
        self._undefined: BadByte | None = None
        self._offset = 0
        # How many bytes more than characters were decoded.
        self._surplus = 0
        self._line = 1
        self._after_return = False
        self.encoding = "utf-8"
        self.is_guessed = self.is_other_text = False
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
            self.encoding = marked or unmarked_utf_16(start) or "utf-8"
            self._may_guess = self.encoding == "utf-8"
        elif self._chosen == "utf-16" and marked != "utf-16":
            self.encoding = unmarked_utf_16(start) or "utf-16-le"
        else:
            self.encoding = self._chosen
        return decoder_of(self.encoding)

    def _check(self, decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool) -> None:
        if self._may_guess and chunk.isascii() and not decoder.getstate()[0]:
            # Most of most files, and there is nothing to decode.
            self._evidence.pass_ascii(chunk)
            self._pass_ascii(chunk)
            return
        if self.is_guessed or self._may_guess:
            self._find_control(chunk)
        if self.is_guessed:
            self._evidence.feed(chunk, final)
            self._check_guessed(decoder, chunk, final)
            return
        state = decoder.getstate()
        try:
            text = decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            decoder.setstate(state)
            self._guess_or_fail(decoder, error, chunk, final)
            return
        self._pass(text, len(chunk))
        # The beginning of a letter at the end of the chunk is not decoded yet.
        self._may_guess = self._may_guess and self._surplus - len(decoder.getstate()[0]) <= MAX_CHANCE
        if self._may_guess:
            self._evidence.feed(chunk)

    def _guess_or_fail(
        self, decoder: codecs.IncrementalDecoder, error: UnicodeDecodeError, chunk: bytes, final: bool
    ) -> None:
        """Go on with the guessed encoding if the text was hardly more than ASCII so far; else set the error."""
        pending = len(error.object) - len(chunk)
        good = max(0, error.start - pending)
        # Decoded again for the decoder's state and the lines before the bad byte.
        text = decoder.decode(chunk[:good])
        offset, line = self._offset - pending + error.start, self._line_after(text)
        self._pass(text, error.start - pending)
        bad = BadByte.of(error, offset, line, is_behind_utf_8=self._surplus > 0)
        if not self._may_guess or self._surplus > MAX_CHANCE:
            is_broken_utf_8 = self.encoding == "utf-8" and not self._chosen
            self.error = bad.broken_utf_8() if is_broken_utf_8 else bad.error(f"not text in {self.encoding}")
            return
        self.encoding, self.is_guessed, self._may_guess, self._not_utf_8 = GUESS, True, False, bad
        self._decoder = decoder_of(GUESS)
        self._evidence.feed(chunk, final)
        self._check_guessed(self._decoder, error.object[error.start :], final)

    def _check_guessed(self, decoder: codecs.IncrementalDecoder, rest: bytes, final: bool) -> None:
        """Check the next bytes of a text in the guessed encoding."""
        if self._control is not None:
            self.error = self._control
        elif self._undefined is None:
            try:
                self._pass(decoder.decode(rest, final), len(rest))
            except UnicodeDecodeError as error:
                line = self._line_after(rest[: error.start].decode("cp1252"))
                self._undefined = BadByte.of(error, self._offset + error.start, line)
        if final and self.error is None:
            is_western = self._evidence.is_western() and self._undefined is None
            self.is_other_text = not (is_western or self._is_cut_off())
            if not is_western or self._evidence.has_utf_8:
                self.error = self._refusal()

    def _is_cut_off(self) -> bool:
        bad = self._not_utf_8
        return bad is not None and self._evidence.has_utf_8 and bad.is_behind_utf_8 and bad.is_cut_off

    def _refusal(self) -> Invalid:
        """Return why a complete text is neither UTF-8 nor likely to be in the guessed encoding."""
        assert self._not_utf_8 is not None
        if self._evidence.has_utf_8 and self._not_utf_8.is_behind_utf_8:
            return self._not_utf_8.broken_utf_8()
        if self._undefined is not None:
            return self._undefined.error("text neither in UTF-8 nor in Windows-1252")
        if self._evidence.has_utf_8:
            return self._not_utf_8.error(
                "not UTF-8 text, though there is UTF-8 text behind it: perhaps files were joined"
            )
        return self._not_utf_8.error("not UTF-8 text, and in Windows-1252 the words would make no sense")

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
        self._offset += size
        self._surplus += size - len(text)

    def _line_after(self, text: str) -> int:
        # Twice as fast as `count`.
        breaks = len(text) - len(text.replace("\n", ""))
        # A search is quicker than two counts, and most files have no carriage return.
        if "\r" in text:
            breaks += text.count("\r") - text.count("\r\n")
        return self._line + breaks - (self._after_return and text.startswith("\n"))

    def _find_control(self, chunk: bytes) -> None:
        """Look for the first control character; padding counts as one once text follows it."""
        end = len(chunk.rstrip(PADDING_BYTES))
        if end and self._control is None:
            self._control = self._padding
        # Far faster than the expression, which then finds the position.
        if self._control is None and chunk.translate(None, PLAIN).translate(None, b"\r\n"):
            found = CONTROL.search(chunk)
            assert found is not None
            line = self._line_after(chunk[: found.start()].decode("latin-1"))
            reason = "a control character, which no text holds"
            error = BadByte(self._offset + found.start(), line, found[0]).error(reason)
            if found.start() < end:
                self._control = error
            else:
                self._padding = self._padding or error


@dataclass(frozen=True)
class BadByte:
    """A byte that is not text: its offset, its line from 1 on; whether letters of UTF-8 precede it.

    `is_cut_off` if the text ends within the letter that it begins.
    """

    offset: int
    line: int
    byte: bytes
    is_behind_utf_8: bool = False
    is_cut_off: bool = False

    @classmethod
    def of(cls, error: UnicodeDecodeError, offset: int, line: int, is_behind_utf_8: bool = False) -> Self:
        """Return the byte that could not be decoded."""
        byte = error.object[error.start : error.start + 1]
        return cls(offset, line, byte, is_behind_utf_8, error.reason == ENDS_EARLY)

    def broken_utf_8(self) -> Invalid:
        """Return the error of a text that is UTF-8 but for this byte."""
        return self.error(CUT_OFF if self.is_cut_off else UTF_8_BEFORE)

    def error(self, reason: str) -> Invalid:
        """Return the error that names the byte and says what it is, and what to do."""
        return Invalid(
            f"Byte {self.offset:,} (line {self.line:,}) is 0x{self.byte.hex().upper()}: {reason}. {OVERRIDE}",
            kind=ProblemType.NOT_TEXT,
            title="The file is not readable as text",
            line=self.line,
            offset=self.offset,
        )
