"""Describe the machine and the versions that were measured."""

import importlib.metadata
import os
import platform
import re
import subprocess
import time
from pathlib import Path

import psutil

from product_importer.core.embedded import postgres_account, valkey
from tests.application import ROOT


def description() -> str:
    """Return one sentence on the machine."""
    gibibytes = round(psutil.virtual_memory().total / 2**30)
    return f"{len(os.sched_getaffinity(0))} cores of {_processor()}, {gibibytes} GiB of memory, {_system()}"


def versions() -> str:
    """Return the versions of what was measured."""
    servers = {
        "PostgreSQL": _version([str(postgres_account.programs() / "bin" / "postgres"), "--version"]),
        "Valkey": _version([str(valkey._binary()), "--version"]),
    }
    packages = ("reflex", "fastapi", "rq", "psycopg2-binary")
    named = [f"Python {platform.python_version()}", *(f"{name} {version}" for name, version in servers.items())]
    return ", ".join(named + [f"{name} {importlib.metadata.version(name)}" for name in packages])


def today() -> str:
    return time.strftime("%Y-%m-%d", time.gmtime())


def commit() -> str:
    """Return the short hash of the measured commit, with a plus if the program has changes."""
    name = _git("rev-parse", "--short", "HEAD").stdout.strip()
    changed = _git("diff", "--quiet", "HEAD", "--", "product_importer", "alembic", "requirements.txt").returncode
    return f"{name}{'+' if changed else ''}" if name else "unknown"


def _git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", _text(Path("/proc/cpuinfo")))
    return found[1] if found else platform.processor() or platform.machine()


def _system() -> str:
    found = re.search(r'PRETTY_NAME="(.+)"', _text(Path("/etc/os-release")))
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{found[1]}, {platform.system()} {kernel}" if found else f"{platform.system()} {kernel}"


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _version(command: list[str]) -> str:
    """Return the first version number in a program's output."""
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"\d+(\.\d+)+", output)
    return found[0] if found else "of an unknown version"
