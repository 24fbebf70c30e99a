"""Limit guesses of passwords, by person and by address, and requests of tokens. Redis counts for all processes."""

import logging
import math
import time
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter
from redis.exceptions import RedisError

from product_importer.access.secrets import digest_of
from product_importer.core import redis
from product_importer.core.embedded import servers
from product_importer.core.errors import TooMany, Unavailable, first_line

log = logging.getLogger(__name__)

# A person's password can be guessed 40 times an hour; 1,000 guesses take a day.
BY_PERSON = RateLimitItemPerMinute(10, 15, namespace="sign-in")
# People behind one address share it. 1,000 guesses of any people's passwords take more than two hours.
BY_ADDRESS = RateLimitItemPerMinute(60, 10, namespace="sign-in")
# A way through a provider takes two requests. Each may leave a line in the record or a sign-in that has begun.
SIGN_ON_BY_ADDRESS = RateLimitItemPerMinute(300, 10, namespace="sign-on")
# Whoever has one IPv6 address has a whole network of them.
IPV6_PREFIX = 64
NO_REDIS = "Nobody can sign in while Redis does not answer. Try again in a moment."


def count_guess(email_key: str, address: str | None) -> None:
    """Count one attempt to guess a person's password, before it is checked, so that no two attempts slip through.

    Raises:
        TooMany: this person or address has had its attempts.
        Unavailable: Redis does not answer.
    """
    try:
        _count(BY_ADDRESS, "address", _network(address))
        _count(BY_PERSON, "person", _key(email_key))
    except RedisError as error:
        raise Unavailable(NO_REDIS) from error


def count_sign_on(address: str | None) -> None:
    """Count one request of a sign-in through a provider.

    Raises:
        TooMany: this address has had its requests.
        Unavailable: Redis does not answer.
    """
    try:
        _count(SIGN_ON_BY_ADDRESS, "address", _network(address))
    except RedisError as error:
        raise Unavailable(NO_REDIS) from error


def forget_guesses(email_key: str) -> None:
    """Start a person's count anew, since the right password was given.

    Raises:
        Unavailable: Redis does not answer.
    """
    try:
        _limiter().clear(BY_PERSON, "person", _key(email_key))
    except RedisError as error:
        raise Unavailable(NO_REDIS) from error


def count_request(token_id: UUID, per_minute: int) -> None:
    """Count one request of a token; while Redis does not answer, requests are not limited.

    Raises:
        TooMany: the token has had its requests of this minute.
    """
    limit = RateLimitItemPerMinute(per_minute, namespace="token")
    try:
        if _request_limiter().hit(limit, token_id.hex):
            return
        wait = _seconds_until_reset(_request_limiter(), limit, token_id.hex)
    except RedisError as error:
        log.warning("the requests of tokens cannot be counted: %s", first_line(error))
        return
    raise TooMany(
        f"This token has sent {per_minute:,} requests in this minute, as many as TOKEN_REQUESTS_PER_MINUTE allows.",
        retry_after=wait,
    )


def _count(limit: RateLimitItem, *key: str) -> None:
    if _limiter().hit(limit, *key):
        return
    wait = _seconds_until_reset(_limiter(), limit, *key)
    raise TooMany(
        f"There were too many attempts to sign in. Try again in {_spoken(wait)}.",
        retry_after=wait,
        title="Too many attempts",
    )


def _seconds_until_reset(limiter: RateLimiter, limit: RateLimitItem, *key: str) -> int:
    return max(1, math.ceil(limiter.get_window_stats(limit, *key).reset_time - time.time()))


@lru_cache
def _storage() -> RedisStorage:
    return RedisStorage(servers.redis_url(), connection_pool=redis.client().connection_pool)


@lru_cache
def _request_limiter() -> FixedWindowRateLimiter:
    # One number for each token: quicker than the time of each request.
    return FixedWindowRateLimiter(_storage())


@lru_cache
def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(_storage())


def _key(email_key: str) -> str:
    # Of one length, whatever was typed.
    return digest_of(email_key).hex()


def _network(address: str | None) -> str:
    try:
        ip = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None:
        return str(ip_network((ip, IPV6_PREFIX), strict=False))
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def _spoken(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} seconds"
    minutes = math.ceil(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes"
