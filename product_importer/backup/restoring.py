"""Restore a backup into an empty database, with its uploaded files."""

import zipfile
from pathlib import Path

from alembic.script import ScriptDirectory
from psycopg2.extensions import connection as PgConnection

from product_importer import migrations
from product_importer.backup import databases, programs
from product_importer.backup.archive import DATABASE, UPLOADS, Manifest, opened
from product_importer.core.embedded.files import ServiceError
from product_importer.core.embedded.servers import database_url
from product_importer.core.storage import storage


def restore(path: Path) -> Manifest:
    """Restore a backup, bring its schema up to date, and return what it held.

    Raises:
        ServiceError: it is no backup, is damaged or from a newer version; the database is not empty; or psql
            fails.
        StorageError: the uploaded files cannot be stored.
    """
    with opened(path) as (archive, manifest):
        _require_known(manifest)
        with databases.connected(database_url()) as connection:
            databases.require_free(connection)
            connection.rollback()
            _restore(archive, manifest, connection)
    migrations.migrate()
    return manifest


def _require_known(manifest: Manifest) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(migrations.config()).walk_revisions()}
    if manifest.revision not in known:
        raise ServiceError(
            f"the backup was made by version {manifest.version}, whose schema {manifest.revision} this version does"
            " not know: restore it with that version or a newer one"
        )


def _restore(archive: zipfile.ZipFile, manifest: Manifest, connection: PgConnection) -> None:
    """Restore the uploaded files and the database, or nothing."""
    held = set(storage().keys())
    try:
        with archive.open(DATABASE) as dump, programs.restored(dump, connection, manifest.rows):
            for key in manifest.uploads:
                _store_upload(archive, key)
    except BaseException:
        # What was there before may be another installation's, too.
        for key in set(manifest.uploads) - held:
            storage().delete(key)
        raise


def _store_upload(archive: zipfile.ZipFile, key: str) -> None:
    writer = storage().writer(key)
    try:
        with archive.open(UPLOADS + key) as source:
            while chunk := source.read(1 << 20):
                writer.write(chunk)
    except BaseException:
        writer.abort()
        raise
    writer.commit()
