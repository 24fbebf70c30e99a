"""Run the checks of `make test` that only read the code, side by side: `make lint`."""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.__main__ import BIN, CHECKS, run


def main() -> int:
    """Return 0 when all checks passed."""
    with ThreadPoolExecutor() as pool:
        codes = pool.map(lambda name: run(name, [str(BIN / CHECKS[name][0]), *CHECKS[name][1:]]), CHECKS)
        return int(any(list(codes)))


if __name__ == "__main__":
    sys.exit(main())
