"""Canaille, an OpenID provider from PyPI, with people for tests: `python canaille_server.py PORT CALLBACK_URL`."""

import sys

import canaille  # type: ignore[import-untyped]
from canaille.app import models  # type: ignore[import-untyped]
from canaille.backends import Backend  # type: ignore[import-untyped]
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID, CLIENT_SECRET = "product-importer", "the-secret-of-the-client"
PASSWORD = "correct horse battery staple"
# The names under which people sign in there, by their group.
PEOPLE = {"admins": ["ada"], "staff": ["sam"], "guests": ["gil"]}
ADDRESS = "{name}@shop.example"


def main(port: int, callback: str) -> None:
    """Serve until the process ends."""
    key = RSAKey.generate_key(2048, auto_kid=True)
    app = canaille.create_app(
        {
            "SECRET_KEY": "a key of this process",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "FORCE_HTTPS": False, "ENABLE_PASSWORD_COMPROMISSION_CHECK": False},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)], "TRUSTED_DOMAINS": ["localhost"]},
        }
    )
    with app.app_context(), Backend.instance.session():
        _add(callback)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


def _add(callback: str) -> None:
    for group, names in PEOPLE.items():
        members = [_person(name) for name in names]
        Backend.instance.save(models.Group(display_name=group, members=members))
    client = models.Client(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_name="Product Importer",
        # Trusted: nobody is asked whether we may know who they are.
        client_uri="http://localhost",
        redirect_uris=[callback],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    # Its tokens are for itself, which is known only now.
    client.audience = [client]
    Backend.instance.save(client)


def _person(name: str) -> models.User:
    address = ADDRESS.format(name=name)
    person = models.User(user_name=name, formatted_name=name, family_name=name, emails=[address], password=PASSWORD)
    Backend.instance.save(person)
    return person


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
