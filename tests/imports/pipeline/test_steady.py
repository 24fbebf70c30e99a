"""The time left is shown once it is steady."""

from collections.abc import Iterable

from product_importer.imports.pipeline.steady import STEADY_SECONDS, SteadyEstimate

STEP = 0.2


def shown(estimates: Iterable[float | None]) -> list[float | None]:
    """Return what is shown of estimates that come every `STEP` seconds."""
    steady = SteadyEstimate()
    return [steady.take(number * STEP, left) for number, left in enumerate(estimates)]


def test_a_right_estimate_is_shown_after_it_has_stood_for_a_while():
    seen = shown(16 - number * STEP for number in range(20))
    first = round(STEADY_SECONDS / STEP)
    assert seen[:first] == [None] * first
    assert None not in seen[first:]


def test_an_estimate_that_falls_quickly_is_not_shown():
    """57 s are foretold of an import of 16 s, which is found out within its first seconds."""
    total = [57, 52, 47, 43, 39, 36, 33, 30, 28, 26, 24, 22, 21, 20, 19, 18, 17, 16.5, 16, 16, *[16] * 20]
    seen = shown(whole - number * STEP for number, whole in enumerate(total))
    assert all(left is None or left + number * STEP < 22 for number, left in enumerate(seen))
    assert seen[-1] is not None


def test_without_an_estimate_it_must_become_steady_again():
    seen = shown([*(10 - number * STEP for number in range(20)), None, *(6 - number * STEP for number in range(12))])
    assert seen[19] is not None
    assert seen[20:30] == [None] * 10
    assert seen[-1] is not None


def test_a_last_second_is_no_disagreement():
    assert shown([2.0, 2.5, 2.0, 2.4, 1.9, 1.8, 1.6, 1.5, 1.3, 1.1, 0.9, 0.7])[-1] == 0.7
