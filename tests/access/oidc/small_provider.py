"""A small OpenID provider on real HTTP, with real keys, that can be told to do what a good one never does."""

import hmac
import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "product-importer", "a secret of 24 letters :+"
SUBJECT = "person-1"
# To make one takes a while.
KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})

Claims = dict[str, Any]


class SmallProvider:
    """One person signs in at once, without being asked; tests change what is said of them, and how."""

    def __init__(self, url: str):
        self.url = url
        self.key = KEY
        self.published: list[Any] = [self.key]
        # What a published list of keys also holds: keys that encrypt, and kinds that nobody knows.
        self.other_keys: list[dict[str, Any]] = [{"kty": "new", "kid": "x"}, {"kty": "RSA", "use": "enc", "kid": "y"}]
        self.said: Claims = {"sub": SUBJECT, "email": "mina@shop.example", "groups": ["staff"]}
        self.user_info: Claims | None = None
        self.spoil_claims: Callable[[Claims], Claims] = lambda claims: claims
        self.sign: Callable[[Claims], str] = self.sign_well
        self.about: Claims = {}
        # A path, and the status and body with which it is answered instead.
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.back: dict[str, str] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.methods = ["client_secret_basic"]

    def sign_well(self, claims: Claims) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def configuration(self) -> Claims:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize?tenant=1",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/me",
            "token_endpoint_auth_methods_supported": self.methods,
            "scopes_supported": ["openid", "groups"],
        } | self.about

    def keys(self) -> Claims:
        return {"keys": [*self.other_keys, *(key.as_dict(private=False) for key in self.published)]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Return the address to which the browser is sent back."""
        assert asked["code_challenge_method"] == "S256"
        assert (asked["response_type"], asked["client_id"], asked["tenant"]) == ("code", CLIENT_ID, "1")
        code = f"code-{len(self.codes)}-" + "x" * 40
        self.codes[code] = asked
        answered = {"code": code, "state": asked["state"]} | self.back
        return f"{asked['redirect_uri']}?{urlencode(answered)}"

    def exchange(self, form: dict[str, str], authorization: str | None) -> tuple[int, Claims]:
        """Return the answer for a code: once, for the right client, address and verifier."""
        asked = self.codes.pop(form.get("code", ""), None)
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        if asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "<script>alert(1)</script>"}
        if create_s256_code_challenge(form.get("code_verifier", "")) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        } | self.said
        return 200, {
            "access_token": "the-access-token",
            "token_type": "Bearer",
            "id_token": self.sign(self.spoil_claims(claims)),
        }

    def _is_client(self, form: dict[str, str], authorization: str | None) -> bool:
        if "client_secret_basic" in self.methods:
            known = b64decode((authorization or "Basic ").removeprefix("Basic ")).decode()
            return known == f"{CLIENT_ID}:{CLIENT_SECRET}"
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def ec_signer(provider: SmallProvider) -> Callable[[Claims], str]:
    """Return a signer by a new key, which the provider publishes."""
    key = ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
    provider.published.append(key)
    return lambda claims: jwt.encode({"alg": "ES256", "kid": "second"}, claims, key)


def secret_signer(secret: bytes) -> Callable[[Claims], str]:
    """Return a signer by a secret that both sides know, or that is public."""

    def sign(claims: Claims) -> str:
        parts = ({"alg": "HS256", "kid": "first"}, claims)
        signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
        signature = urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).rstrip(b"=")
        return b".".join([signed, signature]).decode()

    return sign


@contextmanager
def serve() -> Iterator[SmallProvider]:
    """A running provider on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    provider = server.provider = SmallProvider(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    # It looks so often whether it should end.
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    @property
    def provider(self) -> SmallProvider:
        return self.server.provider  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        if path in self.provider.answers:
            self._send(*self.provider.answers[path])
        elif path == "/.well-known/openid-configuration":
            self._send(200, self.provider.configuration())
        elif path == "/keys":
            self._send(200, self.provider.keys())
        elif path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.provider.authorize(self._single(urlsplit(self.path).query)))
            self.end_headers()
        elif path == "/me" and self.provider.user_info is not None:
            assert self.headers["Authorization"] == "Bearer the-access-token"
            self._send(200, self.provider.user_info)
        else:
            self._send(404, {"error": "not_found"})

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.provider.asked.append(path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if path in self.provider.answers:
            self._send(*self.provider.answers[path])
        else:
            self._send(*self.provider.exchange(self._single(body), self.headers["Authorization"]))

    def log_message(self, *_: object) -> None:
        pass

    def _single(self, query: str) -> dict[str, str]:
        found = parse_qs(query, keep_blank_values=True)
        assert all(len(values) == 1 for values in found.values())
        return {name: values[0] for name, values in found.items()}

    def _send(self, status: int, said: Claims | bytes) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
