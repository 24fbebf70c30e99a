"""How the embedded PostgreSQL is tuned: for imports on a small machine, never at the price of durability.

The settings are given on the command line, so that a change takes effect at the next start and the cluster's
own file stays as `initdb` wrote it.
"""

import os
import shutil
from pathlib import Path

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE
# Where Linux tells a container how much memory it really has (version 2, version 1).
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
        "shared_buffers": _megabytes(memory // 4, least=32 * MEBIBYTE, most=4 * GIBIBYTE),
        "effective_cache_size": _megabytes(memory // 2, least=64 * MEBIBYTE, most=64 * GIBIBYTE),
        "maintenance_work_mem": _megabytes(memory // 16, least=32 * MEBIBYTE, most=256 * MEBIBYTE),
        "work_mem": "16MB",
        # Data survive kill -9 and power loss.
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        # An import writes a lot at once: few checkpoints, with room for them on the disk, and log files that are kept
        # for the next import, which need not make and sync them again.
        "checkpoint_timeout": "15min",
        "max_wal_size": _megabytes(log_bytes, least=256 * MEBIBYTE, most=4 * GIBIBYTE),
        "min_wal_size": _megabytes(log_bytes // 4, least=64 * MEBIBYTE, most=1 * GIBIBYTE),
        # Two lanes fill the usual 16 MB faster than they are written, and then wait for each other.
        "wal_buffers": _megabytes(memory // 64, least=4 * MEBIBYTE, most=64 * MEBIBYTE),
        "wal_compression": "pglz",
        "random_page_cost": "1.1",
        # Compiling a plan costs more than our short statements.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        # Its log has neither statements nor details of errors: both hold values, a webhook's secret for example.
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


def _megabytes(wanted: int, *, least: int, most: int) -> str:
    return f"{max(least, min(wanted, most)) // MEBIBYTE}MB"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _shared_memory_is_small() -> bool:
    """Docker gives a container 64 MB of it, and a parallel query that needs more fails."""
    try:
        return shutil.disk_usage(SHARED_MEMORY).total < 256 * MEBIBYTE
    except OSError:
        return False
