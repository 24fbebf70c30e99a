"""The commands `backup`, `restore` and `move`."""

import shlex
from pathlib import Path

from pydantic import ValidationError

from product_importer.backup import making, moving, restoring
from product_importer.commands import output
from product_importer.core import secrets
from product_importer.core.logging.logs import escaped
from product_importer.core.settings import Settings, settings


def back_up(file: str) -> None:
    """Write a backup, and say what it holds and what it lacks."""
    output.check(file)
    manifest = making.back_up(Path(file))
    print(f"{_held(manifest.rows, len(manifest.uploads))} are in {escaped(file)}.")
    if manifest.key_ids:
        print(f"Not in it: the key of the webhooks' secrets. Keep it apart from the backup: {_key_place()}.")


def restore(file: str) -> None:
    """Restore a backup, and say what is there now."""
    manifest = restoring.restore(Path(file))
    print(f"{_held(manifest.rows, len(manifest.uploads))} were restored.")
    lost = sorted(set(manifest.key_ids) - set(secrets.keyring().ids))
    if lost:
        print(
            f"The webhooks' secrets cannot be read: their key ({', '.join(lost)}) is missing. Put the key of the"
            f" backup's time into {_key_place()}, or give each webhook a new secret."
        )


def move(to: str) -> None:
    """Move to another server, and say which settings to change."""
    rows = moving.move(_database_url(to))
    print(f"{_held(rows, None)} were copied. The old database is as before. Start with these settings from now on:")
    print("  DATABASE_URL=the URL that you gave")
    print("  REDIS_URL=a Redis or Valkey server of yours (nothing has to be copied there)")
    print(f"  UPLOAD_DIR={shlex.quote(settings().uploads)}")
    if settings().secret_key is None and not settings().database_url:
        print(f"  SECRET_KEY=the content of {settings().data_dir / secrets.KEY_FILE}")


def _database_url(given: str) -> str:
    """Return a URL as `DATABASE_URL` takes it.

    Raises:
        SystemExit: it is none; the message is one line.
    """
    try:
        checked = Settings.model_validate(settings().model_dump() | {"database_url": given})
    except ValidationError as error:
        raise SystemExit(f"product-importer: --to {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    return checked.database_url or ""


def _held(rows: dict[str, int], uploads: int | None) -> str:
    counts = [("product", rows["product"]), ("import", rows["import_job"])]
    counts += [] if uploads is None else [("uploaded file", uploads)]
    *first, last = (f"{number:,} {what}{'' if number == 1 else 's'}" for what, number in counts)
    return f"{', '.join(first)} and {last}"


def _key_place() -> str:
    return "SECRET_KEY" if settings().database_url else str(settings().data_dir / secrets.KEY_FILE)
