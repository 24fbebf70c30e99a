"""Configure logging: input cannot forge log lines, and secrets are redacted.

The log records do this themselves, since Granian, Reflex, RQ and Engine.IO have their own handlers. A traceback
becomes part of the message, so that its lines are escaped and redacted, too.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from product_importer.core.logging.redaction import redacted

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# With the zone, so that the logs of several machines can be put in order.
TIME_FORMAT = "%Y-%m-%d %H:%M:%S%z"
# Of a message, and of an exception's text.
MAX_CHARACTERS = 4_000
TRACEBACK = "Traceback (most recent call last):"
# Begins each further line of a message into which a library has put a traceback. No record begins like this.
INDENT = "\n    "
# What Granian, Reflex and RQ write before a traceback.
BEFORE_A_TRACEBACK = re.compile(
    r"(Application callable raised an exception|\[Reflex Backend Exception\]"
    r"|Worker \S+: job \S+: exception raised while executing [^\n]*)"
    rf"\s*\n\s*(?={re.escape(TRACEBACK)})"
)

log = logging.getLogger("product_importer")


def configure(level: int = logging.INFO) -> None:
    """Use `RedactedRecord` for all logging of this process, and log warnings and uncaught exceptions. Idempotent."""
    logging.setLogRecordFactory(RedactedRecord)
    logging.basicConfig(level=level, format=FORMAT, datefmt=TIME_FORMAT)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("engineio.server", "socketio.server"):
        # Without a level they add handlers of their own, and each message is logged twice.
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_uncaught_in_thread


class RedactedRecord(logging.LogRecord):
    """A log record whose message is one line without secrets; a traceback follows on further lines."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._error = self.exc_info[1] if self.exc_info else None
        self._message: str | None = None
        # So that no handler writes the traceback unredacted.
        self.exc_info = None

    def getMessage(self) -> str:  # noqa: N802 - the name of the base class
        if self._message is None:
            lines = [] if self._error is None else traceback_lines(self._error)
            self._message = "\n".join([safe(self._formatted()), *lines])
        return self._message

    def _formatted(self) -> str:
        try:
            return super().getMessage()
        except (TypeError, ValueError, KeyError):
            # Python would write message and arguments to standard error, unredacted.
            return f"{self.msg} {self.args}"


def safe(text: str) -> str:
    """Return a text without secrets and on one line; the lines of a traceback in it stay, indented."""
    found = BEFORE_A_TRACEBACK.match(text)
    if not found:
        return _line(text)
    return INDENT.join([found[1], *map(_line, text[found.end() :].rstrip("\n").split("\n"))])


def escaped(text: str) -> str:
    r"""Escape unprintable characters as Python does: a line break becomes `\n`."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def traceback_lines(error: BaseException) -> list[str]:
    """Return the lines of an exception's traceback, its causes first; the text of each exception is one line."""
    lines: list[str] = []
    for one in _chain(error):
        frames = "".join(traceback.format_tb(one.__traceback__)).rstrip("\n").split("\n")
        said = "".join(traceback.format_exception_only(one)).rstrip("\n")
        lines += [TRACEBACK, *map(escaped, frames), _line(said)]
    return lines


def _line(text: str) -> str:
    line = escaped(redacted(text))
    return line if len(line) <= MAX_CHARACTERS else f"{line[:MAX_CHARACTERS]} …"


def _chain(error: BaseException, seen: frozenset[int] = frozenset()) -> Iterator[BaseException]:
    """Yield the exceptions that led to this one, then itself, then those of its group."""
    if id(error) in seen:
        return
    seen |= {id(error)}
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _chain(before, seen)
    yield error
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _chain(one, seen)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        log.critical("uncaught exception", exc_info=(kind, error, trace))
    else:
        sys.__excepthook__(kind, error, trace)


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    log.error("%s: %r", unraisable.err_msg or "exception ignored", unraisable.object, exc_info=unraisable.exc_value)


def _log_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread else "?"
        log.critical("uncaught exception in the thread %s", name, exc_info=ended.exc_value)
