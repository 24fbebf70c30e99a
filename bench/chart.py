"""Draw the chart of docs/performance.md: the speed of each tool relative to ours, as SVG bars for light and dark.

Each was measured in turn with ours and is drawn relative to it, because the speed of a machine varies.
"""

from html import escape
from pathlib import Path

from bench.folder import FOLDER
from bench.results import MIN_ROWS, Section
from tests.application import ROOT

PATH = ROOT / "docs" / "images" / "bench.svg"
WIDTH, ROW, BAR, TOP = 880, 34, 20, 52
LABELS, FIGURES = 270, 130
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.bar { fill: #b6bfca }
.ours { fill: #4f46e5 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .bar { fill: #4b5563 } .ours { fill: #818cf8 } }
"""


def write(sections: list[Section], rows: int) -> Path:
    """Draw the bars of all sections, longest first; return the path."""
    path = PATH if rows >= MIN_ROWS else FOLDER / "bench.svg"
    path.write_text(
        draw(sorted({name: bar for section in sections for name, bar in section.bars}.items(), key=_rate))
    )
    return path


def draw(bars: list[tuple[str, float]]) -> str:
    """Return the SVG of the bars, in this order."""
    longest = max((rate for _, rate in bars), default=1)
    lines = "".join(_bar(place, name, rate / longest, rate) for place, (name, rate) in enumerate(bars))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {TOP + ROW * len(bars)}" role="img">
<title>Rows imported per second, as a multiple of Product Importer</title>
<style>{STYLE}</style>
<text class="title" x="0" y="24">Rows per second, all rows new, as a multiple of Product Importer</text>
{lines}</svg>
"""


def _bar(place: int, name: str, share: float, rate: float) -> str:
    y = TOP + ROW * place
    length = max(1, round(share * (WIDTH - LABELS - FIGURES)))
    kind = "ours" if name == "Product Importer" else "bar"
    return (
        f'<text x="0" y="{y + 15}">{escape(name)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{y}" width="{length}" height="{BAR}" rx="3"/>'
        f'<text x="{LABELS + length + 8}" y="{y + 15}">{rate:.2f}</text>\n'
    )


def _rate(bar: tuple[str, float]) -> float:
    return -bar[1]
