"""The rows per second over time."""

from product_importer.imports.pages.running.speeds import MAX_POINTS, SpeedPoint, Speeds, Summary
from tests.imports.pages.test_view_models import read


def take(speeds: Speeds, phase: str, at: float, rows: int) -> None:
    counts = {"rows_read": rows} if phase == "reading" else {"rows_read": 9_999, "created": rows}
    speeds.take(read(status="processing", phase=phase, **counts), now=1000 + at, second=at)


def test_each_part_has_its_own_line():
    speeds = Speeds()
    for at in range(4):
        take(speeds, "reading", at, 1000 * at)
    for at in range(4, 9):
        take(speeds, "merging", at, 200 * (at - 4))
    reading = [SpeedPoint(at, 1000) for at in (1, 2, 3)]
    assert speeds.points == [*reading, *(SpeedPoint(at, None, 200) for at in (5, 6, 7, 8))]


def test_a_speed_is_that_of_the_last_seconds():
    speeds = Speeds()
    for at, rows in enumerate((0, 500, 500, 500, 500, 800)):
        take(speeds, "merging", at, rows)
    assert [point.writing for point in speeds.points] == [500, 250, 167, 0, 100]
    assert speeds.summary() == Summary("writing", 100, 500)


def test_the_summary_is_of_the_part_that_was_measured_last():
    speeds = Speeds()
    assert speeds.summary() == Summary()
    for at in range(3):
        take(speeds, "reading", at, 1000 * at)
    assert speeds.summary() == Summary("reading", 1000, 1000)
    for at in range(3, 5):
        take(speeds, "previewing", at, 50 * at)
    assert speeds.summary() == Summary("comparing", 50, 50)


def test_waiting_is_not_measured():
    speeds = Speeds()
    for at in range(3):
        take(speeds, "waiting", at, 0)
        take(speeds, "indexing", at, 0)
    assert speeds.points == []


def test_a_long_import_keeps_few_points_over_all_its_time():
    speeds = Speeds()
    for tenth in range(10 * 600):
        take(speeds, "merging", tenth / 10, tenth)
    assert MAX_POINTS / 2 < len(speeds.points) <= MAX_POINTS
    assert speeds.points[0].second < 1
    assert speeds.points[-1].second > 590
