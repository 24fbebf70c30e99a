"""Read the head of an untrusted file in a process of its own: both sides of the question and the answer, as JSON."""

import json
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from product_importer.core.errors import DomainError, Invalid, TooLarge
from product_importer.core.settings import settings
from product_importer.imports.parsing.limited_process import (
    DEADLINE_SECONDS,
    MEMORY_BYTES,
    DeadlineExceeded,
    LimitedProcess,
    ProcessFailed,
    Task,
)
from product_importer.imports.parsing.records import not_csv

ERRORS = {"Invalid": Invalid, "TooLarge": TooLarge}
NOTHING: Mapping[str, str] = {}


def ask(
    reader: LimitedProcess,
    stream: BinaryIO,
    *,
    what: str,
    advice: str,
    request: object = None,
    environment: Mapping[str, str] = NOTHING,
) -> dict[str, Any]:
    """Return what the process answers about a file; `what` names the file in errors, `advice` says what to do.

    Raises:
        Invalid: it cannot be read, or not within the limits of time and memory.
        TooLarge: it unpacks to more than `MAX_UPLOAD_MB`.
        TooMany: too many files wait to be read.
    """
    variables = {"MAX_UPLOAD_MB": str(settings().max_upload_mb), **environment}
    try:
        answer: dict[str, Any] = json.loads(reader.ask(stream, variables, json.dumps(request).encode()))
    except DeadlineExceeded:
        raise not_csv(f"Reading the {what} took longer than {DEADLINE_SECONDS} s. {advice}") from None
    except ProcessFailed:
        limit = f"{MEMORY_BYTES // 2**20:,} MB of memory"
        raise not_csv(f"The {what} is damaged, or needs more than {limit} to be read. {advice}") from None
    if "error" in answer:
        raise ERRORS[answer["error"]](**answer["arguments"])
    return answer


def answering(read: Callable[[Task], dict[str, Any]]) -> Callable[[Task], bytes]:
    """In the process: return the function that answers with what `read` returns, or with its error."""

    def answer(task: Task) -> bytes:
        try:
            found = read(task)
        except DomainError as error:
            arguments = {"detail": error.detail, "kind": error.kind, "title": error.title, **error.extra}
            found = {"error": type(error).__name__, "arguments": arguments}
        return json.dumps(found).encode()

    return answer
