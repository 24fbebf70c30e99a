"""Every check, in the order of what is quickest to fail: `make test`, or `python -m tests` by hand.

Words behind it go to pytest: `python -m tests tests/imports -k reader`. Without them all tests run, side by side.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.browser import ensure_chromium

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

# Much of the suite waits for other processes: one test process more than there are cores. Each has its own servers,
# and beyond four the longest group of tests takes as long as all others together.
ALL_TESTS = ["-n", str(min(4, (os.cpu_count() or 1) + 1)), "--max-worker-restart", "0"]
# The suite starts some hundred Python processes: let the first one compile the modules for all.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

CHECKS = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "lint": ["ruff", "check", "--quiet", "."],
    "types": ["mypy", "--no-error-summary"],
    "architecture": ["lint-imports"],
}


def main(words: list[str]) -> int:
    """Run the checks and then the tests; return 0 when all passed."""
    failed = [name for name, command in CHECKS.items() if run(name, [str(BIN / command[0]), *command[1:]])]
    ensure_chromium()
    if run("tests", [sys.executable, "-m", "pytest", "--quiet", *(words or ALL_TESTS)]):
        failed.append("tests")
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nEvery check passed.", flush=True)
    return 1 if failed else 0


def run(name: str, command: list[str]) -> int:
    """Run one check, and say how it went; what it printed is shown when it failed, that of the tests always."""
    began = time.monotonic()
    kept = None if name == "tests" else subprocess.PIPE
    done = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, stdout=kept, stderr=subprocess.STDOUT, text=True, check=False
    )
    code = done.returncode
    if code and done.stdout:
        print(done.stdout, flush=True)
    print(f"{'FAILED' if code else 'ok    '}  {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
