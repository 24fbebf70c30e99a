"""Where the embedded servers put their Unix sockets."""

import hashlib
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from product_importer.core.embedded.files import Server, ServiceError

# The system's limit is 107 bytes on Linux and 103 on macOS.
MAX_PATH = 100
# Not TMPDIR: every process has to come to the same answer, whatever its environment.
TEMPORARY = Path("/tmp")  # noqa: S108 - the directory in it is private and its owner is checked
# libpq takes a comma for a list of hosts, Alembic's configuration a % for a reference: keep clear of those.
PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


def socket_directory(home: Path, data_dir: Path, name: str) -> Path:
    """Return the private directory for the socket `name`: in `home`, or in /tmp when that path will not do.

    Raises:
        ServiceError: somebody else has made the directory in /tmp.
    """
    beside = home / "socket"
    if len(os.fsencode(beside / name)) <= MAX_PATH and PLAIN.fullmatch(str(beside)):
        return beside
    identity = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    directory = TEMPORARY / f"product-importer-{data_dir.stat().st_uid}-{identity}"
    _refuse_foreign(directory, data_dir)
    return directory


def remove_socket_directory(server: Server) -> None:
    """Leave nothing in /tmp behind a server that has stopped."""
    # Not empty: the server was killed and left its socket. Not there: `DATA_DIR` has been removed meanwhile.
    with suppress(OSError):
        if server.socket.parent.parent == TEMPORARY:
            server.socket.parent.rmdir()


def _refuse_foreign(directory: Path, data_dir: Path) -> None:
    """Whoever owned the directory could put a socket of his own there and read what we send."""
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
    """Return the owner of PostgreSQL's data, which is not the owner of `DATA_DIR` when root runs us."""
    try:
        return (data_dir / "postgres" / "data").stat().st_uid
    except OSError:
        return os.geteuid()
