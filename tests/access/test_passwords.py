"""Passwords are judged as NIST SP 800-63B asks for, and hashed few at a time."""

import asyncio
import time
from threading import Lock

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

from product_importer.access import passwords, principal
from product_importer.core.errors import Unavailable, Unprocessable
from tests.access.people import PASSWORD


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "at least 12"),
        ("kX9#mQ2$vL7", "at least 12"),
        # One character each in the form that is compared, however many were typed.
        ("e\u0301" * 11, "at least 12"),
        ("x" * 1025, "1,024"),
        ("password1234", "common"),
        ("Password123!", "common"),
        ("qwertyuiop[]", "common"),
        ("123456789012", "common"),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", "common"),
        ("trustno1trustno1", "common"),
        ("mina.maier@shop.example", "common"),
        ("productimporter", "common"),
    ],
)
def test_a_password_that_is_short_long_or_common_is_refused(password, words):
    with pytest.raises(Unprocessable) as refused:
        passwords.make_hash(password, "mina.maier@shop.example", field="new")
    [error] = refused.value.extra["errors"]
    assert error["field"] == "new" and words in error["message"]
    assert not password or password not in str(refused.value)


def test_every_common_password_of_the_list_is_refused():
    long_enough = [password for password in FREQUENCY_LISTS["passwords"] if len(password) >= passwords.MIN_LENGTH]
    assert len(long_enough) > 200
    for password in long_enough:
        with pytest.raises(Unprocessable, match="common"):
            passwords.make_hash(password)


@pytest.mark.parametrize(
    "password", [PASSWORD, "kX9#mQ2$vL7w", "köstliche grüne Äpfel 🍏", "a\0b\ud800 and then some more"]
)
def test_a_good_password_is_verified_and_another_is_not(password):
    hashed = passwords.make_hash(password)
    assert hashed.startswith("$argon2id$") and "m=65536" in hashed
    assert passwords.verify(password, hashed) == (True, None)
    assert passwords.verify(password + "x", hashed) == (False, None)


def test_a_password_is_the_same_from_all_keyboards():
    hashed = passwords.make_hash("café au lait ⅳ mal ﬁnal")
    assert passwords.verify("cafe\u0301 au lait iv mal final", hashed) == (True, None)


def test_the_longest_password_counts_to_its_last_character():
    longest = "correct horse battery staple, " * 34 + "1234"
    assert len(longest) == 1024
    hashed = passwords.make_hash(longest)
    assert passwords.verify(longest, hashed)[0]
    assert not passwords.verify(longest[:-1] + "5", hashed)[0]
    assert not passwords.verify(longest + "5", hashed)[0]


def test_a_hash_with_other_parameters_is_renewed_with_the_right_password_only():
    old = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8192),)).hash(PASSWORD)
    assert passwords.verify("wrong", old) == (False, None)
    is_right, renewed = passwords.verify(PASSWORD, old)
    assert is_right and renewed is not None and "m=65536" in renewed
    assert passwords.verify(PASSWORD, renewed) == (True, None)


def test_without_a_hash_one_of_the_same_parameters_is_checked(monkeypatch):
    checked: list[str] = []
    check = passwords._hashes.verify_and_update

    def noted(password: bytes, hashed: str) -> tuple[bool, str | None]:
        checked.append(hashed)
        return check(password, hashed)

    monkeypatch.setattr(passwords._hashes, "verify_and_update", noted)
    theirs = passwords.make_hash(PASSWORD)
    assert passwords.verify("wrong", theirs) == passwords.verify("wrong", None) == (False, None)
    assert len(checked) == 2
    assert checked[0].split("$")[:4] == checked[1].split("$")[:4]


def test_few_hashes_are_made_at_once_as_who_asks_for_them():
    running, most, lock = 0, 0, Lock()
    who = principal.Principal(principal.PrincipalKind.PERSON, name="mina")

    def work(number: int) -> tuple[int, str]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return number, principal.current().name

    async def all_at_once() -> list[tuple[int, str]]:
        with principal.acting_as(who):
            return await asyncio.gather(*(passwords.in_turn(work, number) for number in range(20)))

    assert asyncio.run(all_at_once()) == [(number, "mina") for number in range(20)]
    assert most == passwords.HASHES_AT_ONCE


def test_who_would_wait_behind_too_many_is_sent_away():
    async def flood() -> list[object]:
        asked = (passwords.in_turn(time.sleep, 0.001) for _ in range(passwords.MAX_WAITING + 3))
        return await asyncio.gather(*asked, return_exceptions=True)

    for _ in range(2):
        refused = [answer for answer in asyncio.run(flood()) if answer is not None]
        assert [type(answer) for answer in refused] == [Unavailable] * 3
