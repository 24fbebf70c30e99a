"""The database's schema: bringing it up to date, and telling whether it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from product_importer.catalog import models as catalog_models
from product_importer.catalog.models import SEGMENT_PREFIX
from product_importer.core import db, outbox
from product_importer.imports import models as import_models
from product_importer.imports.pipeline import dry_run, staging_table, undo
from product_importer.webhooks import models as webhook_models

ROOT = Path(__file__).resolve().parent.parent

# Every module that defines tables, so that the metadata holds them all.
MODELS = (catalog_models, import_models, outbox, webhook_models)
METADATA = SQLModel.metadata
# What begins the names of tables that are made at run time.
PREFIXES = (SEGMENT_PREFIX, staging_table.PREFIX, dry_run.PREFIX, undo.PREFIX)


def migrate(revision: str = "head") -> None:
    """Bring the schema up to `revision`; doing so twice, or from two processes at once, is harmless."""
    if revision == "head" and is_current():
        return
    command.upgrade(config(), revision)


def is_current() -> bool:
    """Whether the database has every migration that this version of the application knows."""
    with db.engine().connect() as connection:
        applied = MigrationContext.configure(connection).get_current_heads()
    return set(applied) == set(ScriptDirectory.from_config(config()).get_heads())


def config() -> Config:
    """Return Alembic's configuration, wherever the process was started."""
    return Config(ROOT / "alembic.ini")


def compares(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic compares a thing in the database with the models: tables made at run time it does not."""
    return not (kind == "table" and name is not None and name.startswith(PREFIXES))
