"""Tune the embedded PostgreSQL for imports on a small machine, without giving up durability.

The settings are passed on the command line, so that a change takes effect at the next start and the cluster's
own file stays as `initdb` wrote it.
"""

import os
import shutil
from pathlib import Path

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
# The memory limit of a container on Linux (cgroup version 2, version 1).
MEMORY_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only measured


def options(socket_directory: Path, data_dir: Path, programs: Path) -> list[str]:
    """Return the settings as `-c name=value` for `postgres`."""
    memory = memory_bytes()
    log_bytes = _free_bytes(data_dir) // 8
    settings = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": '"' + str(socket_directory).replace('"', '""') + '"',
        "max_connections": "100",
        "shared_buffers": _megabytes(memory // 4, minimum=32 * MEBIBYTE, maximum=4 * GIBIBYTE),
        "effective_cache_size": _megabytes(memory // 2, minimum=64 * MEBIBYTE, maximum=64 * GIBIBYTE),
        "maintenance_work_mem": _megabytes(memory // 16, minimum=32 * MEBIBYTE, maximum=256 * MEBIBYTE),
        "work_mem": "16MB",
        # Data must survive kill -9 and power loss.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # An import writes a lot at once: make few checkpoints, and keep WAL files for the next import, which then
        # need not be created and synced again.
        "checkpoint_timeout": "15min",
        "max_wal_size": _megabytes(log_bytes, minimum=256 * MEBIBYTE, maximum=4 * GIBIBYTE),
        "min_wal_size": _megabytes(log_bytes // 4, minimum=64 * MEBIBYTE, maximum=1 * GIBIBYTE),
        # Two writers fill the default 16 MB faster than they are written, and then wait for each other.
        "wal_buffers": _megabytes(memory // 64, minimum=4 * MEBIBYTE, maximum=64 * MEBIBYTE),
        "wal_compression": "pglz",
        "random_page_cost": "1.1",
        # Compiling a plan takes longer than our short statements.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        # Log neither statements nor error details: both contain values, such as a webhook's secret.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }
    if (programs / "share" / "extension" / "pg_stat_statements.control").exists():
        settings["shared_preload_libraries"] = "pg_stat_statements"
    if _shared_memory_is_small():
        settings["dynamic_shared_memory_type"] = "mmap"
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def memory_bytes() -> int:
    """Return the memory that this machine or container has."""
    found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for limit in MEMORY_LIMITS:
        try:
            found.append(int(limit.read_text()))
        except (OSError, ValueError):
            continue
    return min(found)


def _megabytes(wanted: int, *, minimum: int, maximum: int) -> str:
    return f"{max(minimum, min(wanted, maximum)) // MEBIBYTE}MB"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _shared_memory_is_small() -> bool:
    """Whether there is less than 256 MB: parallel queries fail without it, and Docker provides 64 MB."""
    try:
        return shutil.disk_usage(SHARED_MEMORY).total < 256 * MEBIBYTE
    except OSError:
        return False
