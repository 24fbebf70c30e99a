"""Detect the format of a stored file, and read the names of its columns."""

import codecs
import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple
from zipfile import ZipFile

from product_importer.core.errors import Invalid, UnsupportedMedia
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing import compound_files
from product_importer.imports.parsing.archives import (
    is_packed_tar,
    only_table,
    only_table_in_tar,
    open_archive,
    pieces,
    unpacked,
)
from product_importer.imports.parsing.books.kinds import kind_of_zip
from product_importer.imports.parsing.csv import backslash_escapes
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.file_format import Escape, Format, Kind
from product_importer.imports.parsing.header_sample import MAX_HEADER_CHARACTERS, HeaderSample, read_header_sample
from product_importer.imports.parsing.header_search import CsvLayout, csv_layout
from product_importer.imports.parsing.json_detection import json_kind, read_json
from product_importer.imports.parsing.kind_options import refuse_options
from product_importer.imports.parsing.likely_encodings import with_likely_encodings
from product_importer.imports.parsing.opening import text_of
from product_importer.imports.parsing.other_documents import refuse_file_name
from product_importer.imports.parsing.parquet_process import read_parquet_head
from product_importer.imports.parsing.records import not_csv
from product_importer.imports.parsing.stream_inspection import StreamInspection, TextInspection
from product_importer.imports.parsing.text_codecs import codec_of
from product_importer.imports.parsing.unpacking import WHILE_ARRIVING, memory_turn
from product_importer.imports.parsing.workbook_process import read_workbook_head
from product_importer.imports.read_warnings import ReadWarnings, WarningCode

# How people know an encoding, where that is not the name of its option.
ENCODING_NAMES = {"windows-1252": "Windows-1252"}
# The line in which some programs name the delimiter for Excel; there may be more than one byte order mark before it.
SEP_LINE = re.compile('\ufeff*"?sep=([,;\\t|])"?[\\r\\n]', re.IGNORECASE)
# The warning about other files in an archive names so many of them, and so much of each name.
MAX_NAMED, MAX_NAME_CHARACTERS = 5, 100


class Detected(NamedTuple):
    """How a file is read, the sample of its header, what was assumed, and how many bytes it unpacks to.

    `size` is None for a workbook, of which `other_sheets` are the visible sheets with data that are not read.
    """

    format: Format
    head: HeaderSample
    warnings: ReadWarnings
    size: int | None = None
    other_sheets: Sequence[str] = ()


def detect_format(
    stream: BinaryIO, inspection: StreamInspection, options: ImportOptions, kind: Kind | None = None
) -> Detected:
    """Return the format of a stored file that was inspected as it arrived.

    Options that were chosen come before what is detected, and so does the `kind` that a request says the text is.

    Raises:
        Invalid: it cannot be read, or its first row holds no names, or there is no sheet of the chosen name;
            `not-csv`, `not-text`, `empty-file`, `unknown-sheet`.
        Unprocessable: an option means nothing for this kind of file.
        UnsupportedMedia: it is not of the `kind` that the request says.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        TooMany: too many workbooks or packed files wait to be read.
    """
    assert inspection.container is not None
    if kind is not None and (inspection.container != "plain" or inspection.is_parquet):
        raise UnsupportedMedia("The body is packed or no text. Send the JSON Lines as they are.")
    if inspection.is_parquet:
        refuse_options("parquet", options)
        return Detected(Format(kind="parquet"), *read_parquet_head(stream))
    if inspection.container == "ole":
        compound_files.refuse_others(stream)
        return _detect_workbook(stream, "xls", options)
    format, others = Format(container=inspection.container), list[str]()
    if format.container == "zip":
        with open_archive(stream, ZipFile) as archive:
            if book := kind_of_zip(archive):
                return _detect_workbook(stream, book, options)
            part, others = only_table(archive)
            format = format.model_copy(update={"part": part})
    with memory_turn(format.container):
        if format.container in ("xz", "zstd") and is_packed_tar(stream, format.container):
            format = Format(container="tar")
        if format.container == "tar":
            part, others = only_table_in_tar(stream)
            format = format.model_copy(update={"part": part})
        found = _detect_text(stream, format, inspection, options, kind)
    if others:
        named = ", ".join(f"“{name[:MAX_NAME_CHARACTERS]}”" for name in others[:MAX_NAMED])
        found.warnings.about_file(WarningCode.OTHER_FILES, named + (", …" if len(others) > MAX_NAMED else ""))
    return found


