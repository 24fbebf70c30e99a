"""Run the benchmark: all sections, or `python -m bench SECTION…`.

`python -m bench figures` copies the summary into docs/performance.md.

BENCH_ROWS sets the number of products: 500,000 by default, which takes about 20 minutes.
"""

import importlib
import os
import signal
import sys
import time
import traceback

from bench import chart, figures, machine, results
from bench.subject import Subject

ROWS = int(os.environ.get("BENCH_ROWS", "500000"))
SECTIONS = (
    *("floor", "back_to_back", "small", "reading", "peers", "growth"),
    *("search", "webhooks", "subscribers", "upload", "start", "page"),
)


def main(words: list[str]) -> int:
    """Measure the sections named, or all; return 0 when every one succeeded."""
    if words == ["figures"]:
        return figures.main()
    # Whoever ends the benchmark ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    unknown = [word for word in words if word not in SECTIONS]
    if unknown:
        raise SystemExit(f"bench: no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}, and figures")
    print(f"{ROWS:,} rows on {machine.description()}; {machine.versions()}", flush=True)
    succeeded = [measure(name) for name in words or SECTIONS]
    sections = results.load(SECTIONS, ROWS)
    page = results.write(sections, ROWS)
    print(f"\nWritten: {page}, {chart.write(sections, ROWS)}")
    if ROWS >= results.MIN_ROWS:
        print("Copy the figures into docs/performance.md: python -m bench figures")
    return 0 if all(succeeded) else 1


def measure(name: str) -> bool:
    """Measure one section on its own application, print and save it; return whether it succeeded."""
    print(f"\n{name} …", flush=True)
    began = time.monotonic()
    module = importlib.import_module(f"bench.{name}")
    subject = Subject(ROWS)
    try:
        section = module.measure(subject)
        succeeded = True
    except Exception as error:  # noqa: BLE001 - the other sections are measured all the same
        traceback.print_exc()
        section = results.failed(name, str(error).partition("\n")[0] or type(error).__name__)
        succeeded = False
    finally:
        subject.close()
    seconds = time.monotonic() - began
    results.save(name, section, ROWS, seconds)
    if section.lines:
        print(results.table(section.head, section.lines), end="")
    print(f"{section.title}: {'' if succeeded else 'FAILED after '}{seconds:.0f} s", flush=True)
    return succeeded


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
