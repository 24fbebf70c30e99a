"""Keep sign-ins that have begun, for ten minutes and one use, for the browser in which they began."""

import json
from dataclasses import asdict, dataclass

from product_importer.access.secrets import digest_of, new_secret
from product_importer.core import redis

SECONDS = 600
KEY = "sign-in:oidc:{digest}"


@dataclass(frozen=True)
class Begun:
    """A sign-in that has begun: the secrets that its end must fit, and the path to which it leads."""

    nonce: str
    verifier: str
    next: str


def begin(browser: str, next: str) -> tuple[str, Begun]:
    """Keep a new sign-in for the browser with this secret, and return its state.

    Raises:
        RedisError: Redis cannot be reached.
    """
    state = new_secret()
    begun = Begun(new_secret(), new_secret(), next)
    redis.client().set(_key(browser, state), json.dumps(asdict(begun)), ex=SECONDS)
    return state, begun


def end(browser: str, state: str) -> Begun | None:
    """Return a sign-in and forget it; None if the browser began none with this state, or it is over.

    Raises:
        RedisError: Redis cannot be reached.
    """
    kept = redis.client().getdel(_key(browser, state))
    return Begun(**json.loads(kept)) if isinstance(kept, bytes) else None


def _key(browser: str, state: str) -> str:
    # Both in one digest: who knows only one of them cannot even end the sign-in.
    return KEY.format(digest=digest_of(f"{browser}.{state}").hex())
