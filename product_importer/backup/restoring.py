"""Restore a backup into an empty database, with its uploaded files."""

import zipfile
from pathlib import Path

from alembic.script import ScriptDirectory

from product_importer import migrations
from product_importer.backup import databases, programs
from product_importer.backup.archive import DATABASE, UPLOADS, Manifest, opened
from product_importer.core.embedded.files import ServiceError
from product_importer.core.embedded.servers import database_url
from product_importer.core.storage import storage


def restore(path: Path) -> Manifest:
    """Restore a backup, bring its schema up to date, and return what it held.

    Raises:
        ServiceError: it is no backup, is damaged or from a newer version; or the database is not empty.
        StorageError: the uploaded files cannot be stored.
    """
    with opened(path) as (archive, manifest):
        _require_known(manifest)
        with databases.connected(database_url()) as connection:
            databases.require_free(connection)
            connection.rollback()
            _store_uploads(archive, manifest)
            with archive.open(DATABASE) as dump:
                programs.restore(dump, connection)
            require_rows(databases.count_rows(connection), manifest.rows)
            connection.rollback()
    migrations.migrate()
    return manifest


def require_rows(found: dict[str, int], expected: dict[str, int]) -> None:
    """Compare the numbers of rows by table.

    Raises:
        ServiceError: one differs.
    """
    for table, rows in expected.items():
        if found.get(table) != rows:
            raise ServiceError(f"the table “{table}” has {found.get(table)} rows in place of {rows}")


def _require_known(manifest: Manifest) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(migrations.config()).walk_revisions()}
    if manifest.revision not in known:
        raise ServiceError(
            f"the backup was made by version {manifest.version}, whose schema {manifest.revision} this version does"
            " not know: restore it with that version or a newer one"
        )


def _store_uploads(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Store the uploaded files. They have names of their own, so nothing is replaced."""
    for key in manifest.uploads:
        writer = storage().writer(key)
        try:
            with archive.open(UPLOADS + key) as source:
                while chunk := source.read(1 << 20):
                    writer.write(chunk)
        except BaseException:
            writer.abort()
            raise
        writer.commit()
