"""Which series a soak run calls flat."""

from random import Random

import pytest

from soak import report
from soak.samples import SHARED_BUFFERS, Sample

STEPS = 240
SECONDS = 15


def samples(figure, name: str = "web: memory, MB") -> list[tuple[float, Sample]]:
    """Return samples of an hour; `figure` gives the value for the share of it that has passed."""
    return [(step * SECONDS, {name: figure(step / STEPS)}) for step in range(STEPS)]


def growth(figure, name: str = "web: memory, MB") -> str | None:
    [found] = report.judge(samples(figure, name))
    return found.growth


def test_noise_and_what_is_filled_once_are_flat():
    random = Random(1)
    assert growth(lambda _: random.uniform(180, 220)) is None
    assert growth(lambda passed: 300 if passed > 0.4 else 200) is None
    # A process that is killed and begins anew.
    assert growth(lambda passed: 150 + 100 * (passed * 7 % 1)) is None


def test_what_goes_on_growing_is_not_flat():
    assert growth(lambda passed: 200 + 120 * passed) is not None
    assert growth(lambda passed: 20 + 60 * passed, "web: handles") is not None
    said = growth(lambda passed: 60 * passed, "uploads: files")
    assert said and "in the last quarter alone" in said


def test_a_little_growth_is_allowed_in_the_unit_of_the_figure():
    assert growth(lambda passed: 200 + 20 * passed) is None
    assert growth(lambda passed: 3 + 2 * passed, "Valkey keys that do not expire") is None


def test_the_warm_up_does_not_count():
    [found] = report.judge(samples(lambda passed: 10 if passed < report.WARM_UP * 0.9 else 200))
    assert (found.first, found.least, found.growth) == (200, 200, None)


def test_a_figure_that_was_seen_now_and_then_is_judged_by_what_was_seen():
    some = [(at, sample if at % 60 else {}) for at, sample in samples(lambda passed: 200 + 200 * passed)]
    [found] = report.judge(some)
    assert found.growth and found.slope == pytest.approx(200, rel=0.05)
    assert report.judge(some[:3]) == []


def test_what_a_setting_limits_is_not_judged():
    [found] = report.judge(samples(lambda passed: 900 * passed, SHARED_BUFFERS))
    assert found.growth is None
    assert report.table([found]).endswith(" limited |")


def test_the_table_has_a_line_for_each_figure_and_its_reason():
    seen = [(at, {"flat one": 5.0, "growing one": 1 + at}) for at, _ in samples(float)]
    head, line, flat, growing = report.table(report.judge(seen)).splitlines()
    assert head.count("|") == line.count("|") == flat.count("|") == growing.count("|")
    assert flat.endswith("| 5 | 5 | 5 | 5 | +0.0 | flat |") and "more than" in growing
