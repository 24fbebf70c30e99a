"""Guesses are limited by person and by address, whatever process counts them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from product_importer.access import throttle
from product_importer.core.errors import TooMany, Unavailable

HOUR = 3600


def _guess(key: str, address: str | None = "203.0.113.9") -> bool:
    try:
        throttle.count_guess(key, address)
    except TooMany as refused:
        assert refused.retry_after is not None and 0 < refused.retry_after <= 15 * 60
        return False
    return True


def _allowed(*guesses: tuple[str, str | None]) -> int:
    """Return how many of these guesses were allowed, made by several threads at once."""
    with ThreadPoolExecutor(16) as threads:
        return sum(threads.map(lambda guess: _guess(*guess), guesses))


@pytest.mark.parametrize("limit", [throttle.BY_PERSON, throttle.BY_ADDRESS])
def test_a_thousand_guesses_take_more_than_an_hour(limit):
    # All of a window are made at its start.
    windows = (1000 - 1) // limit.amount
    assert windows * limit.get_expiry() > HOUR


def test_parallel_guesses_of_one_person_from_many_addresses_are_counted(database):
    assert _allowed(*[("mina", f"203.0.113.{number}") for number in range(100)]) == throttle.BY_PERSON.amount
    assert _guess("ed")


def test_parallel_guesses_of_many_people_from_one_address_are_counted(database):
    assert _allowed(*[(f"person{number}", "203.0.113.9") for number in range(100)]) == throttle.BY_ADDRESS.amount
    assert _guess("somebody", "203.0.113.10")


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        (None, "not an address", True),
    ],
)
def test_which_addresses_count_as_one(database, one, other, are_same):
    assert _allowed(*[(f"person{number}", one) for number in range(70)]) == throttle.BY_ADDRESS.amount
    assert _guess("somebody", other) != are_same


def test_the_right_password_starts_a_persons_count_anew_but_not_the_addresss(database):
    for number in range(throttle.BY_ADDRESS.amount):
        assert _guess("mina")
        if number % 5 == 4:
            throttle.forget_guesses("mina")
    assert not _guess("mina")
    assert _guess("mina", "203.0.113.10")


def test_without_redis_nobody_guesses(monkeypatch):
    nowhere = MovingWindowRateLimiter(RedisStorage("redis://127.0.0.1:1"))
    monkeypatch.setattr(throttle, "_limiter", lambda: nowhere)
    with pytest.raises(Unavailable):
        throttle.count_guess("mina", None)
    with pytest.raises(Unavailable):
        throttle.forget_guesses("mina")
