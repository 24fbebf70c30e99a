"""The PostgreSQL engine and the one way to a transaction."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg2
from psycopg2 import sql
from psycopg2.errors import DeadlockDetected, SerializationFailure
from psycopg2.extensions import connection as PgConnection
from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool
from sqlmodel import Session, SQLModel

from product_importer.core.embedded import servers

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

RETRIES = 3
# What SQLAlchemy raises while PostgreSQL is away, and how long to wait before asking it again.
OUTAGE = (OperationalError, InterfaceError, PoolTimeout)
OUTAGE_SECONDS = 2
LOST = (psycopg2.OperationalError, psycopg2.InterfaceError, OperationalError, InterfaceError)
# Nothing that answers a request takes nearly as long; what may take longer says so by its own SET LOCAL.
TIMEOUT_SECONDS = 30
# The tables and columns that we make. Nothing from outside is ever one of them.
OUR_NAME = re.compile("[a-z][a-z0-9_]*")

# Names for constraints, so that a migration can name what it drops.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

SUPERUSER = "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = session_user"

# A host that vanished is noticed within about half a minute instead of two hours.
CONNECT_ARGS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "application_name": "product-importer",
}


@lru_cache
def engine() -> Engine:
    """Return this process's pool of connections, on which no statement runs for longer than `TIMEOUT_SECONDS`.

    It must not be carried across a fork: see `unpooled`.
    """
    pooled = create_engine(
        servers.database_url(),
        connect_args=CONNECT_ARGS,
        pool_size=10,
        max_overflow=10,
        pool_timeout=10,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    event.listen(pooled, "begin", _set_up)
    event.listen(pooled, "handle_error", _name_lost_connection)
    return pooled


def _set_up(connection: Connection) -> None:
    # For the transaction only: a setting of the session would not survive a pooler. A server with LLVM may take half
    # a second to compile a plan, which no statement of ours is worth.
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'; SET LOCAL jit = off")


def _name_lost_connection(context: ExceptionContext) -> None:
    """Raise what every lost connection is: psycopg2 has no class for a server that dies while it answers."""
    error = context.original_exception
    if context.is_disconnect and is_lost(error):
        raise OperationalError(
            context.statement, None, error, hide_parameters=True, connection_invalidated=True
        ) from error


def is_lost(error: BaseException) -> bool:
    """Whether PostgreSQL went away: what the server itself says always comes as a more special class."""
    return isinstance(error, LOST) or type(error) is psycopg2.DatabaseError


def needless_powers() -> str | None:
    """Say so where `DATABASE_URL` names a superuser, whose every statement could run programs and read files."""
    with engine().connect() as connection:
        role, is_superuser = connection.exec_driver_sql(SUPERUSER).one()
    if not is_superuser:
        return None
    return (
        f"the role “{role}” is a superuser of PostgreSQL; let DATABASE_URL name a plain role that owns its database,"
        " which is enough"
    )


def unpooled(application_name: str) -> Engine:
    """Return an engine whose every connection is new and named, for the worker's own transactions."""
    arguments = {**CONNECT_ARGS, "application_name": application_name}
    engine = create_engine(servers.database_url(), connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "handle_error", _name_lost_connection)
    return engine


@contextmanager
def session() -> Iterator[Session]:
    """Open one transaction: committed at the end of the block, rolled back when it raises."""
    with Session(engine(), expire_on_commit=False) as opened, opened.begin():
        yield opened


def raw_connection(session: Session) -> PgConnection:
    """Return psycopg2's connection under a session, for SQL that is composed: the same transaction."""
    connection: Any = session.connection().connection.driver_connection
    return connection


def identifier(name: str) -> sql.Composable:
    """Return the name of one of our tables or columns as a part of a statement.

    Raises:
        ValueError: it is not a name that we make. psycopg2 would take a `%` in it for a parameter.
    """
    if not OUR_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a table or column of ours")
    return sql.Identifier(name)


def execute(session: Session, statement: sql.Composable) -> CursorResult[Any]:
    """Run a composed statement without parameters in the session's transaction."""
    return session.connection().exec_driver_sql(statement.as_string(raw_connection(session)))


def run(
    service: Callable[Concatenate[Session, Parameters], Result],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> Result:
    """Call `service(session, …)` in a transaction of its own and return its result.

    A transaction that PostgreSQL chose to end in favour of another is begun again: nothing of it has happened.
    """
    for _ in range(RETRIES):
        try:
            with session() as opened:
                return service(opened, *args, **kwargs)
        except OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected | SerializationFailure):
                raise
    with session() as opened:
        return service(opened, *args, **kwargs)
