"""Store the figures by section and size, so that each can be measured again, and write them as one page."""

import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import machine
from bench.folder import FOLDER
from tests.application import ROOT

# What docs/performance.md quotes is measured with at least so many rows; fewer are for trying the benchmark itself.
MIN_ROWS = 500_000
PAGE = ROOT / "bench" / "results.md"
HEAD = ("what", "Product Importer", "compared with", "ratio")
BEGIN, END = "<!-- figures: written by `python -m bench figures` -->", "<!-- end of the figures -->"


@dataclass
class Section:
    """The figures of one section: its table, its lines of the summary, and bars for the chart."""

    title: str
    note: str
    head: tuple[str, ...]
    lines: list[tuple[str, ...]] = field(default_factory=list)
    # As HEAD says: what was measured, our figure, the other figure, and the ratio.
    summary: list[tuple[str, str, str, str]] = field(default_factory=list)
    # Name, and its rows per second relative to ours.
    bars: list[tuple[str, float]] = field(default_factory=list)
    stamp: dict[str, Any] = field(default_factory=dict)


def failed(title: str, reason: str) -> Section:
    """Return a section that says why it has no figures."""
    return Section(title, f"**Failed:** {reason}", ())


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of each pair, which was measured in turn: a slow machine slows both."""
    return median(a / b for a, b in zip(ours, others, strict=True))


def save(name: str, section: Section, rows: int, seconds: float) -> None:
    """Store a section's figures, with date, commit and machine."""
    section.stamp = {
        "section": name,
        "rows": rows,
        "seconds": round(seconds),
        "date": machine.today(),
        "commit": machine.commit(),
        "machine": machine.description(),
        "versions": machine.versions(),
    }
    folder = _folder(rows)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_{rows}.json").write_text(json.dumps(asdict(section), indent=1))


def load(names: Iterable[str], rows: int) -> list[Section]:
    """Return the stored sections, in this order, each with the fewest rows first."""
    kept = [path for name in names for path in sorted(_folder(rows).glob(f"{name}_*.json"), key=_rows_of)]
    return [_section(json.loads(path.read_text())) for path in kept]


def write(sections: list[Section], rows: int) -> Path:
    """Write the page and return its path."""
    path = PAGE if rows >= MIN_ROWS else FOLDER / "results.md"
    path.write_text("\n".join(_page(sections)))
    return path


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    rows = [head, ("---",) * len(head), *lines]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def block(text: str) -> str | None:
    """Return the text between the two marks of a document; None without marks."""
    _, begin, rest = text.partition(BEGIN)
    inside, end, _ = rest.partition(END)
    return inside.strip() if begin and end else None


def _page(sections: list[Section]) -> Iterator[str]:
    yield "# Benchmark results\n"
    yield "Written by `make bench`; `python -m bench SECTION…` measures some sections again. Each section says how.\n"
    yield from (BEGIN, "")
    yield from _summary(sections)
    yield END
    for section in sections:
        stamp = section.stamp
        size = f", {stamp['rows']:,} rows" if stamp["rows"] > MIN_ROWS else ""
        yield f"\n## {section.title}{size}\n"
        yield f"{section.note}\n"
        if section.lines:
            yield table(section.head, section.lines)
        yield f"{stamp['rows']:,} rows, {stamp['date']}, commit {stamp['commit']}, took {stamp['seconds']} s."
    yield ""


def _summary(sections: list[Section]) -> Iterator[str]:
    """Yield the machine and the main figures."""
    commands = " and ".join(_commands(sections))
    for on, versions in dict.fromkeys((section.stamp["machine"], section.stamp["versions"]) for section in sections):
        dates = sorted({section.stamp["date"] for section in sections if section.stamp["machine"] == on})
        yield f"{commands} on {' and '.join(dates)}: {on}; {versions}.\n"
    yield table(HEAD, (line for section in sections for line in section.summary))


def _commands(sections: list[Section]) -> Iterator[str]:
    """Yield the command for each number of rows."""
    every = {section.stamp["section"] for section in sections}
    for rows in sorted({section.stamp["rows"] for section in sections}):
        names = [section.stamp["section"] for section in sections if section.stamp["rows"] == rows]
        what = "make bench" if set(names) == every else f"python -m bench {' '.join(names)}"
        yield f"`BENCH_ROWS={rows} {what}`"


def _folder(rows: int) -> Path:
    return FOLDER / ("figures" if rows >= MIN_ROWS else "small")


def _rows_of(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


def _section(stored: dict[str, Any]) -> Section:
    lists = {name: [tuple(line) for line in stored[name]] for name in ("lines", "summary", "bars")}
    return Section(**{**stored, **lists, "head": tuple(stored["head"])})
