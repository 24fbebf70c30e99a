"""Send a person to the provider, and turn the code with which they come back into what the provider says of them."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from product_importer.access.oidc import id_tokens
from product_importer.access.oidc.begun import Begun
from product_importer.access.oidc.calls import call
from product_importer.access.oidc.provider import OK, Provider, keys
from product_importer.access.oidc.refusals import Refusal, Refused
from product_importer.core.settings.single_sign_on import RoleClaim

SCOPES = ("openid", "profile", "email")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Client:
    """What the provider knows of this application, and which of its claims gives the role."""

    id: str
    secret: str | None
    redirect_uri: str
    role_claim: RoleClaim


def authorization_address(client: Client, of: Provider, state: str, begun: Begun) -> str:
    """Return the provider's address at which a person signs in."""
    address: str = prepare_grant_uri(
        of.authorization_endpoint,
        client_id=client.id,
        response_type="code",
        redirect_uri=client.redirect_uri,
        scope=" ".join(_scopes(client, of)),
        state=state,
        nonce=begun.nonce,
        code_challenge=create_s256_code_challenge(begun.verifier),
        code_challenge_method="S256",
    )
    return address


async def claims_of(client: Client, of: Provider, code: str, begun: Begun) -> dict[str, Any]:
    """Return what the provider says of the person who came back with a code.

    Raises:
        Refused: `CODE`, `ID_TOKEN`, `UNREACHABLE` or `ANSWER`.
    """
    given = await _tokens(client, of, code, begun.verifier)
    id_token, access_token = given.get("id_token"), given.get("access_token")
    if not isinstance(id_token, str):
        raise Refused(Refusal.ANSWER, "the provider gives no ID token")
    access_token = access_token if isinstance(access_token, str) else None
    known = await keys(of, id_tokens.key_id(id_token))
    claims = id_tokens.verify(
        id_token, known, issuer=of.issuer, client_id=client.id, nonce=begun.nonce, access_token=access_token
    )
    is_complete = "email" in claims and client.role_claim.found_in(claims) is not None
    if is_complete or of.userinfo_endpoint is None or access_token is None:
        return claims
    return {**await _user_info(of.userinfo_endpoint, access_token, claims["sub"]), **claims}


def _scopes(client: Client, of: Provider) -> list[str]:
    """Return the scopes to ask for; some providers give the claim of roles only with a scope of its name."""
    claim = client.role_claim.claim
    return [*SCOPES, claim] if claim in of.scopes - set(SCOPES) else list(SCOPES)


async def _tokens(client: Client, of: Provider, code: str, verifier: str) -> dict[str, Any]:
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    auth = ClientAuth(client.id, client.secret, _auth_method(client, of))
    url, headers, body = auth.prepare("POST", of.token_endpoint, dict(FORM), urlencode(sent))
    status, given = await call("POST", url, headers=headers, content=body)
    if status != OK:
        raise Refused(Refusal.CODE, f"the provider answers {status} {error_code(given.get('error'))}".strip())
    return given


def _auth_method(client: Client, of: Provider) -> str:
    if client.secret is None:
        return "none"
    if "client_secret_post" in of.auth_methods and "client_secret_basic" not in of.auth_methods:
        return "client_secret_post"
    return "client_secret_basic"


async def _user_info(url: str, access_token: str, subject: str) -> dict[str, Any]:
    status, said = await call("GET", url, headers={"Authorization": f"Bearer {access_token}"})
    if status != OK:
        raise Refused(Refusal.ANSWER, f"the provider answers {status} at its userinfo_endpoint")
    # Section 5.3.2: an answer for another person may have been put in its place.
    if said.get("sub") != subject:
        raise Refused(Refusal.ID_TOKEN, "the userinfo_endpoint speaks of another person")
    return said


def error_code(text: object) -> str:
    """Return a provider's error code, such as `access_denied`; "" if it is none. Its description may say anything."""
    is_code = isinstance(text, str) and len(text) <= 60 and text.isascii() and text.replace("_", "").isalpha()
    return str(text) if is_code else ""
