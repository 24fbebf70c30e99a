"""PostgreSQL: the connection pool, transactions and composed statements."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

import psycopg2
from psycopg2 import sql
from psycopg2.errors import DeadlockDetected, ReadOnlySqlTransaction, SerializationFailure
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import new_type, register_type
from pydantic import TypeAdapter
from pydantic_core import from_json
from sqlalchemy import Connection, CursorResult, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlmodel import Session, SQLModel

from product_importer.core.embedded import servers

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MAX_RETRIES = 3
# What SQLAlchemy raises while PostgreSQL is away, and how long to wait before asking it again.
OUTAGE = (OperationalError, InterfaceError, PoolTimeout)
OUTAGE_SECONDS = 2
LOST = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    ReadOnlySqlTransaction,
    OperationalError,
    InterfaceError,
)
# As many connections a process has at most.
MAX_CONNECTIONS = 20
# Connections that rested for longer are asked whether they still are one: a quarter of the time of a short read.
REST_SECONDS = 1.0
# No request takes nearly this long. A transaction that may take longer sets its own limit with SET LOCAL. One that
# should take less begins with this execution option, in seconds.
TIMEOUT_SECONDS = 30
LIMIT_OPTION = "statement_seconds"
# With this execution option each statement is a transaction by itself, in one message with its limits.
ALONE_OPTION = "statements_alone"
# The names of our tables and columns. User input is never used as one.
IDENTIFIER = re.compile("[a-z][a-z0-9_]*")

# Name constraints by rule, so that migrations can drop them by name.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLAlchemy has psycopg2 call `uuid.UUID`, which takes five times as long.
READ_UUID = TypeAdapter(UUID).validator.validate_python
UUID_TYPE = new_type((2950,), "UUID", lambda text, _: text and READ_UUID(text))

SUPERUSER = "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = session_user"

# A host that vanished is noticed after about half a minute, not after two hours, or after a quarter of an hour where
# something was being sent to it. A URL may say something else, but for the name.
CONNECT_ARGS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
APPLICATION_NAME = "product-importer"


@lru_cache
def engine() -> Engine:
    """Return this process's pool of connections, on which no statement runs for longer than `TIMEOUT_SECONDS`.

    Dispose of it before a fork: connections must not be shared between processes.
    """
    # No overflow: its connections would be made and closed for each transaction.
    pooled = _made_engine(pool_size=MAX_CONNECTIONS, max_overflow=0, pool_timeout=10)
    event.listen(pooled, "begin", _set_up_transaction)
    event.listen(pooled, "before_cursor_execute", _set_up_statement, retval=True)
    event.listen(pooled, "checkin", _note_use)
    event.listen(pooled, "checkout", _ping_after_rest)
    return pooled


def _made_engine(application_name: str = APPLICATION_NAME, **options: Any) -> Engine:
    url = make_url(servers.database_url())
    defaults = {name: value for name, value in CONNECT_ARGS.items() if name not in url.query}
    arguments = {**defaults, "application_name": application_name}
    # Each product has a JSON value: Python's own reader would take a tenth of the time of a list.
    made = create_engine(url, connect_args=arguments, hide_parameters=True, json_deserializer=from_json, **options)
    event.listen(made, "connect", _read_uuids_quickly)
    event.listen(made, "handle_error", _convert_lost_connection)
    return made


def _read_uuids_quickly(connection: PgConnection, _: object) -> None:
    register_type(UUID_TYPE, connection)


def _set_up_transaction(connection: Connection) -> None:
    # For each transaction: behind a pooler the next one may run in another session. Compiling a plan with LLVM may
    # take half a second, and our statements do not gain that much.
    options = connection.get_execution_options()
    if not options.get(ALONE_OPTION):
        limit = f"{options.get(LIMIT_OPTION, TIMEOUT_SECONDS)}s"
        connection.exec_driver_sql("SET LOCAL statement_timeout = %s; SET LOCAL jit = off", (limit,))


def _set_up_statement(
    connection: Connection, _: object, statement: str, parameters: Any, *__: object
) -> tuple[str, Any]:
    """Begin the message of a statement that is alone with its limits: PostgreSQL runs it as one transaction."""
    options = connection.get_execution_options()
    if not options.get(ALONE_OPTION):
        return statement, parameters
    limit = {"statement_limit": f"{options.get(LIMIT_OPTION, TIMEOUT_SECONDS)}s"}
    limited = f"SET LOCAL statement_timeout = %(statement_limit)s; SET LOCAL jit = off; {statement}"
    return limited, {**parameters, **limit}


def _note_use(connection: PgConnection | None, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()
    # None where the connection was lost.
    if connection is not None and connection.autocommit:
        try:
            connection.autocommit = False
        except psycopg2.Error as error:
            # An error here would keep the connection's place in the pool for ever.
            record.invalidate(error)


def _ping_after_rest(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
    """Have lost connections replaced, as `pool_pre_ping` does; one that has just been used needs no ping."""
    dialect = engine().dialect
    if time.monotonic() - record.info.get("used", time.monotonic()) < REST_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except psycopg2.Error as error:
        if dialect.is_disconnect(error, None, None):
            raise InvalidatePoolError from error
        raise


def _convert_lost_connection(context: ExceptionContext) -> None:
    """Raise OperationalError for every lost connection: psycopg2 raises a plain DatabaseError if the server dies.

    A server that only reads has lost its role: the next connection may find the one that has it.
    """
    error = context.original_exception
    if isinstance(error, ReadOnlySqlTransaction):
        context.is_disconnect = True
    if context.is_disconnect and is_lost(error):
        raise OperationalError(
            context.statement, None, error, hide_parameters=True, connection_invalidated=True
        ) from error


def is_lost(error: BaseException) -> bool:
    """Whether the error means that PostgreSQL went away; what the server itself reports has more specific classes."""
    return isinstance(error, LOST) or type(error) is psycopg2.DatabaseError


def worker_pool() -> Engine:
    """Return a pool for one job of a worker, whose statements may take long; dispose of it after the job.

    It may be connected before the job is known: `name_connections` then names what it has.
    """
    # No limit: the job itself has one.
    return _made_engine(pool_size=0, pool_pre_ping=True)


def name_connections(engine: Engine, application_name: str) -> None:
    """Name the connections of a pool in PostgreSQL, also those that are open already."""

    def checked_out(connection: PgConnection, record: Any, _: object) -> None:
        if record.info.get("name") != application_name:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT set_config('application_name', %s, false)", (application_name,))
            record.info["name"] = application_name

    event.listen(engine, "checkout", checked_out)


def superuser_warning() -> str | None:
    """Return a warning if `DATABASE_URL` names a superuser, who could run programs and read files; otherwise None."""
    with engine().connect() as connection:
        role, is_superuser = connection.exec_driver_sql(SUPERUSER).one()
    if not is_superuser:
        return None
    return (
        f"the role “{role}” is a superuser of PostgreSQL; a plain role that owns its database is enough:"
        " name one in DATABASE_URL"
    )


def unpooled(application_name: str) -> Engine:
    """Return an engine without a pool, for one long transaction; `application_name` names its connection."""
    return _made_engine(application_name, poolclass=NullPool)


@contextmanager
def session() -> Iterator[Session]:
    """Open one transaction: committed at the end of the block, rolled back when it raises."""
    with Session(engine(), expire_on_commit=False) as opened, opened.begin():
        yield opened


def read_alone(session: Session, seconds: float) -> None:
    """Let each statement of a session be a transaction by itself, in one message to PostgreSQL instead of four.

    It must be the first use of the session, and its statements only read.
    """
    session.connection(execution_options={ALONE_OPTION: True, LIMIT_OPTION: seconds})
    connection = raw_connection(session)
    # psycopg2 sends the default of an isolation level that was set before, now and when the connection is returned.
    connection.isolation_level = None
    connection.autocommit = True


def raw_connection(session: Session) -> PgConnection:
    """Return the session's psycopg2 connection, in the same transaction, for composed SQL."""
    connection: Any = session.connection().connection.driver_connection
    return connection


def identifier(name: str) -> sql.Composable:
    """Quote the name of one of our tables or columns for a composed statement.

    Raises:
        ValueError: it is not a name of ours; psycopg2 would take a `%` in it for a parameter.
    """
    if not IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of one of our tables or columns")
    return sql.Identifier(name)


def execute(
    session: Session, statement: sql.Composable, parameters: dict[str, Any] | None = None
) -> CursorResult[Any]:
    """Run a composed statement in the session's transaction; with parameters, a `%` of its own is written twice."""
    return session.connection().exec_driver_sql(statement.as_string(raw_connection(session)), parameters)


def run(
    service: Callable[Concatenate[Session, Parameters], Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """Call `service(session, …)` in its own transaction and return its result.

    After a deadlock or a serialization failure, the call is repeated: the first transaction was rolled back.
    """
    for _ in range(MAX_RETRIES):
        try:
            with session() as opened:
                return service(opened, *args, **kwargs)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                raise
    with session() as opened:
        return service(opened, *args, **kwargs)
