"""Migrate the database's schema, beside a running application, and check whether this version can use it."""

import logging
import time
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg2.errors import DeadlockDetected, LockNotAvailable
from sqlalchemy import Connection, Text, inspect
from sqlalchemy.exc import OperationalError
from sqlmodel import Field, SQLModel, select

from product_importer.access import models as access_models
from product_importer.catalog import models as catalog_models
from product_importer.catalog.models import SEGMENT_PREFIX
from product_importer.core import db, outbox
from product_importer.core.embedded.servers import ServiceError
from product_importer.imports import draft_models
from product_importer.imports import models as import_models
from product_importer.imports.pipeline import dry_run, undo
from product_importer.webhooks import models as webhook_models

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
# A migration waits so long for a lock, and begins again after a pause; in all at most so long.
LOCK_SECONDS = 1
PAUSE_SECONDS = 2
MAX_LOCK_SECONDS = 600
TELL_SECONDS = 30
OLDEST_TRANSACTION = """
SELECT application_name, pid, EXTRACT(epoch FROM clock_timestamp() - xact_start) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1
"""

# All modules that define tables: importing them fills the metadata.
MODELS = (access_models, catalog_models, draft_models, import_models, outbox, webhook_models)
METADATA = SQLModel.metadata
# Prefixes of tables that are created at run time.
PREFIXES = (SEGMENT_PREFIX, dry_run.PREFIX, undo.PREFIX)


class State(StrEnum):
    """How the database's schema compares with this version of the application."""

    CURRENT = auto()
    OLDER = auto()
    # A newer version has migrated it, and this one may go on.
    NEWER = auto()
    TOO_NEW = auto()


@dataclass(frozen=True)
class Schema:
    """The migration that the database is at, and what that means for this version."""

    revision: str | None
    state: State

    @property
    def is_usable(self) -> bool:
        """Whether this version can run on it."""
        return self.state in (State.CURRENT, State.NEWER)

    def __str__(self) -> str:
        if self.state is State.CURRENT:
            return "up to date"
        if self.state is State.OLDER:
            return "the database's schema is not up to date"
        newer = f"the database's schema ({self.revision}) is that of a newer version"
        if self.state is State.NEWER:
            return f"{newer}, and this version can use it"
        return f"{newer}, and this version cannot use it any more: start the newer one"


class SchemaSupport(SQLModel, table=True):
    """One row: the oldest migration whose code may run on the schema; raised by migrations that remove something."""

    __tablename__ = "schema_support"

    oldest_revision: str = Field(sa_type=Text, primary_key=True)


def migrate(revision: str = "head") -> None:
    """Migrate the schema to `revision`, in one transaction for each migration. Idempotent, also at once.

    Raises:
        ServiceError: the database's encoding is not UTF8, its schema is too new, or a lock was not free in time.
    """
    schema = read_schema()
    if schema.state is State.TOO_NEW:
        raise ServiceError(str(schema))
    if schema.state is State.NEWER:
        _note_once(str(schema))
    if schema.state is not State.OLDER:
        return
    _require_utf8()
    for step in _steps(schema.revision, revision):
        _upgrade(step)


def _steps(applied: str | None, revision: str) -> list[str]:
    found = _scripts().iterate_revisions(revision, applied or "base")
    return [script.revision for script in found][::-1]


def _upgrade(revision: str) -> None:
    """Run one migration; begin again where a lock was not free, so that the application beside it goes on."""
    deadline = time.monotonic() + MAX_LOCK_SECONDS
    told_at = 0.0
    while True:
        try:
            return command.upgrade(config(), revision)
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
                raise
            waits = f"migration {revision} waits for other transactions{_oldest_transaction()}"
            if time.monotonic() > deadline:
                raise ServiceError(f"{waits}: end them, and start again") from error
            if time.monotonic() > told_at:
                log.warning("%s; nothing is blocked meanwhile, and it is tried again", waits)
                told_at = time.monotonic() + TELL_SECONDS
        time.sleep(PAUSE_SECONDS)


def _oldest_transaction() -> str:
    with db.engine().connect() as connection:
        found = connection.exec_driver_sql(OLDEST_TRANSACTION).first()
    if found is None:
        return ""
    name, pid, seconds = found
    return f" (the oldest is of “{name or 'unnamed'}”, process {pid} of PostgreSQL, {seconds:.0f} s old)"


@cache
def _note_once(said: str) -> None:
    log.warning("%s", said)


def _require_utf8() -> None:
    """Refuse a database of another encoding: an import and PostgreSQL must order keys alike, as bytes of UTF-8."""
    with db.engine().connect() as connection:
        name, encoding = connection.exec_driver_sql(
            "SELECT current_database(), current_setting('server_encoding')"
        ).one()
    if encoding != "UTF8":
        raise ServiceError(
            f"the database “{name}” has the encoding {encoding}, but only UTF8 works: dump it, create one with"
            " ENCODING 'UTF8' TEMPLATE template0, restore into it, and name it in DATABASE_URL"
        )


def read_schema() -> Schema:
    """Compare the database's schema with the migrations of this version."""
    scripts = _scripts()
    known = {script.revision for script in scripts.walk_revisions()}
    with db.engine().connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision == scripts.get_current_head():
            return Schema(revision, State.CURRENT)
        if revision is None or revision in known:
            return Schema(revision, State.OLDER)
        return Schema(revision, State.NEWER if _supported_since(connection) in known else State.TOO_NEW)


def _supported_since(connection: Connection) -> str | None:
    """Return the oldest migration whose code may run on a newer schema; None where it does not say."""
    if inspect(connection).has_table("schema_support"):
        return connection.scalar(select(SchemaSupport.oldest_revision))
    return None


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())


def config() -> Config:
    """Return Alembic's configuration, independent of the working directory."""
    return Config(ROOT / "alembic.ini")


def compares(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic compares an object with the models: all except tables that are created at run time."""
    return not (kind == "table" and name is not None and name.startswith(PREFIXES))
