"""Make random secrets, and the digests that are stored of them."""

import hashlib
import secrets

BYTES = 32


def new_secret() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(BYTES)


def digest_of(secret: str) -> bytes:
    """Return a secret's SHA-256 digest. 256 random bits cannot be guessed, so a slow hash would gain nothing."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
