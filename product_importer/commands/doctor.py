"""The command `doctor`: report what is configured and reachable."""

import sys

from product_importer import health
from product_importer.core.settings import settings


def run() -> int:
    """Print one line for each check; return 0 when everything that is needed is there, else 1."""
    data = settings().data_dir
    print(f"Python {sys.version.split()[0]}, data in {data} ({health.free_space(data)})")
    readiness = health.diagnose()
    for check in readiness.checks:
        warning = f" (warning: {check.warning})" if check.warning else ""
        state = "ok     " if check.ok else "MISSING" if check.is_required else "warning"
        print(f"{state}  {check.name}: {check.detail}{warning}")
    return 0 if readiness.ready else 1
