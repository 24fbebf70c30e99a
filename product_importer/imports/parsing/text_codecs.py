"""Codecs that read the offered encodings by the tables of the Encoding Standard (WHATWG), as browsers and Excel do.

Most of Python's codecs have these tables. Here are the differences of the others, taken from the standard's indexes
of 2024-09-18 (https://encoding.spec.whatwg.org/#indexes). Bytes that one-byte encodings leave undefined stay errors;
the standard makes control characters of them, which no catalogue holds.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from product_importer.imports.parsing.big5_codes import BIG5


def _euc_by_shift_jis(pair: bytes) -> str | None:
    """Return a character of EUC-JP: the standard has one table of two bytes for both encodings."""
    if len(pair) < 2 or not (0xA1 <= pair[0] <= 0xFE and 0xA1 <= pair[1] <= 0xFE):
        return None
    lead, trail = divmod((pair[0] - 0xA1) * 94 + pair[1] - 0xA1, 188)
    shifted = bytes((lead + (0x81 if lead < 0x1F else 0xC1), trail + (0x40 if trail < 0x3F else 0x41)))
    character = shifted.decode("cp932", "replace")
    return character if len(character) == 1 and character != "\ufffd" else None


def _nothing(_: bytes) -> None:
    """Return no character: the codec knows all of them."""


@dataclass(frozen=True)
class _Standard:
    """How one of Python's codecs differs from the standard.

    `missing` returns the character of at most two bytes that the codec does not know, or None. `other` are characters
    that it reads from one code only, and what these are in the standard. `rare` are the codes of those that
    it reads from several codes; `codes` finds all codes, and these as its group. `undefined` are characters whose
    bytes the standard does not define.
    """

    base: str
    missing: Callable[[bytes], str | None] = _nothing
    other: tuple[str, str] = ("", "")
    rare: Mapping[bytes, str] = field(default_factory=dict)
    code: re.Pattern[bytes] | None = None
    undefined: re.Pattern[str] | None = None

    def corrected(self, text: str) -> str:
        """Return what the codec read with the characters of the standard; far quicker than `str.translate`."""
        for read, meant in zip(*self.other, strict=True):
            if read in text:
                text = text.replace(read, meant)
        return text

    @property
    def rare_bytes(self) -> int:
        """The length of the codes that are rare."""
        return max(map(len, self.rare), default=0)

    def places(self, data: bytes) -> Iterator[int]:
        """Return where rare codes begin; where the bytes of two other codes look like one, none does."""
        assert self.code is not None
        known = 0
        for found in re.finditer(b"|".join(map(re.escape, self.rare)), data):
            place = found.start()
            # A line break is no part of a longer code.
            known = max(known, data.rfind(b"\n", known, place) + 1)
            for code in self.code.finditer(data, known, place):
                known = code.end()
            if known == place:
                known = found.end()
                yield place


STANDARDS = {
    "shift_jis": _Standard("cp932", undefined=re.compile("[\uf8f0-\uf8f3]")),
    "euc-jp": _Standard(
        "euc_jp",
        _euc_by_shift_jis,
        ("〜‖−¢£¬", "～∥－￠￡￢"),
        {b"\x8f\xa2\xb7": "～"},
        re.compile(rb"\x8f..|[\x80-\xff].|[\x00-\x7f]+", re.DOTALL),
    ),
    "big5": _Standard(
        "big5hkscs",
        BIG5.get,
        ("•､‾∼♁☉¥¢£", "‧﹑¯～⊕⊙￥￠￡"),
        {b"\xa2\x41": "∕", b"\xa2\x42": "﹨"},
        re.compile(rb"[\x80-\xff].|[\x00-\x7f]+", re.DOTALL),
    ),
    "gb18030": _Standard(
        "gb18030",
        lambda pair: "€" if pair[:1] == b"\x80" else None,
        (
            "\ue5e5\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7"
            "\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
            "\u3000\ufe10\ufe12\ufe11\ufe13\ufe14\ufe15\ufe16\ufe17\ufe18\ufe19\u1e3f"
            "\u9fb4\u9fb5\u9fb6\u9fb7\u9fb8\u9fb9\u9fba\u9fbb",
        ),
        {b"\x81\x35\xf4\x37": "\ue7c7"},
        re.compile(rb"\x80|[\x81-\xfe][0-9]..|[\x81-\xff][^0-9]|[\x00-\x7f]+", re.DOTALL),
    ),
    "windows-1255": _Standard("cp1255", lambda pair: "\u05ba" if pair[:1] == b"\xca" else None),
    "koi8-u": _Standard("koi8_u", other=("╝╬", "ўЎ")),
}
# Encodings that the standard reads as another one, and Python's names of others.
SAME = {"iso-8859-1": "cp1252", "euc-kr": "cp949", "windows-874": "cp874", "utf-8": "utf-8-sig"}
PREFIX = "standard_"


def codec_of(encoding: str) -> str:
    """Return the name of the codec that reads an encoding, without a byte order mark."""
    if encoding in STANDARDS:
        return PREFIX + encoding.replace("-", "_")
    return SAME.get(encoding, encoding)


def decoder_of(encoding: str) -> codecs.IncrementalDecoder:
    """Return a strict decoder of an encoding; it keeps a byte order mark of UTF-8."""
    return codecs.getincrementaldecoder(encoding if encoding == "utf-8" else codec_of(encoding))()


class _Decoder(codecs.IncrementalDecoder):
    """Decodes with one of Python's codecs, and corrects what it reads."""

    name: str
    standard: _Standard

    def __init__(self, errors: str = "strict"):
        super().__init__(errors)
        # The handler of errors finds what is missing. Other errors are raised: this codec knows no other handlers.
        self._base = codecs.getincrementaldecoder(self.standard.base)(self.name)

    def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
        standard, state = self.standard, self._base.getstate()
        text = self._base.decode(data, final)
        if text.isascii():
            return text if not standard.rare else self._with_rare(state, data, text, final)
        if standard.undefined is not None and (found := standard.undefined.search(text)):
            whole = state[0] + data
            start = len(text[: found.start()].encode(standard.base))
            raise UnicodeDecodeError(self.name, whole, start, start + 1, "undefined byte")
        return self._with_rare(state, data, standard.corrected(text), final)

    def _with_rare(self, state: tuple[bytes, int], data: bytes, text: str, final: bool) -> str:
        """Return the decoded text, with the right characters for the codes whose character has another code, too."""
        whole = state[0] + data
        standard = self.standard
        if standard.code is None or not any(code in whole for code in standard.rare):
            return text
        parts, start = [], 0
        decoder = codecs.getincrementaldecoder(standard.base)(self.name)
        for place in standard.places(whole):
            code = whole[place : place + standard.rare_bytes]
            parts += [standard.corrected(decoder.decode(whole[start:place], True)), standard.rare[code]]
            start = place + len(code)
        return "".join(parts) + standard.corrected(decoder.decode(whole[start:], final))

    def reset(self) -> None:
        self._base.reset()

    def getstate(self) -> tuple[bytes, int]:
        return self._base.getstate()

    def setstate(self, state: tuple[bytes, int]) -> None:
        self._base.setstate(state)


