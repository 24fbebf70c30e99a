"""docs/performance.md has the figures of the last benchmark."""

import pytest

from bench.figures import DOCUMENT, filled
from bench.results import BEGIN, END, PAGE, block


def test_the_document_has_the_figures_of_the_last_benchmark():
    measured = block(PAGE.read_text()) if PAGE.exists() else None
    assert block(DOCUMENT.read_text()) == measured, "docs/performance.md: python -m bench figures"


def test_only_the_text_between_the_marks_is_replaced():
    first, second = (f"# Page\n{BEGIN}\n\n| {figure} |\n{END}\nmore\n" for figure in (1, 2))
    document = f"# Title\n\n{BEGIN}\n{END}\n\ntext\n"
    once = filled(document, first)
    assert block(once) == "| 1 |" and once.startswith("# Title\n\n") and once.endswith(f"{END}\n\ntext\n")
    assert filled(once, second) == once.replace("| 1 |", "| 2 |")


def test_a_document_without_marks_is_left_alone():
    with pytest.raises(SystemExit, match="needs the lines"):
        filled("# Title\n", f"{BEGIN}\n{END}\n")
