"""`python -m bench figures`: copy the summary of bench/results.md into docs/performance.md."""

from bench.results import BEGIN, END, PAGE, block
from tests.application import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"


def main() -> int:
    """Replace the text between the marks."""
    if not PAGE.exists():
        raise SystemExit(f"bench: there is no {PAGE.relative_to(ROOT)} yet: make bench")
    DOCUMENT.write_text(filled(DOCUMENT.read_text(), PAGE.read_text()))
    return 0


def filled(document: str, page: str) -> str:
    """Return the document with the page's summary between its marks.

    Raises:
        SystemExit: the document has no marks.
    """
    if block(document) is None:
        raise SystemExit(f"bench: {DOCUMENT.relative_to(ROOT)} needs the lines {BEGIN} and {END}")
    before, _, rest = document.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{block(page)}\n\n{END}{after}"
