"""Detect the format of a stored file, and read the names of its columns."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple
from zipfile import ZipFile

from product_importer.core.errors import Invalid
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing import compound_files
from product_importer.imports.parsing.archives import only_table, open_archive, pieces, unpacked
from product_importer.imports.parsing.books.kinds import kind_of_zip
from product_importer.imports.parsing.csv import backslash_escapes
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.encoding_detection import EncodingDetector
from product_importer.imports.parsing.file_format import Escape, Format
from product_importer.imports.parsing.header_sample import MAX_HEADER_CHARACTERS, HeaderSample, read_header_sample
from product_importer.imports.parsing.header_search import CsvLayout, csv_layout
from product_importer.imports.parsing.likely_encodings import with_likely_encodings
from product_importer.imports.parsing.opening import text_of
from product_importer.imports.parsing.other_documents import refuse_file_name
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.parsing.sheet_choice import refuse_sheet
from product_importer.imports.parsing.stream_inspection import StreamInspection, TextInspection
from product_importer.imports.parsing.text_codecs import codec_of
from product_importer.imports.parsing.workbook_process import read_workbook_head
from product_importer.imports.read_warnings import ReadWarnings, WarningCode

# How people know an encoding, where that is not the name of its option.
ENCODING_NAMES = {"windows-1252": "Windows-1252"}
# The line in which some programs name the delimiter for Excel; there may be more than one byte order mark before it.
SEP_LINE = re.compile('\ufeff*"?sep=([,;\\t|])"?[\\r\\n]', re.IGNORECASE)


class Detected(NamedTuple):
    """How a file is read, the sample of its header, and what was assumed."""

    format: Format
    head: HeaderSample
    warnings: ReadWarnings


def detect_format(stream: BinaryIO, inspection: StreamInspection, options: ImportOptions) -> Detected:
    """Return the format of a stored file that was inspected as it arrived.

    Options that were chosen come before what is detected.

    Raises:
        Invalid: it cannot be read, or its first row holds no names, or a workbook has no sheet of the chosen name;
            `not-csv`, `not-text`, `empty-file`, `unknown-sheet`.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        TooMany: too many workbooks wait to be read.
    """
    assert inspection.container is not None
    if inspection.container == "ole":
        compound_files.refuse_others(stream)
        return Detected(*read_workbook_head(stream, "xls", options.sheet))
    format = Format(container=inspection.container)
    if format.container == "zip":
        with open_archive(stream, ZipFile) as archive:
            if kind := kind_of_zip(archive):
                return Detected(*read_workbook_head(stream, kind, options.sheet))
            format = format.model_copy(update={"part": only_table(archive).filename})
    refuse_sheet(options.sheet)
    detector = _checked_encoding(stream, format, inspection, options)
    layout, header, escape = _read_header(*_head(stream, format, detector.encoding), options)
    refuse_file_name(header.names, header.sample)
    found = {
        "encoding": detector.encoding,
        "is_guessed": detector.is_guessed,
        "delimiter": layout.delimiter,
        "header_line": layout.header_line,
        "escape": escape,
    }
    warnings = ReadWarnings()
    if detector.is_guessed:
        warnings.about_file(WarningCode.GUESSED_ENCODING, ENCODING_NAMES.get(detector.encoding, detector.encoding))
    if escape is not None:
        warnings.about_file(WarningCode.BACKSLASH_ESCAPES)
    if options.header_line is None and layout.header_line is not None:
        warnings.about_file(WarningCode.HEADER_FOUND_BELOW, f"{layout.header_line:,}", layout.header_line)
    return Detected(format.model_copy(update=found), header, warnings)


def early_header(contents: TextInspection, options: ImportOptions) -> HeaderSample | None:
    """Return the sample of a header by the beginning of a text alone; None if the header may reach beyond it."""
    decoder = codecs.getincrementaldecoder(codec_of(contents.detector.encoding))("replace")
    head = _whole_lines(decoder.decode(bytes(contents.head)))
    try:
        _, header, _ = _read_header(head, True, options)
    except Invalid:
        return None
    if contents.detector.is_guessed and not "".join(header.names).isascii():
        # The rest of the text may show that it is in another encoding.
        return None
    # A quote in a name may close after the beginning, with another delimiter than this one.
    return None if any('"' in name for name in header.names) else header


def _read_header(head: str, is_cut: bool, options: ImportOptions) -> tuple[CsvLayout, HeaderSample, Escape | None]:
    """Return the layout of a text by its beginning, the sample of its header, and how it writes quotes in fields.

    `is_cut` if the text goes on after its beginning.

    Raises:
        Invalid: there is no header that can be read.
    """
    sep_line = SEP_LINE.match(head)
    layout = csv_layout(head, options, options.delimiter or (sep_line and sep_line[1]))
    line = layout.header_line
    is_escaped = backslash_escapes.are_used(head, layout.delimiter, line, is_cut)
    escape: Escape | None = "backslash" if is_escaped else None
    records = Records(io.StringIO(head, newline=""), layout.delimiter, header_line=line, escape=escape)
    return layout, read_header_sample(records, line), escape


def _checked_encoding(
    stream: BinaryIO, format: Format, inspection: StreamInspection, options: ImportOptions
) -> EncodingDetector:
    """Return the detector of a text's encoding, which has checked every byte.

    Raises:
        Invalid: the text has a byte that its encoding does not have, or may be in several; `not-text`.
    """
    contents = inspection.contents
    if format.container == "zip" or contents.chosen != options.encoding:
        contents = TextInspection(options.encoding)
        stream.seek(0)
        for piece in pieces(unpacked(stream, format)):
            contents.feed(piece)
        contents.feed(b"", final=True)
    detector = contents.detector
    if detector.error is None:
        return detector
    if not detector.is_other_text:
        raise detector.error

    def read() -> Iterator[bytes]:
        stream.seek(0)
        return pieces(unpacked(stream, format))

    raise with_likely_encodings(detector.error, read)


def _head(stream: BinaryIO, format: Format, encoding: str) -> tuple[str, bool]:
    """Return the beginning of a stored text, up to the end of a line or of the text, and whether it goes on."""
    stream.seek(0)
    head = text_of(unpacked(stream, format), encoding).read(MAX_HEADER_CHARACTERS)
    if len(head) < MAX_HEADER_CHARACTERS:
        return head, False
    if lines := _whole_lines(head):
        return lines, True
    raise not_csv("The first line is longer than a million characters: this is not a table of rows.")


def _whole_lines(head: str) -> str:
    """Return the beginning of a text up to its last line break."""
    return head[: max(head.rfind("\n"), head.rfind("\r")) + 1]
