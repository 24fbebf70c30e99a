"""Inspect a draft's file once, when all of it has arrived, and remember what was found."""

from typing import BinaryIO, Literal, Self

from pydantic import BaseModel

from product_importer.core.errors import DomainError, Invalid, TooLarge, TooMany
from product_importer.core.problem_types import ProblemType
from product_importer.core.storage import opened
from product_importer.imports.drafts.schemas import DraftError
from product_importer.imports.options import ImportOptions
from product_importer.imports.parsing.archives import unpacked
from product_importer.imports.parsing.books.kinds import NAMES
from product_importer.imports.parsing.file_format import Container, Format
from product_importer.imports.parsing.format_detection import Detected, detect_format
from product_importer.imports.parsing.stream_inspection import HEAD_BYTES, StreamInspection
from product_importer.imports.parsing.unpacking import WHILE_ARRIVING, memory_turn
from product_importer.imports.read_warnings import WarningCode

# No encoding has this name: a text that was not checked in any is checked when it is needed.
UNCHECKED = "unchecked"
ARRIVING: tuple[Container, ...] = ("plain", *WHILE_ARRIVING)


class CheckedText(BaseModel):
    """A text of which every byte was checked in an encoding, and how many bytes it has unpacked."""

    encoding: str
    is_guessed: bool
    size: int


class Inspected(BaseModel):
    """What is known of a stored file.

    `chosen` is the encoding that was chosen when all of the text was checked: `text` says what was found then, or
    `error` why it is not readable. `sheets` are the visible sheets of a workbook, `notes` say what is not read.
    """

    container: Container | Literal["ole"] | None = None
    is_parquet: bool = False
    chosen: str | None = UNCHECKED
    text: CheckedText | None = None
    error: DraftError | None = None
    sheets: list[str] = []
    notes: list[str] = []

    @classmethod
    def of(cls, inspection: StreamInspection) -> Self:
        """Return what an inspection shows before the stored file is looked at."""
        return cls(container=inspection.container, is_parquet=inspection.is_parquet)

    def restored(self, head: bytes | None) -> StreamInspection:
        """Return an inspection as that of the whole file was; the text is checked anew if an option needs it."""
        inspection = StreamInspection(self.chosen if self.text else None)
        inspection.container, inspection.is_parquet = self.container, self.is_parquet
        contents = inspection.contents
        contents.head += head or b""
        if self.text is None:
            contents.chosen = UNCHECKED
        else:
            contents.size = self.text.size
            contents.detector.encoding = self.text.encoding
            contents.detector.is_guessed = self.text.is_guessed
        return inspection


def inspect(key: str, inspection: StreamInspection, options: ImportOptions) -> tuple[Inspected, bytes | None]:
    """Return what is known of a stored file that was inspected as it arrived, and the beginning of its text.

    Errors that another option may avoid are left to those who read the file with these options.

    Raises:
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        Invalid: it is empty.
    """
    inspected = Inspected.of(inspection)
    with opened(key) as stream:
        try:
            found = detect_format(stream, inspection, options)
        except TooMany:
            return inspected, _arrived_head(inspection)
        except DomainError as error:
            if isinstance(error, TooLarge) or (error.kind == ProblemType.EMPTY_FILE and _is_text(inspection)):
                raise
            return _not_found(inspected, inspection, options, error), _arrived_head(inspection)
        if found.size is None:
            return inspected.model_copy(update={"sheets": _sheets(found, options)}), None
        text = CheckedText(encoding=found.format.encoding, is_guessed=found.format.is_guessed, size=found.size)
        update = {"text": text, "chosen": options.encoding, "notes": _notes(found)}
        head = _arrived_head(inspection) or _stored_head(stream, found.format)
        return inspected.model_copy(update=update), head


def error_of(error: DomainError) -> DraftError:
    """Return an error as a draft keeps it."""
    return DraftError(type=error.kind, title=error.title, detail=error.detail, extra=dict(error.extra))


def raised(error: DraftError) -> Invalid:
    """Return an error that a draft keeps as one to raise."""
    return Invalid(error.detail, kind=ProblemType(error.type), title=error.title, **error.extra)


def _not_found(
    inspected: Inspected, inspection: StreamInspection, options: ImportOptions, error: DomainError
) -> Inspected:
    if error.kind == ProblemType.NOT_TEXT:
        return inspected.model_copy(update={"error": error_of(error), "chosen": options.encoding})
    contents = inspection.contents
    if contents.size and contents.detector.error is None:
        detector = contents.detector
        text = CheckedText(encoding=detector.encoding, is_guessed=detector.is_guessed, size=contents.size)
        return inspected.model_copy(update={"text": text, "chosen": contents.chosen})
    return inspected


def _is_text(inspection: StreamInspection) -> bool:
    return inspection.container in ARRIVING and not inspection.is_parquet


def _arrived_head(inspection: StreamInspection) -> bytes | None:
    """Return the beginning of a text that was unpacked as it arrived."""
    return bytes(inspection.contents.head) or None


def _stored_head(stream: BinaryIO, format: Format) -> bytes:
    stream.seek(0)
    head = bytearray()
    with memory_turn(format.container):
        text = unpacked(stream, format)
        while len(head) < HEAD_BYTES and (piece := text.read(HEAD_BYTES - len(head))):
            head += piece
    return bytes(head)


def _sheets(found: Detected, options: ImportOptions) -> list[str]:
    """Return the visible sheets in the workbook's order, which is known if the first one was read."""
    is_first = found.format.kind in NAMES and options.sheet is None and found.format.part is not None
    return [found.format.part or "", *found.other_sheets] if is_first else []


def _notes(found: Detected) -> list[str]:
    note = found.warnings.by_code.get(WarningCode.OTHER_FILES)
    return [note["message"]] if note else []
