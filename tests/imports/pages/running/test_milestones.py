"""What screen readers are told of imports."""

from uuid import uuid4

from product_importer.imports.pages.running.milestones import Milestones
from tests.imports.pages.test_view_models import read

ID = uuid4()


def told(milestones: Milestones, *percents: float) -> list[str]:
    jobs = [read(id=ID, status="processing", phase="merging", percent=percent) for percent in percents]
    return [words for job in jobs if (words := milestones.take(job))]


def test_each_step_is_told_once_and_nothing_between():
    milestones = Milestones()
    assert told(milestones, 0, 1, 24.9, 25, 25, 30, 49, 51, 75, 74, 99.9) == [
        "a.csv: 25 %",
        "a.csv: 50 %",
        "a.csv: 75 %",
    ]
    ended = read(id=ID, created=3, total_rows=3)
    assert milestones.take(ended) == "a.csv: 100 %. 3 products imported"
    assert milestones.take(ended) == ""


def test_what_happened_before_an_import_was_seen_is_not_told():
    assert told(Milestones(), 60, 70) == []
    assert told(Milestones(), 60, 80) == ["a.csv: 75 %"]
    assert Milestones().take(read(id=ID, created=3)) == ""


def test_an_import_that_fails_does_not_reach_100_percent():
    milestones = Milestones()
    assert told(milestones, 10) == []
    assert milestones.take(read(id=ID, status="failed", percent=40)) == "a.csv: Failed: nothing was imported"


def test_an_import_that_is_no_longer_active_is_gone_until_it_starts_again():
    milestones = Milestones()
    told(milestones, 60)
    assert milestones.gone([read(id=ID)]) == []
    assert milestones.gone([]) == [str(ID)]
    milestones.forget(str(ID))
    assert milestones.gone([]) == []
    assert told(milestones, 0, 50) == ["a.csv: 50 %"]
