"""Make keys of the texts in `SECRET_KEY`.

A text that is a Fernet key, 32 bytes in URL-safe Base64, is used as it is. From any other text HKDF-SHA256 (RFC 5869)
derives a Fernet key. It makes a random text short, but a guessable one no harder to guess.
"""

import base64
import re

# As many as a key of 128 random bits has in hexadecimal.
MIN_CHARACTERS = 32
FERNET_KEY = re.compile("[A-Za-z0-9_-]{43}=")
KEY_BYTES = 32
ID_BYTES = 4


def split_keys(text: str) -> list[str]:
    """Return the texts of a list with commas.

    Raises:
        ValueError: one of them is too short; the message does not show it.
    """
    keys = [key.strip() for key in text.split(",")]
    for number, key in enumerate(keys, 1):
        if len(key) < MIN_CHARACTERS:
            raise ValueError(
                f"key {number} of {len(keys)} has {len(key)} characters: use random text of at least"
                f" {MIN_CHARACTERS} without a comma, such as the output of `openssl rand -hex 32`"
            )
    return keys


def fernet_key(text: str) -> bytes:
    """Return the Fernet key of one text, as `cryptography` takes it."""
    if FERNET_KEY.fullmatch(text):
        return text.encode()
    # The environment may hold bytes that are no UTF-8.
    return base64.urlsafe_b64encode(_derive(text.encode(errors="surrogateescape"), b"fernet key", KEY_BYTES))


def key_id(key: bytes) -> str:
    """Return what names a Fernet key without revealing it: eight hexadecimal digits."""
    return _derive(base64.urlsafe_b64decode(key), b"key id", ID_BYTES).hex()


def _derive(source: bytes, purpose: bytes, length: int) -> bytes:
    # Imported when it is needed: the settings check the length of keys at every start.
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt=None, info=b"product-importer " + purpose).derive(source)
