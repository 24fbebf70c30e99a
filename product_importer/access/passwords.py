"""Hash, check and judge passwords, as NIST SP 800-63B asks for."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import lru_cache
from threading import Lock
from typing import ParamSpec, TypeVar

from pwdlib import PasswordHash
from zxcvbn import zxcvbn

from product_importer.access.secrets import new_secret
from product_importer.core.errors import Unavailable, invalid_fields

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

MIN_LENGTH = 12
MAX_LENGTH = 1024
# Of zxcvbn's scale from 0 to 4. From 3 on, who stole the hashes could not guess it, either. Common passwords, names,
# dates, rows of keys and their usual disguises score less.
MIN_SCORE = 3
# The estimate reads no more of a password than this, and its time grows quickly.
MAX_ESTIMATED = 72
# Each hash takes 64 MiB and a core, so only a few are made at once, and others wait.
HASHES_AT_ONCE = 2
MAX_WAITING = 100

_hashes = PasswordHash.recommended()
_pool = ThreadPoolExecutor(HASHES_AT_ONCE, thread_name_prefix="passwords")
_estimating = Lock()
_waiting = 0


def make_hash(password: str, *known: str, field: str = "password") -> str:
    """Return the hash of a new password; `known` are words that it must not consist of, such as the e-mail address.

    Raises:
        Unprocessable: the password, in the form's field `field`, is too short, too long or easily guessed.
    """
    normalised = normalise(password)
    if problem := _weakness(normalised, known):
        raise invalid_fields([{"field": field, "message": problem}])
    return _hashes.hash(_encoded(normalised))


def verify(password: str, hashed: str | None) -> tuple[bool, str | None]:
    """Return whether a password is right, and a new hash where the old one has other parameters than today's.

    Without a hash, it takes the same time to say no.
    """
    given = _encoded(normalise(password[: MAX_LENGTH + 1]))
    # Made at the first call, whoever that is for.
    nobodys = _nobodys_hash()
    is_right, renewed = _hashes.verify_and_update(given, hashed or nobodys)
    return is_right and hashed is not None, renewed if is_right else None


def normalise(password: str) -> str:
    """Return the form of a password that is the same from all keyboards (NFKC)."""
    return unicodedata.normalize("NFKC", password)


async def in_turn(
    work: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Call what hashes passwords in a thread, `HASHES_AT_ONCE` at a time, as the current principal.

    A transaction in which passwords are hashed runs here as a whole: so no connection to the database waits.

    Raises:
        Unavailable: too many are waiting.
    """
    global _waiting
    if _waiting >= MAX_WAITING:
        raise Unavailable("Too many people are signing in at once. Try again in a moment.")
    _waiting += 1
    try:
        called = copy_context().run
        return await asyncio.get_running_loop().run_in_executor(_pool, lambda: called(work, *arguments, **named))
    finally:
        _waiting -= 1


def _encoded(password: str) -> bytes:
    # Events of the page may hold halves of characters, which UTF-8 has not.
    return password.encode(errors="surrogatepass")


@lru_cache
def _nobodys_hash() -> str:
    return _hashes.hash(new_secret())


def _weakness(password: str, known: tuple[str, ...]) -> str | None:
    """Return what is wrong with a password, None where nothing is."""
    if len(password) < MIN_LENGTH:
        return f"The password has {len(password)} characters. It needs at least {MIN_LENGTH}."
    if len(password) > MAX_LENGTH:
        return f"The password has more than {MAX_LENGTH:,} characters."
    if _score(password, known) < MIN_SCORE:
        return "This password is common or easily guessed. Four or more words that have nothing in common are better."
    return None


def _score(password: str, known: tuple[str, ...]) -> int:
    # The package keeps these words in a variable of its own.
    with _estimating:
        estimate = zxcvbn(password[:MAX_ESTIMATED], user_inputs=[*known, "product", "importer", "product importer"])
    score: int = estimate["score"]
    return score
