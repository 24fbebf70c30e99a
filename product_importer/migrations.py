"""Migrate the database's schema, and check whether it is up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from product_importer.access import models as access_models
from product_importer.catalog import models as catalog_models
from product_importer.catalog.models import SEGMENT_PREFIX
from product_importer.core import db, outbox
from product_importer.core.embedded.servers import ServiceError
from product_importer.imports import draft_models
from product_importer.imports import models as import_models
from product_importer.imports.pipeline import dry_run, undo
from product_importer.webhooks import models as webhook_models

ROOT = Path(__file__).resolve().parent.parent

# All modules that define tables: importing them fills the metadata.
MODELS = (access_models, catalog_models, draft_models, import_models, outbox, webhook_models)
METADATA = SQLModel.metadata
# Prefixes of tables that are created at run time.
PREFIXES = (SEGMENT_PREFIX, dry_run.PREFIX, undo.PREFIX)


def migrate(revision: str = "head") -> None:
    """Migrate the schema to `revision`. Idempotent, also when several processes do it at once.

    Raises:
        ServiceError: the database's encoding is not UTF8.
    """
    if revision == "head" and is_current():
        return
    _require_utf8()
    command.upgrade(config(), revision)


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


def is_current() -> bool:
    """Whether the database has all migrations of this version of the application."""
    with db.engine().connect() as connection:
        applied = MigrationContext.configure(connection).get_current_heads()
    return set(applied) == set(ScriptDirectory.from_config(config()).get_heads())


def config() -> Config:
    """Return Alembic's configuration, independent of the working directory."""
    return Config(ROOT / "alembic.ini")


def compares(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic compares an object with the models: all except tables that are created at run time."""
    return not (kind == "table" and name is not None and name.startswith(PREFIXES))
