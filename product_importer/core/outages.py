"""Say what stopped a statement: PostgreSQL does not answer, or one transaction was in the way of another."""

from psycopg2 import errors
from sqlalchemy.exc import TimeoutError as PoolTimeout

from product_importer.core.db import TIMEOUT_SECONDS
from product_importer.core.errors import Unavailable, first_line

NO_ANSWER = "The database does not answer. Try again."
SILENT = "PostgreSQL does not answer"
# By the class of the error that the server reports.
REASONS: dict[type[Exception], str] = {
    errors.QueryCanceled: f"The database took longer than {TIMEOUT_SECONDS} s. Nothing was changed; try again.",
    errors.DeadlockDetected: "This and another change waited for each other (a deadlock), and the database stopped"
    " this one. Nothing was changed; try again.",
    errors.SerializationFailure: "Another change came first, and the database stopped this one. Nothing was changed;"
    " try again.",
    errors.LockNotAvailable: "Another change holds what this one needs. Nothing was changed; try again in a moment.",
    errors.ReadOnlySqlTransaction: "The database that answers only reads: a standby may be about to take over."
    " Nothing was changed; try again in a moment.",
    PoolTimeout: "All connections to the database are in use. Nothing was changed; try again in a moment.",
}
# Of several hosts, libpq reports each on a line of its own.
OF_A_HOST = "connection to server "


def unavailable(error: BaseException, no_answer: str = NO_ANSWER) -> Unavailable:
    """Return what stopped a statement, an error of SQLAlchemy or psycopg2, in words for people."""
    cause = getattr(error, "orig", None) or error
    return Unavailable(next((reason for kind, reason in REASONS.items() if isinstance(cause, kind)), no_answer))


def summary(error: BaseException) -> str:
    """Return what happened in one line for a log, with what libpq says of each host."""
    lines = [line[place:] for line in str(error).splitlines() if (place := line.find(OF_A_HOST)) >= 0]
    return "; ".join(lines) or first_line(error)


def title(error: BaseException) -> str:
    """Return in a few words what happened, for the beginning of a line of a log."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, errors.DeadlockDetected):
        return "a deadlock with another transaction"
    if isinstance(cause, errors.SerializationFailure | errors.LockNotAvailable):
        return "another transaction was in the way"
    return SILENT
