"""The command `distribute`: make the table of products a distributed one of Citus (docs/decisions/0040)."""

from psycopg2.errors import InsufficientPrivilege, LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from product_importer import migrations
from product_importer.catalog import distributed
from product_importer.catalog.service import UNFINISHED_IMPORT
from product_importer.core import db, other_sessions
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.embedded.servers import ServiceError

LOCK_SECONDS = 5
BEGIN = text(f"SELECT pg_advisory_xact_lock({AdvisoryLock.MIGRATE}); SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
LOCK = text("LOCK TABLE product IN ACCESS EXCLUSIVE MODE")


def run() -> None:
    """Distribute the products over the nodes of Citus in one transaction, and say over how many.

    Raises:
        ServiceError: the schema is of another version, Citus is not there, others use the database, an import is
            unfinished, or the products are distributed already.
    """
    schema = migrations.read_schema()
    if schema.state is not migrations.State.CURRENT:
        raise ServiceError(f"{schema}: run `product-importer migrate` with this version first")
    # The sessions of the pool would count as others.
    db.engine().dispose()
    with Session(db.unpooled("product-importer distribute")) as session, session.begin():
        _refuse(session)
        _distribute(session)
        # One that has connected meanwhile would write as before.
        other_sessions.refuse(db.raw_connection(session))
        shards, nodes = session.execute(distributed.SHARDS).one()
    print(f"The products are in {shards} shards on {nodes} nodes. Start the application again.")


def _refuse(session: Session) -> None:
    session.execute(BEGIN)
    if distributed.is_distributed(db.raw_connection(session)):
        raise ServiceError("the products are distributed already")
    # Each finds out once whether triggers note changes.
    other_sessions.refuse(db.raw_connection(session))
    unfinished = session.execute(UNFINISHED_IMPORT).first()
    if unfinished is not None:
        raise ServiceError(
            f"the import “{unfinished.filename}” is {unfinished.state}: let it end, or cancel it, first"
        )
    if not session.scalar(distributed.HAS_CITUS):
        raise ServiceError(
            "the database has no extension citus: install Citus on all servers, load it by shared_preload_libraries,"
            " and run CREATE EXTENSION citus as a superuser"
        )
    if not session.scalar(distributed.NODES):
        raise ServiceError(
            "no node takes shards: run SELECT citus_set_coordinator_host('HOST') and, for each worker,"
            " SELECT citus_add_node('HOST', PORT) as a superuser"
        )


def _distribute(session: Session) -> None:
    try:
        session.execute(LOCK)
        with db.raw_connection(session).cursor() as cursor:
            distributed.reshape(cursor)
        session.execute(distributed.DISTRIBUTE)
    except DBAPIError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise ServiceError("another transaction uses the products: stop it, and try again") from error
        if isinstance(error.orig, InsufficientPrivilege):
            raise ServiceError(f"Citus refuses: {error.orig.diag.message_primary}") from error
        raise
