"""The file of a backup: a zip of a manifest, the database as SQL, and the uploaded files."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from product_importer.core import db
from product_importer.core.embedded.files import ServiceError

MANIFEST, DATABASE, UPLOADS = "manifest.json", "database.sql", "uploads/"
MAX_MANIFEST_BYTES = 16 << 20
# As imports and drafts make them; nothing else becomes a path.
STORAGE_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.csv")

TableName = Annotated[str, StringConstraints(pattern=rf"^{db.IDENTIFIER.pattern}$")]


class Manifest(BaseModel):
    """What a backup holds. `rows` has the number of rows by table, `key_ids` which keys encrypted secrets in it."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    version: str
    revision: str
    server_version: int
    created_at: datetime
    rows: dict[TableName, int]
    uploads: list[str]
    key_ids: list[str]


@contextmanager
def created(path: Path) -> Iterator[zipfile.ZipFile]:
    """Give a new archive, which appears under its name when the block ends; only its owner can read it.

    Raises:
        ServiceError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            yield archive
        partial.replace(path)
    except OSError as error:
        raise ServiceError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Return a new member of an archive, to write to; it may be larger than 4 GiB."""
    return archive.open(name, "w", force_zip64=True)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Give an archive and what it says of itself, after all of it was checked.

    Raises:
        ServiceError: it cannot be read, is damaged, or is no backup.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, path)
            damaged = archive.testzip()
            if damaged:
                raise ServiceError(f"{path} is damaged: “{damaged}” is not as it was written")
            yield archive, manifest
    except OSError as error:
        raise ServiceError(f"{path} cannot be read: {error.strerror}") from error
    except zipfile.BadZipFile as error:
        raise ServiceError(f"{path} is no backup, or is damaged: {error}") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        if archive.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
            raise ServiceError(f"{path} is no backup: its {MANIFEST} is too large")
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
        for name in (DATABASE, *(UPLOADS + key for key in manifest.uploads)):
            archive.getinfo(name)
    except KeyError as error:
        raise ServiceError(f"{path} is no backup: {error.args[0]}") from None
    except ValidationError as error:
        raise ServiceError(f"{path} is no backup of this version: {error.errors()[0]['msg']}") from None
    strange = next((key for key in manifest.uploads if not STORAGE_KEY.fullmatch(key)), None)
    if strange is not None:
        raise ServiceError(f"{path} is no backup: “{strange[:60]}” is not the name of an uploaded file")
    return manifest
