"""Logging, the same in every process: what comes from outside forges no line, and no secret stands in a line.

Log records are safe by themselves, whoever writes them: Granian, Reflex, RQ and Engine.IO have handlers of their own.
A traceback becomes part of the message, so that its lines are safe, too.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from product_importer.core.redaction import redacted

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# Of one message, and of what one exception says.
MAX_CHARACTERS = 4_000
TRACEBACK = "Traceback (most recent call last):"
# Begins each further line of a text in which a library has put a traceback: no line of the log begins so.
INDENT = "\n    "
# What they write before it: Granian, Reflex, RQ.
BEFORE_A_TRACEBACK = re.compile(
    r"(Application callable raised an exception|\[Reflex Backend Exception\]"
    r"|Worker \S+: job \S+: exception raised while executing [^\n]*)"
    rf"\s*\n\s*(?={re.escape(TRACEBACK)})"
)

log = logging.getLogger("product_importer")


def configure(level: int = logging.INFO) -> None:
    """Make every logger of this process safe, and let uncaught exceptions and warnings be logged. Harmless twice."""
    logging.setLogRecordFactory(SafeRecord)
    logging.basicConfig(level=level, format=FORMAT)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("engineio.server", "socketio.server"):
        # Without a level they would add handlers of their own, and everything stood there twice.
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_uncaught_in_thread


class SafeRecord(logging.LogRecord):
    """A log record whose message is one line, without secrets; an exception's traceback follows on further lines."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fault = self.exc_info[1] if self.exc_info else None
        self._message: str | None = None
        # Nobody writes it as it is.
        self.exc_info = None

    def getMessage(self) -> str:  # noqa: N802 - the name of the base class
        if self._message is None:
            told = [] if self._fault is None else described(self._fault)
            self._message = "\n".join([safe(self._formatted()), *told])
        return self._message

    def _formatted(self) -> str:
        try:
            return super().getMessage()
        except (TypeError, ValueError, KeyError):
            # Python would write message and arguments as they are to standard error.
            return f"{self.msg} {self.args}"


def safe(text: str) -> str:
    """Return a text for the log: without secrets, on one line, unless a library has put a traceback into it."""
    found = BEFORE_A_TRACEBACK.match(text)
    if not found:
        return _line(text)
    return INDENT.join([found[1], *map(_line, text[found.end() :].rstrip("\n").split("\n"))])


def escaped(text: str) -> str:
    r"""Return a text without control characters: `\n` for a new line, as Python's `repr` has it."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def described(fault: BaseException) -> list[str]:
    """Return the lines of an exception's traceback, its causes first; what each says is one line."""
    lines: list[str] = []
    for one in _chain(fault):
        frames = "".join(traceback.format_tb(one.__traceback__)).rstrip("\n").split("\n")
        said = "".join(traceback.format_exception_only(one)).rstrip("\n")
        lines += [TRACEBACK, *map(escaped, frames), _line(said)]
    return lines


def _line(text: str) -> str:
    told = escaped(redacted(text))
    return told if len(told) <= MAX_CHARACTERS else f"{told[:MAX_CHARACTERS]} …"


def _chain(fault: BaseException, seen: frozenset[int] = frozenset()) -> Iterator[BaseException]:
    """Yield the exceptions that led to this one, then this one, then those of its group."""
    if id(fault) in seen:
        return
    seen |= {id(fault)}
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    if before is not None:
        yield from _chain(before, seen)
    yield fault
    for one in fault.exceptions if isinstance(fault, BaseExceptionGroup) else ():
        yield from _chain(one, seen)


def _log_uncaught(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        log.critical("uncaught exception", exc_info=(kind, fault, trace))
    else:
        sys.__excepthook__(kind, fault, trace)


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    log.error("%s: %r", unraisable.err_msg or "exception ignored", unraisable.object, exc_info=unraisable.exc_value)


def _log_uncaught_in_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        name = ended.thread.name if ended.thread else "?"
        log.critical("uncaught exception in the thread %s", name, exc_info=ended.exc_value)
