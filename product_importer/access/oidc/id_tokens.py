"""Verify ID tokens: signature, issuer, audience, time and nonce (OpenID Connect Core 1.0, section 3.1.3.7)."""

import base64
import json
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from product_importer.access.oidc.refusals import Refusal, Refused

# Signatures by keys of the provider. `none` is no signature, and HS256 would make a key of the client's secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
# How far the clocks may differ.
LEEWAY_SECONDS = 60
MAX_SUBJECT = 255


def key_id(token: str) -> object:
    """Return the id of the key that an ID token names, unverified; None if it names none."""
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    named = header.get("kid") if isinstance(header, dict) else None
    return named if isinstance(named, str) else None


def verify(
    token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, access_token: str | None
) -> dict[str, Any]:
    """Return the claims of an ID token.

    Raises:
        Refused: `ID_TOKEN`.
    """
    found = _decode(token, keys)
    options: Any = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client_id},
        "sub": {"essential": True},
    }
    # With these, authlib checks azp, nonce and at_hash.
    params = {"client_id": client_id, "nonce": nonce, "access_token": access_token}
    claims = CodeIDToken(found.claims, found.header, options, params)
    try:
        claims.validate(leeway=LEEWAY_SECONDS)
    except (JoseError, TypeError, ValueError) as error:
        raise Refused(Refusal.ID_TOKEN, _words(error)) from error
    subject = claims["sub"]
    if not subject.isprintable() or len(subject) > MAX_SUBJECT:
        raise Refused(Refusal.ID_TOKEN, "its sub is longer than 255 characters, or not printable")
    return dict(claims)


def _decode(token: str, keys: KeySet) -> jwt.Token:
    """Return a token whose signature is right, by the key that it names, or by any key if it names none."""
    named = key_id(token)
    tried = [key for key in keys if named is None or key.kid == named]
    error: Exception | None = None
    for key in tried:
        try:
            return jwt.decode(token, key, algorithms=ALGORITHMS)
        except (JoseError, TypeError, ValueError, RecursionError) as failure:
            error = failure
    raise Refused(Refusal.ID_TOKEN, _words(error) if error else "none of the provider's keys has the id it names")


def _words(error: Exception) -> str:
    """Return what is wrong, without values: joserfc names the claim, or the kind of error."""
    return f"{type(error).__name__}: {error.description}" if isinstance(error, JoseError) else type(error).__name__
