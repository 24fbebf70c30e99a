"""Make a backup: one state of the database and the uploaded files that it needs, while the application runs."""

import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from psycopg2.extensions import connection as PgConnection

from product_importer import __version__
from product_importer.backup import databases, programs
from product_importer.backup.archive import DATABASE, MANIFEST, UPLOADS, Manifest, created, member
from product_importer.core.embedded.files import ServiceError
from product_importer.core.embedded.servers import database_url
from product_importer.core.storage import ObjectNotFound, opened

# An undo or the text index may drop a table of its own just before pg_dump locks it.
ATTEMPTS = 3


def back_up(path: Path) -> Manifest:
    """Write a backup to `path`, and return what it holds.

    Raises:
        ServiceError: the database is empty, pg_dump fails, or the file cannot be written.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with databases.connected(database_url()) as connection, created(path) as archive:
                return _write(connection, archive)
        except ServiceError as error:
            if attempt == ATTEMPTS or "does not exist" not in str(error):
                raise
    raise AssertionError("unreachable")


def _write(connection: PgConnection, archive: zipfile.ZipFile) -> Manifest:
    with databases.snapshot(connection) as snapshot:
        revision = databases.revision(connection)
        # The files first: the database takes longer, and an import's retention may delete one meanwhile.
        uploads = list(_add_uploads(archive, sorted(databases.storage_keys(connection))))
        with programs.dumped(connection, snapshot) as dump, member(archive, DATABASE) as target:
            programs.copy(dump, target)
        manifest = Manifest(
            version=__version__,
            revision=revision,
            server_version=connection.server_version,
            created_at=datetime.now(UTC),
            rows=databases.count_rows(connection),
            uploads=uploads,
            key_ids=databases.secret_key_ids(connection),
        )
    archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


def _add_uploads(archive: zipfile.ZipFile, keys: Iterable[str]) -> Iterable[str]:
    """Add uploaded files to the archive, and yield the keys of those that are still there."""
    for key in keys:
        try:
            with opened(key) as source, member(archive, UPLOADS + key) as target:
                programs.copy(source, target)
        except ObjectNotFound:
            continue
        yield key