def _detect_workbook(stream: BinaryIO, kind: Kind, options: ImportOptions) -> Detected:
    refuse_options(kind, options)
    format, head, warnings, other_sheets = read_workbook_head(stream, kind, options)
    return Detected(format, head, warnings, other_sheets=other_sheets)


def _detect_text(
    stream: BinaryIO, format: Format, inspection: StreamInspection, options: ImportOptions, kind: Kind | None
) -> Detected:
    """Return how a text in a known container is read.

    Raises:
        Invalid, Unprocessable: as `detect_format` does.
    """
    contents = _checked_text(stream, format, inspection, options)
    format = format.model_copy(update={"encoding": contents.detector.encoding})
    if found := kind or json_kind(bytes(contents.head), format.encoding):
        refuse_options(found, options)
        format = format.model_copy(update={"kind": found})
        stream.seek(0)
        head = read_json(
            unpacked(stream, format), bytes(contents.head), format, options, is_surely_lines=kind is not None
        )
        return Detected(format, head, ReadWarnings(), contents.size)
    refuse_options("csv", options)
    return _detect_csv(stream, format, contents, options)


def _detect_csv(stream: BinaryIO, format: Format, contents: TextInspection, options: ImportOptions) -> Detected:
    """Return how a text of a known encoding is read as a CSV.

    Raises:
        Invalid: as `detect_format` does.
    """
    layout, header, escape = _read_header(*_head(stream, format), options)
    refuse_file_name(header.names, header.sample)
    found = {
        "is_guessed": contents.detector.is_guessed,
        "delimiter": layout.delimiter,
        "header_line": layout.header_line,
        "escape": escape,
    }
    warnings = ReadWarnings()
    if contents.detector.is_guessed:
        warnings.about_file(WarningCode.GUESSED_ENCODING, ENCODING_NAMES.get(format.encoding, format.encoding))
    if escape is not None:
        warnings.about_file(WarningCode.BACKSLASH_ESCAPES)
    if options.header_line is None and layout.header_line is not None:
        warnings.about_file(WarningCode.HEADER_FOUND_BELOW, f"{layout.header_line:,}", layout.header_line)
    return Detected(format.model_copy(update=found), header, warnings, contents.size)


def early_header(contents: TextInspection, options: ImportOptions) -> HeaderSample | None:
    """Return the sample of a header by the beginning of a text alone; None if the header may reach beyond it."""
    if json_kind(bytes(contents.head), contents.detector.encoding):
        return None
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


def _checked_text(
    stream: BinaryIO, format: Format, inspection: StreamInspection, options: ImportOptions
) -> TextInspection:
    """Return the inspection of a text, which has checked every byte.

    Raises:
        Invalid: the text has a byte that its encoding does not have, or may be in several; `not-text`.
    """
    contents = inspection.contents
    if format.container not in ("plain", *WHILE_ARRIVING) or contents.chosen != options.encoding:
        contents = TextInspection(options.encoding)
        stream.seek(0)
        for piece in pieces(unpacked(stream, format)):
            contents.feed(piece)
        contents.feed(b"", final=True)
    detector = contents.detector
    if detector.error is None:
        return contents
    if not detector.is_other_text:
        raise detector.error

    def read() -> Iterator[bytes]:
        stream.seek(0)
        return pieces(unpacked(stream, format))

    raise with_likely_encodings(detector.error, read)


def _head(stream: BinaryIO, format: Format) -> tuple[str, bool]:
    """Return the beginning of a stored text, up to the end of a line or of the text, and whether it goes on."""
    stream.seek(0)
    head = text_of(unpacked(stream, format), format.encoding).read(MAX_HEADER_CHARACTERS)
    if len(head) < MAX_HEADER_CHARACTERS:
        return head, False
    if lines := _whole_lines(head):
        return lines, True
    raise not_csv("The first line is longer than a million characters: this is not a table of rows.")


def _whole_lines(head: str) -> str:
    """Return the beginning of a text up to its last line break."""
    return head[: max(head.rfind("\n"), head.rfind("\r")) + 1]
