"""Copy the summary of bench/results.md into README.md. A test compares the two."""

from bench import chart
from bench.results import BEGIN, END, PAGE, block
from tests.application import ROOT

README = ROOT / "README.md"
# The heading before which it goes if README has no figures yet.
BEFORE = "## Tests\n"
HEADING = f"""## Figures

<img src="{chart.PATH.relative_to(ROOT)}" alt="Rows imported a second, beside other ways" width="100%">

{BEGIN}
{END}

[bench/results.md](bench/results.md) has all of them, and how each was measured.

"""


def main() -> int:
    """Replace the text between the marks in README."""
    if not PAGE.exists():
        raise SystemExit(f"bench: there is no {PAGE.relative_to(ROOT)} yet: make bench")
    README.write_text(filled(README.read_text(), PAGE.read_text()))
    return 0


def filled(readme: str, page: str) -> str:
    """Return README with the summary of the page, in a new chapter if it has none."""
    if block(readme) is None:
        before, heading, after = readme.partition(BEFORE)
        readme = before + HEADING + heading + after
    before, _, rest = readme.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{block(page)}\n\n{END}{after}"
