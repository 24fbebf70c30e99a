"""Read what the provider says about itself (OpenID Connect Discovery 1.0), and its keys; keep both for a while."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

from product_importer.access.oidc.calls import call
from product_importer.access.oidc.refusals import Refusal, Refused
from product_importer.core.settings.single_sign_on import is_protected

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT_SECONDS = 3600.0
# Keys are asked for again when a token names another one, but not more often.
ASKED_AGAIN_SECONDS = 30.0
MAX_KEYS = 50
OK = 200


@dataclass(frozen=True)
class Provider:
    """The provider's addresses, and what it can do."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_methods: frozenset[str]
    scopes: frozenset[str]
    # Whether each answer to a browser names the issuer (RFC 9207).
    names_issuer: bool


_providers: dict[str, tuple[float, Provider]] = {}
_keys: dict[str, tuple[float, KeySet]] = {}


async def provider(issuer: str) -> Provider:
    """Return what a provider says about itself.

    Raises:
        Refused: `UNREACHABLE`; `ANSWER` if something is missing, or another issuer is named.
    """
    kept_at, kept = _providers.get(issuer, (0.0, None))
    if kept is None or time.monotonic() - kept_at > KEPT_SECONDS:
        status, said = await call("GET", issuer.rstrip("/") + WELL_KNOWN)
        if status != OK:
            raise Refused(Refusal.ANSWER, f"{issuer}{WELL_KNOWN} is answered with {status}")
        kept = _provider(issuer, said)
        _providers[issuer] = time.monotonic(), kept
    return kept


async def keys(of: Provider, key_id: object) -> KeySet:
    """Return the provider's public keys; they are read again if none of those that are kept has the id.

    Raises:
        Refused: `UNREACHABLE` or `ANSWER`.
    """
    kept_at, kept = _keys.get(of.jwks_uri, (0.0, None))
    age = time.monotonic() - kept_at
    is_missing = kept is None or (key_id is not None and key_id not in {key.kid for key in kept})
    if kept is None or age > KEPT_SECONDS or (is_missing and age > ASKED_AGAIN_SECONDS):
        status, said = await call("GET", of.jwks_uri)
        if status != OK:
            raise Refused(Refusal.ANSWER, f"the provider's keys are answered with {status}")
        kept = _key_set(said)
        _keys[of.jwks_uri] = time.monotonic(), kept
    return kept


def forget() -> None:
    """Read everything again at the next sign-in."""
    _providers.clear()
    _keys.clear()


def _provider(issuer: str, said: dict[str, Any]) -> Provider:
    if said.get("issuer") != issuer:
        raise Refused(
            Refusal.ANSWER, f"OIDC_ISSUER is {issuer}, but the provider calls itself {str(said.get('issuer'))[:200]}"
        )
    return Provider(
        issuer,
        _address(said, "authorization_endpoint"),
        _address(said, "token_endpoint"),
        _address(said, "jwks_uri"),
        _address(said, "userinfo_endpoint") if "userinfo_endpoint" in said else None,
        _words(said, "token_endpoint_auth_methods_supported"),
        _words(said, "scopes_supported"),
        said.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(said: dict[str, Any], name: str) -> str:
    address = said.get(name)
    if not isinstance(address, str) or not is_protected(address):
        raise Refused(Refusal.ANSWER, f"the provider names no {name}, or one without TLS")
    return address


def _words(said: dict[str, Any], name: str) -> frozenset[str]:
    listed = said.get(name)
    return frozenset(word for word in listed if isinstance(word, str)) if isinstance(listed, list) else frozenset()


def _key_set(said: dict[str, Any]) -> KeySet:
    """Return those keys that sign; providers also publish others, and kinds that we do not know."""
    listed = said.get("keys")
    if not isinstance(listed, list):
        raise Refused(Refusal.ANSWER, "the provider's keys are no list")
    return KeySet([key for item in listed[:MAX_KEYS] if (key := _key(item)) is not None])


def _key(item: Any) -> RSAKey | ECKey | OKPKey | None:
    if not isinstance(item, dict) or item.get("use", "sig") != "sig":
        return None
    try:
        key = import_key(item)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None
