"""Make a full disk: a small tmpfs where the system allows it, else a limit on the size of files."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

DISK_BYTES = 1024 * 1024
# A separate mount namespace: no other process sees the disk, and it is removed with the last process in it.
MOUNT = 'mount -t tmpfs -o size=$1,mode=700 tmpfs "$2" && shift 2 && exec "$@"'
LIMIT = "import os, resource as r, sys; r.setrlimit(r.RLIMIT_FSIZE, (%d, %d)); os.execv(sys.argv[1], sys.argv[1:])"


def on_small_disk(folder: Path) -> tuple[str, list[str]]:
    """Return the kind of disk, and the words before a command that limit its `folder` to a megabyte."""
    for kind, options in (("a tmpfs, mounted as root", ["-m"]), ("a tmpfs in a user name space", ["-Urm"])):
        words = ["unshare", *options, "sh", "-c", MOUNT, "sh", str(DISK_BYTES), str(folder)]
        if (os.geteuid() == 0 or "U" in options[0]) and shutil.which("unshare") and _works([*words, "true"]):
            return kind, words
    return "a limit on the size of files", [sys.executable, "-c", LIMIT % (DISK_BYTES, DISK_BYTES)]


def files_on(folder: Path, pid: int) -> list[str]:
    """Return the names of the files in a folder, as seen by a process in its own mount namespace."""
    seen = Path(f"/proc/{pid}/root{folder}")
    return sorted(path.name for path in (seen if seen.exists() else folder).iterdir())


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
