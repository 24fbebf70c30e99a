"""Read the columns of a text from its beginning, as if that were all of it."""

import io
import re
from contextlib import suppress
from json import JSONDecoder

from product_importer.imports.drafts.inspection import Inspected, raised
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.format_detection import Detected, detect_format
from product_importer.imports.parsing.json_detection import json_kind
from product_importer.imports.parsing.stream_inspection import StreamInspection

DECODER = JSONDecoder()
# What stands between the elements of an array.
NO_ELEMENT = re.compile(r"[\s,]*")
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def detect_head(head: bytes, inspected: Inspected, options: ImportOptions, is_all: bool) -> Detected | None:
    """Return how a text is read by its beginning; None if that is too little to tell.

    `is_all` if the text does not go on. What is known of the whole text comes before what the beginning shows.

    Raises:
        Invalid, Unprocessable: as `detect_format` does.
    """
    if inspected.error is not None and inspected.chosen == options.encoding:
        raise raised(inspected.error)
    seen = head if is_all else whole_elements(head) if json_kind(head, "utf-8") == "json" else whole_lines(head)
    if not (seen or is_all):
        return None
    inspection = StreamInspection(options.encoding)
    inspection.feed(seen, final=True)
    _know(inspection, inspected, options)
    return detect_format(io.BytesIO(seen), inspection, options)


def _know(inspection: StreamInspection, inspected: Inspected, options: ImportOptions) -> None:
    """Let an inspection of the beginning know what the whole text has shown."""
    if inspected.text is not None and inspected.chosen == options.encoding:
        detector = inspection.contents.detector
        detector.encoding, detector.is_guessed = inspected.text.encoding, inspected.text.is_guessed
        detector.error, detector.is_other_text = None, False


def whole_elements(head: bytes) -> bytes:
    """Return the beginning of a JSON array up to the last element that is complete, as an array; empty if none is."""
    text = head.decode(errors="ignore")
    begin = place = text.index("[") + 1
    with suppress(ValueError, RecursionError):
        while between := NO_ELEMENT.match(text, place):
            _, place = DECODER.raw_decode(text, between.end())
    return f"{text[:place]}]".encode() if place > begin else b""


def whole_lines(head: bytes) -> bytes:
    """Return the beginning of a text up to its last line break; in UTF-16, a line feed has two bytes."""
    if b"\0" in head[:64] or head.startswith(UTF_16_MARKS):
        is_big_endian = head.startswith(b"\xfe\xff") or (head[:1] == b"\0" and head[1:2] != b"\0")
        return _whole_lines_of_utf_16(head, b"\0\n" if is_big_endian else b"\n\0")
    return head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]


def _whole_lines_of_utf_16(head: bytes, line_feed: bytes) -> bytes:
    end = head.rfind(line_feed)
    # At an odd place, the two bytes are of different characters.
    while end % 2 and end > 0:
        end = head.rfind(line_feed, 0, end + 1)
    return head[: end + 2] if end >= 0 else b""
