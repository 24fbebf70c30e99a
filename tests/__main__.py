"""Every check, in the order of what is quickest to fail: `make test`, or `python -m tests` by hand.

Words behind it go to pytest: `python -m tests tests/imports -k reader`.
"""

import subprocess
import sys
import time
from pathlib import Path

from tests.browser import ensure_chromium

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

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
    if run("tests", [sys.executable, "-m", "pytest", "--quiet", *words]):
        failed.append("tests")
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nEvery check passed.", flush=True)
    return 1 if failed else 0


def run(name: str, command: list[str]) -> int:
    """Run one check, and say how it went; what it printed is shown when it failed, that of the tests always."""
    began = time.monotonic()
    kept = None if name == "tests" else subprocess.PIPE
    done = subprocess.run(command, cwd=ROOT, stdout=kept, stderr=subprocess.STDOUT, text=True, check=False)
    code = done.returncode
    if code and done.stdout:
        print(done.stdout, flush=True)
    print(f"{'FAILED' if code else 'ok    '}  {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
