"""Choose the directories of the embedded servers' Unix sockets."""

import hashlib
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from product_importer.core.embedded.files import Server, ServiceError

# The system's limit is 107 bytes on Linux and 103 on macOS.
MAX_PATH = 100
# Not TMPDIR, so that every process gets the same result, whatever its environment.
TEMPORARY = Path("/tmp")  # noqa: S108 - the directory in it is private and its owner is checked
# libpq splits a host at commas, and Alembic's configuration interpolates %.
PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


def socket_directory(home: Path, data_dir: Path, name: str) -> Path:
    """Return the private directory for the socket `name`: in `home`, or in /tmp if that path is too long or unusual.

    Raises:
        ServiceError: the directory in /tmp belongs to another user.
    """
    beside = home / "socket"
    if len(os.fsencode(beside / name)) <= MAX_PATH and PLAIN.fullmatch(str(beside)):
        return beside
    identity = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    directory = TEMPORARY / f"product-importer-{data_dir.stat().st_uid}-{identity}"
    _require_private(directory, data_dir)
    return directory


def remove_socket_directory(server: Server) -> None:
    """Remove the directory in /tmp of a server that has stopped."""
    # It is not empty if the server was killed, and does not exist if `DATA_DIR` was removed meanwhile.
    with suppress(OSError):
        if server.socket.parent.parent == TEMPORARY:
            server.socket.parent.rmdir()


def _require_private(directory: Path, data_dir: Path) -> None:
    """Refuse a directory of another user, who could put a socket there and read what we send."""
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return
    trusted = {os.geteuid(), data_dir.stat().st_uid, _server_uid(data_dir)}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in trusted or found.st_mode & 0o077:
        raise ServiceError(
            f"{directory} is not a private directory of this application: remove it,"
            " or set DATA_DIR to a folder with a shorter, plain path"
        )


def _server_uid(data_dir: Path) -> int:
    """Return the owner of PostgreSQL's data; for root this is not the owner of `DATA_DIR`."""
    try:
        return (data_dir / "postgres" / "data").stat().st_uid
    except OSError:
        return os.geteuid()
