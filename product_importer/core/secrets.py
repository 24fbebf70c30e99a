"""Encrypt secrets before they are stored, and decrypt them: with the keys of `SECRET_KEY`, or one kept in `DATA_DIR`.

An encrypted secret is `fernet:`, the id of its key, `:` and a Fernet token. Any other text is a secret that is stored
as it is. The id tells in SQL which secrets the first key did not encrypt.
"""

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from product_importer.core.embedded.files import ServiceError, make_data_folder
from product_importer.core.settings import settings
from product_importer.core.settings.secret_keys import fernet_key, key_id, split_keys

PREFIX = "fernet:"
KEY_FILE = "secret.key"


class SecretUnreadable(Exception):
    """No key opens an encrypted secret. The message says what to do."""


class Keyring:
    """The keys of a process. The first encrypts, all decrypt; without a key, secrets are stored as they are."""

    def __init__(self, texts: Sequence[str]) -> None:
        keys = [fernet_key(text) for text in texts]
        self.ids = [key_id(key) for key in keys]
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    @property
    def prefix(self) -> str:
        """What every secret begins with that is stored now."""
        return f"{PREFIX}{self.ids[0]}:" if self.ids else ""

    def encrypt(self, secret: str) -> str:
        """Return a secret as it is stored."""
        if self._fernet is None:
            return secret
        return self.prefix + self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """Return a stored secret.

        Raises:
            SecretUnreadable: no key opens it.
        """
        if not stored.startswith(PREFIX):
            return stored
        if self._fernet is None:
            raise SecretUnreadable("the webhook's secret is encrypted, and SECRET_KEY is not set: set it and restart")
        try:
            # Also a text that is not ASCII is no token.
            return self._fernet.decrypt(stored.rpartition(":")[2]).decode()
        except (InvalidToken, ValueError):
            raise SecretUnreadable(
                "no key opens the webhook's secret: add the key that encrypted it to SECRET_KEY and restart, or give"
                " the webhook a new secret"
            ) from None


@lru_cache
def keyring() -> Keyring:
    """Return the keys of this process.

    Raises:
        ServiceError: the key in `DATA_DIR` can be neither read nor made.
    """
    return Keyring(_texts())


def prepare() -> None:
    """Read the keys, or make one. Called at the start, which a missing key stops.

    Raises:
        ServiceError: `SECRET_KEY` is needed and not set, or the key in `DATA_DIR` can be neither read nor made.
    """
    if settings().signs_in and settings().database_url and settings().secret_key is None:
        raise ServiceError(
            "SECRET_KEY is not set, and is needed where people sign in and DATABASE_URL is set: use the output of"
            " `openssl rand -hex 32`, the same for web processes and workers"
        )
    keyring()


def _texts() -> list[str]:
    """Return the texts of the keys, of which the first encrypts."""
    secret_key = settings().secret_key
    given = [] if secret_key is None else split_keys(secret_key.get_secret_value())
    if settings().database_url:
        return given
    # The key of the time before `SECRET_KEY` was set still decrypts.
    return given + _own_keys(settings().data_dir / KEY_FILE, needs_one=not given)


def _own_keys(path: Path, needs_one: bool) -> list[str]:
    """Return the one key in a file; without a file make it, or return none unless `needs_one`."""
    try:
        if not path.exists():
            if not needs_one:
                return []
            _make_key(path)
        [key] = split_keys(path.read_text())
    except OSError as error:
        raise ServiceError(
            f"the key that encrypts secrets cannot be kept in DATA_DIR, change its owner or set SECRET_KEY: {error}"
        ) from error
    except ValueError as error:
        raise ServiceError(
            f"{path} does not hold one key: restore it from a backup, or remove it and give all webhooks new secrets"
        ) from error
    return [key]


def _make_key(path: Path) -> None:
    """Write a new key to a file, unless another process does so at the same time; the file is complete at once."""
    make_data_folder(path.parent)
    # Readable by its owner only.
    descriptor, draft = tempfile.mkstemp(prefix=f".{KEY_FILE}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()
