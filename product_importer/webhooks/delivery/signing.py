"""Sign messages as Standard Webhooks 1.0 (standardwebhooks.com) says: HMAC-SHA256 over the bytes that are sent."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from product_importer.core.secrets import SecretUnreadable, keyring

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """Return a new secret: `whsec_` and 32 random bytes in Base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def readable(stored_secrets: Sequence[str]) -> Iterator[str]:
    """Yield the secrets that a webhook has, newest first; an older one that no key opens is left out.

    Raises:
        SecretUnreadable: no key opens the newest.
    """
    newest, *older = stored_secrets
    yield keyring().decrypt(newest)
    for stored in older:
        with suppress(SecretUnreadable):
            yield keyring().decrypt(stored)


def headers(message_id: str, timestamp: int, body: bytes, valid_secrets: Iterable[str]) -> dict[str, str]:
    """Return the three headers of a message, with a signature for each valid secret; `timestamp` in seconds."""
    signatures = (f"v1,{_signature(secret, message_id, timestamp, body)}" for secret in valid_secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
