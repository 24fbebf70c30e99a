"""The texts of `SECRET_KEY` become keys, today's the same as tomorrow's."""

import base64
import hashlib
import hmac

import pytest
from cryptography.fernet import Fernet

from product_importer.core.settings.secret_keys import MIN_CHARACTERS, fernet_key, key_id, split_keys

TEXT = "correct horse battery staple, without commas".replace(",", "")


def hkdf(source: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA256 without a salt, as RFC 5869 writes it; one block is enough here."""
    pseudorandom = hmac.digest(bytes(32), source, hashlib.sha256)
    return hmac.digest(pseudorandom, info + b"\x01", hashlib.sha256)[:length]


def test_keys_are_separated_by_commas_and_trimmed():
    assert split_keys(f"{'a' * MIN_CHARACTERS}") == ["a" * 32]
    assert split_keys(f" {'a' * 32} ,\n{'b' * 40}") == ["a" * 32, "b" * 40]


@pytest.mark.parametrize("text", ["short-s3cret", f"{'a' * 32},short-s3cret", f"{'a' * 32},", ",", "ü" * 31])
def test_a_short_key_is_refused_and_not_shown(text):
    with pytest.raises(ValueError, match="at least 32") as refused:
        split_keys(text)
    assert "s3cret" not in str(refused.value) and "aaa" not in str(refused.value)


def test_a_fernet_key_is_used_as_it_is():
    key = Fernet.generate_key()
    assert fernet_key(key.decode()) == key


def test_other_text_is_derived_as_documented():
    derived = hkdf(TEXT.encode(), b"product-importer fernet key", 32)
    assert fernet_key(TEXT) == base64.urlsafe_b64encode(derived)
    # Standard Base64 may have characters that a Fernet key cannot have.
    text = base64.b64encode(b"\xff" * 32).decode()
    assert base64.urlsafe_b64decode(fernet_key(text)) == hkdf(text.encode(), b"product-importer fernet key", 32)


def test_bytes_that_are_no_utf_8_make_a_key_too():
    text = (b"\xff\xfe" * 20).decode(errors="surrogateescape")
    assert base64.urlsafe_b64decode(fernet_key(text)) == hkdf(b"\xff\xfe" * 20, b"product-importer fernet key", 32)


def test_the_id_of_a_key_is_no_part_of_it():
    key = fernet_key(TEXT)
    assert key_id(key) == hkdf(base64.urlsafe_b64decode(key), b"product-importer key id", 4).hex()
    assert key_id(key) != key_id(Fernet.generate_key())