def _handler(standard: _Standard) -> Callable[[UnicodeError], tuple[str, int]]:
    """Return the handler of errors of a codec, which reads what the standard has and the codec has not."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        pair = error.object[error.start : error.start + 2]
        if character := standard.missing(pair):
            return character, error.start + (1 if pair[:1] in (b"\x80", b"\xca") else len(pair))
        raise error

    return handle


def _find(name: str) -> codecs.CodecInfo | None:
    return _CODECS.get(name)


def _codec(encoding: str, standard: _Standard) -> codecs.CodecInfo:
    name = codec_of(encoding)
    codecs.register_error(name, _handler(standard))

    class Decoder(_Decoder):
        pass

    Decoder.name, Decoder.standard = name, standard

    def decode(data: bytes, errors: str = "strict") -> tuple[str, int]:
        return Decoder(errors).decode(bytes(data), True), len(data)

    # A text stream asks for an encoder although it only reads.
    base = codecs.lookup(standard.base)
    return codecs.CodecInfo(
        base.encode,
        decode,  # type: ignore[arg-type]
        incrementalencoder=base.incrementalencoder,
        incrementaldecoder=Decoder,
        name=name,
    )


_CODECS = {codec_of(encoding): _codec(encoding, standard) for encoding, standard in STANDARDS.items()}
codecs.register(_find)
