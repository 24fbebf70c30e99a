"""Judge each series of figures: flat, or why not; and print them as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import linear_regression, median

from soak.samples import SHARED_BUFFERS, Sample

Series = list[tuple[float, float]]
# Processes and servers fill their pools and caches at first.
WARM_UP = 0.1
QUARTERS = 4
# What a figure may grow by from the first to the last quarter, by a share and by an amount of its unit.
SHARE = 0.15
AMOUNTS = {"MB": 24.0, "bytes a row": 40.0, "handles": 16.0, "threads": 8.0}
OTHER_AMOUNT = 12.0
# What fills up to a limit that is set is not judged; the table says this instead.
LIMITED = {SHARED_BUFFERS: "limited"}
FEWEST = 8
HEAD = ("what", "first quarter", "last quarter", "least", "most", "an hour", "")


@dataclass(frozen=True)
class Verdict:
    """One series: its medians and extremes, its slope for an hour, and why it is not flat, if so."""

    name: str
    first: float
    last: float
    least: float
    most: float
    slope: float
    growth: str | None


def judge(samples: Sequence[tuple[float, Sample]]) -> list[Verdict]:
    """Return the verdicts on all figures that were seen often enough."""
    names = dict.fromkeys(name for _, sample in samples for name in sample)
    return [found for name in names if (found := verdict(name, series(samples, name)))]


def series(samples: Sequence[tuple[float, Sample]], name: str) -> Series:
    """Return a figure over time, without the warm-up."""
    after = samples[-1][0] * WARM_UP
    return [(at, sample[name]) for at, sample in samples if at >= after and name in sample]


def verdict(name: str, found: Series) -> Verdict | None:
    """Judge one series; None if it is too short."""
    if len(found) < FEWEST:
        return None
    parts = [median(values) for values in quarters(found)]
    slope = linear_regression(*zip(*found, strict=True)).slope * 3600
    values = [value for _, value in found]
    return Verdict(name, parts[0], parts[-1], min(values), max(values), slope, growth(name, parts))


def quarters(found: Series) -> list[list[float]]:
    """Return the values of each quarter, by their number."""
    bounds = [len(found) * number // QUARTERS for number in range(QUARTERS + 1)]
    return [[value for _, value in found[low:high]] for low, high in pairwise(bounds)]


def growth(name: str, parts: list[float]) -> str | None:
    """Return why a series is not flat: it has grown by more than it may, and goes on growing."""
    if name in LIMITED:
        return None
    amount = next((amount for unit, amount in AMOUNTS.items() if name.endswith(unit)), OTHER_AMOUNT)
    allowed = parts[0] * SHARE + amount
    grown = parts[-1] - parts[0]
    still = parts[-1] - parts[-2]
    if grown <= allowed or still <= allowed / QUARTERS:
        return None
    return f"grew by {grown:,.1f}, more than {allowed:,.1f}, and by {still:,.1f} in the last quarter alone"


def table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as a table in Markdown."""
    lines = [HEAD, tuple("---" for _ in HEAD)]
    for one in verdicts:
        figures = (one.first, one.last, one.least, one.most)
        lines.append(
            (one.name, *map(number, figures), f"{one.slope:+,.1f}", one.growth or LIMITED.get(one.name, "flat"))
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 1_000 else f"{value:,.1f}"
