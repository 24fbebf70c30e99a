"""Parse the upload's multipart form while it arrives, and store the file's bytes at once."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from product_importer.core.errors import (
    Invalid,
    TooLarge,
    Unprocessable,
    invalid_fields,
    repeated_field,
    unknown_field,
)
from product_importer.core.problem_types import ProblemType
from product_importer.imports import options
from product_importer.imports.options import ImportOptions
from product_importer.imports.schemas import ImportRead
from product_importer.imports.upload import receiver, streaming
from product_importer.imports.upload.receiver import IncomingUpload

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# The limit of all options together.
MAX_OPTION_BYTES = 1024 * 1024
MAX_BOUNDARY_BYTES = 200

FILE_FIELD = "file"
FIELDS = (FILE_FIELD, *ImportOptions.model_fields)
NO_FILE = {"field": FILE_FIELD, "message": "Field required"}
NO_FILENAME = {
    "field": FILE_FIELD,
    "message": "The field has no filename, so it is a text and not a file. Send it as a file; with curl, write an @ "
    "before the file's name: -F file=@catalogue.csv",
}


async def receive_upload(
    content_type: str | None, body: AsyncIterator[bytes], idempotency_key: str | None = None
) -> ImportRead:
    """Receive a form with a `file`, and start its import. Nothing is kept of an upload that is cut off.

    Raises:
        TooMany: too many imports are unfinished; the body is then not read.
        Unprocessable: the form has no file, or a field is unknown, repeated or has an impossible value.
        Conflict: the key was used for another file.
        Invalid, TooLarge: the body is no form, or the file cannot be imported.
    """
    await asyncio.to_thread(receiver.refuse_too_many, idempotency_key)
    return await streaming.receive(UploadForm(content_type, idempotency_key), body)


class UploadForm:
    """A multipart form: its file becomes an `IncomingUpload`, every other field an option."""

    def __init__(self, content_type: str | None, idempotency_key: str | None = None):
        kind, parameters = parse_options_header(content_type)
        boundary = parameters.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
            raise Unprocessable(
                "Send the file as multipart/form-data, in the field “file”; with curl: -F file=@catalogue.csv",
                errors=[NO_FILE],
            )
        self.options: dict[str, str] = {}
        self._seen: set[str] = set()
        self._idempotency_key = idempotency_key
        self._upload: IncomingUpload | None = None
        self._headers: dict[bytes, bytes] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._field = ""
        self._option = bytearray()
        self._option_bytes = 0
        self._is_complete = False
        self._parser = MultipartParser(boundary, self._callbacks())

    def write(self, piece: bytes) -> None:
        """Parse the next bytes of the body, and store those of the file."""
        try:
            self._parser.write(piece)
        except MultipartParseError as error:
            raise Invalid(f"The body is not valid multipart/form-data: {error}", kind=ProblemType.BAD_FORM) from error

    def accept(self) -> ImportRead:
        """Start the import of the file that has arrived."""
        if self._upload is None:
            raise Unprocessable("The form has no file.", errors=[NO_FILE])
        if not self._is_complete:
            raise Invalid(
                "The form ends before its closing boundary. The upload was discarded.", kind=ProblemType.BAD_FORM
            )
        return self._upload.accept(options.parse(self.options), self._idempotency_key)

    def abort(self) -> None:
        """Delete the stored file unless it was accepted."""
        if self._upload is not None:
            self._upload.abort()

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._add_header_name,
            "on_header_value": self._add_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._open_part,
            "on_part_data": self._add_data,
            "on_part_end": self._end_part,
            "on_end": self._end_form,
        }

    def _begin_part(self) -> None:
        self._headers.clear()
        self._option.clear()

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._headers[bytes(self._header_name).lower()] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _open_part(self) -> None:
        """Check a part's headers before its content arrives."""
        disposition = self._headers.get(b"content-disposition", b"")
        _, parameters = parse_options_header(disposition)
        self._field = parameters.get(b"name", b"").decode("utf-8", "replace")
        if not self._field:
            raise Invalid(
                "A part of the form has no name: “Content-Disposition: form-data; name=…”.", kind=ProblemType.BAD_FORM
            )
        if self._field not in FIELDS:
            raise invalid_fields([unknown_field(self._field, FIELDS)])
        if self._field in self._seen:
            raise invalid_fields([repeated_field(self._field)])
        self._seen.add(self._field)
        if self._field == FILE_FIELD:
            self._upload = IncomingUpload(_filename(parameters, disposition))

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if self._upload is not None and self._field == FILE_FIELD:
            self._upload.write(data[start:end])
        else:
            self._option_bytes += end - start
            if self._option_bytes > MAX_OPTION_BYTES:
                raise TooLarge(f"The fields other than the file hold more than {MAX_OPTION_BYTES:,} bytes.")
            self._option += data[start:end]

    def _end_part(self) -> None:
        if self._field != FILE_FIELD:
            self.options[self._field] = self._option.decode("utf-8", "replace")

    def _end_form(self) -> None:
        self._is_complete = True


def _filename(parameters: dict[bytes, bytes], disposition: bytes) -> str:
    if b"filename" in parameters:
        return parameters[b"filename"].decode("utf-8", "replace")
    # Some older clients send `filename*` alone (RFC 2231), although RFC 7578 forbids it in forms.
    name = message_from_bytes(b"Content-Disposition: " + disposition).get_filename()
    if name is None:
        raise invalid_fields([NO_FILENAME])
    return name
