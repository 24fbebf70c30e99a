"""Clients of Redis or Valkey. Callers must work without it: it holds only progress and notifications."""

from functools import lru_cache
from typing import Any, cast

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

from product_importer.core.embedded import servers

# In seconds. Short, since requests and imports can go on without Redis.
TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": 1, "socket_timeout": 2}


@lru_cache
def client() -> redis.Redis:
    """Return this process's blocking client. Its pool reconnects after a fork by itself."""
    return redis.Redis.from_url(servers.redis_url(), retry=Retry(NoBackoff(), 0), **TIMEOUTS)


def now() -> float:
    """Return the server's time in seconds: the one clock of all machines, whose own may differ.

    Raises:
        RedisError: Redis cannot be reached.
    """
    seconds, microseconds = cast(tuple[int, int], client().time())
    return seconds + microseconds / 1e6


def async_client() -> redis.asyncio.Redis:
    """Return a new client for the running event loop; close it after use."""
    return redis.asyncio.Redis.from_url(servers.redis_url(), **TIMEOUTS)
