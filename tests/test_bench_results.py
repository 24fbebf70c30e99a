"""Results of the benchmark: a run of one size keeps those of the others."""

import pytest

from bench import results
from bench.results import Section

pytestmark = pytest.mark.processes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(results, "PAGE", tmp_path / "page.md")
    return tmp_path


def section(figure: str) -> Section:
    return Section("Growth", "How.", ("rows", "s"), [("all", figure)], [(f"time {figure}", figure, "", "")])


def test_each_size_is_stored_and_replaced_by_itself(folder):
    results.save("growth", section("forty"), 5_000_000, 60)
    results.save("growth", section("five"), 500_000, 10)
    results.save("growth", section("four"), 500_000, 10)
    sections = results.load(("search", "growth"), 500_000)
    assert [found.stamp["rows"] for found in sections] == [500_000, 5_000_000]
    page = results.write(sections, 500_000).read_text()
    assert "`BENCH_ROWS=500000 make bench` and `BENCH_ROWS=5000000 make bench` on " in page
    assert page.index("## Growth\n") < page.index("| all | four |") < page.index("## Growth, 5,000,000 rows\n")
    assert "| all | forty |" in page and "five" not in page
    assert "time four" in (results.block(page) or "") and "time forty" in (results.block(page) or "")


def test_the_page_names_the_sections_where_not_all_were_measured(folder):
    results.save("search", section("quick"), 500_000, 10)
    results.save("growth", section("four"), 500_000, 10)
    results.save("growth", section("forty"), 5_000_000, 60)
    page = results.write(results.load(("search", "growth"), 500_000), 500_000).read_text()
    assert "`BENCH_ROWS=500000 make bench` and `BENCH_ROWS=5000000 python -m bench growth` on " in page


def test_figures_of_a_small_run_are_not_on_the_page(folder):
    results.save("growth", section("few"), 1_000, 1)
    assert results.load(("growth",), 500_000) == []
    assert results.write(results.load(("growth",), 1_000), 1_000) == folder / "results.md"
