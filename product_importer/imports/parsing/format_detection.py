"""Which format a stored file has, and the names of its columns."""

import codecs
import io
import re
from collections.abc import Iterable
from typing import BinaryIO, get_args
from zipfile import ZipFile

from product_importer.core.errors import Invalid
from product_importer.imports.columns.header import REJECT_COLUMNS, REQUIRED, fold
from product_importer.imports.options import Delimiter, ImportOptions
from product_importer.imports.parsing.archives import only_table, open_archive, pieces, unpacked
from product_importer.imports.parsing.csv.reader import Records
from product_importer.imports.parsing.encoding_detection import TextCheck
from product_importer.imports.parsing.file_format import Format
from product_importer.imports.parsing.header_sample import MAX_HEADER_CHARACTERS, HeaderSample, read_head, read_names
from product_importer.imports.parsing.opening import codec_of, text_of
from product_importer.imports.parsing.records import NOT_CSV
from product_importer.imports.parsing.stream_inspection import Contents, Inspection
from product_importer.imports.parsing.workbook_process import recognise_sheet
from product_importer.imports.parsing.xlsx.package import is_workbook

DELIMITERS: tuple[str, ...] = get_args(Delimiter)
# What Excel takes for the delimiter, and some programs write for it.
SEP_LINE = re.compile(r'"?sep=([,;\t|])"?[\r\n]', re.IGNORECASE)


def recognise(stream: BinaryIO, inspection: Inspection, options: ImportOptions) -> tuple[Format, HeaderSample]:
    """Return the format of a stored file that was inspected on its way, and its head.

    What is chosen comes before what is found.

    Raises:
        Invalid: it cannot be read so, or its first row holds no names; `not-csv`, `not-text`, `empty-file`.
        TooLarge: more than `MAX_UPLOAD_MB` is packed in it.
    """
    assert inspection.container is not None
    format = Format(container=inspection.container)
    if format.container == "zip":
        with open_archive(stream, ZipFile) as archive:
            if is_workbook(archive):
                return recognise_sheet(stream)
            format = format.model_copy(update={"part": only_table(archive).filename})
    text = _checked_text(stream, format, inspection, options)
    delimiter, head = _read_head(_head(stream, format, text.encoding), options)
    found = {"encoding": text.encoding, "is_guessed": text.is_guessed, "delimiter": delimiter}
    return format.model_copy(update=found), head


def read_early(contents: Contents, options: ImportOptions) -> HeaderSample | None:
    """Return the head of a file by a text's beginning alone, or None where they may reach beyond it."""
    decoder = codecs.getincrementaldecoder(codec_of(contents.text.encoding))()
    head = _whole_lines(decoder.decode(bytes(contents.head)))
    try:
        _, found = _read_head(head, options)
    except Invalid:
        return None
    # A quote in a name may be one that closes behind the beginning, with another delimiter than this.
    return None if any('"' in name for name in found.names) else found


def _read_head(head: str, options: ImportOptions) -> tuple[str, HeaderSample]:
    """Return the delimiter of a text by its beginning, and its head.

    Raises:
        Invalid: it has no such record.
    """
    told = SEP_LINE.match(head)
    if options.delimiter is not None or told is not None:
        delimiter = options.delimiter or (told[1] if told else "")
    else:
        delimiter = _best_delimiter(head, {*REQUIRED, *REJECT_COLUMNS, *map(fold, options.columns or ())})
    return delimiter, read_head(Records(io.StringIO(head, newline=""), delimiter))


def _checked_text(stream: BinaryIO, format: Format, inspection: Inspection, options: ImportOptions) -> TextCheck:
    """Return what is known of a text's encoding: every byte of it has been looked at by then."""
    contents = inspection.contents
    if format.container == "zip" or contents.chosen != options.encoding:
        contents = Contents(options.encoding)
        stream.seek(0)
        for piece in pieces(unpacked(stream, format)):
            contents.feed(piece)
        contents.feed(b"", final=True)
    if contents.text.fault is not None:
        raise contents.text.fault
    return contents.text


def _head(stream: BinaryIO, format: Format, encoding: str) -> str:
    """Return the beginning of a stored text, in whole lines unless it is all of it."""
    stream.seek(0)
    head = text_of(unpacked(stream, format), encoding).read(MAX_HEADER_CHARACTERS)
    if len(head) < MAX_HEADER_CHARACTERS:
        return head
    if lines := _whole_lines(head):
        return lines
    raise Invalid("The first line is longer than a million characters: this is not a table of rows.", **NOT_CSV)


def _whole_lines(head: str) -> str:
    """Return a text's beginning up to its last line break."""
    return head[: max(head.rfind("\n"), head.rfind("\r")) + 1]


def _best_delimiter(head: str, known: set[str]) -> str:
    """Return the delimiter that finds most of the known columns, then most columns.

    Raises:
        Invalid: with none of them the first record can be read.
    """
    readings: dict[str, list[str]] = {}
    failures: list[Invalid] = []
    for delimiter in DELIMITERS:
        try:
            readings[delimiter] = read_names(Records(io.StringIO(head, newline=""), delimiter))
        except Invalid as failure:
            failures.append(failure)
    if not readings:
        raise failures[0]
    return max(readings, key=lambda delimiter: (_matches(readings[delimiter], known), len(readings[delimiter])))


def _matches(names: Iterable[str], known: set[str]) -> int:
    return len(known.intersection(map(fold, names)))
