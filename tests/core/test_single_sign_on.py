"""The settings of single sign-on: what is accepted, and which role claims give."""

import pytest

from product_importer.access.schemas import Role
from product_importer.core.settings import settings
from product_importer.core.settings.single_sign_on import ROLES, parse_role_claim

COMPLETE = {
    "AUTH": "on",
    "PUBLIC_URL": "https://shop.example",
    "OIDC_ISSUER": "https://login.shop.example",
    "OIDC_CLIENT_ID": "importer",
    "OIDC_CLIENT_SECRET": "never shown",
    "OIDC_ROLES": "groups:admins=admin",
}
NEEDED = "single sign-on needs OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_ROLES, PUBLIC_URL; missing: "


@pytest.fixture(autouse=True)
def fresh():
    settings.cache_clear()
    yield
    settings.cache_clear()


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> None:
    for name, value in (COMPLETE | given).items():
        monkeypatch.setenv(name, value)
    settings()


def test_the_roles_are_those_of_people():
    assert list(ROLES) == [str(role) for role in Role]


def test_complete_settings_are_accepted_and_the_secret_is_not_shown(monkeypatch):
    read(monkeypatch)
    assert "never shown" not in repr(settings())
    settings.cache_clear()
    read(monkeypatch, OIDC_CLIENT_SECRET="")
    assert settings().oidc_client_secret is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"OIDC_ISSUER": ""}, NEEDED + "OIDC_ISSUER"),
        ({"OIDC_CLIENT_ID": "", "PUBLIC_URL": ""}, NEEDED + "OIDC_CLIENT_ID, PUBLIC_URL"),
        ({"OIDC_ROLES": ""}, NEEDED + "OIDC_ROLES"),
        ({"OIDC_ISSUER": "", "OIDC_CLIENT_ID": "", "OIDC_ROLES": ""}, NEEDED + "OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_R"),
        ({"AUTH": "off"}, "nobody has to sign in"),
        ({"AUTH": "auto"}, "nobody has to sign in"),
        ({"OIDC_CLIENT_ID": "é"}, "OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        ({"OIDC_CLIENT_SECRET": "never sh…wn"}, "OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        ({"OIDC_ISSUER": "http://login.shop.example"}, "OIDC_ISSUER: must be an address that begins with https://"),
        ({"OIDC_ISSUER": "https://"}, "OIDC_ISSUER: must"),
        ({"OIDC_ISSUER": "https://[login"}, "OIDC_ISSUER: must"),
        ({"OIDC_ISSUER": "https://login.shop.example/?a=b"}, "OIDC_ISSUER: must"),
        ({"OIDC_ISSUER": "login.shop.example"}, "OIDC_ISSUER: must"),
        ({"OIDC_ROLES": "groups"}, "OIDC_ROLES: write it as claim:value=role"),
        ({"OIDC_ROLES": "groups:admins"}, "OIDC_ROLES: write it as claim:value=role"),
        ({"OIDC_ROLES": "groups:=admin"}, "OIDC_ROLES: write it as claim:value=role"),
        ({"OIDC_ROLES": ":admins=admin"}, "OIDC_ROLES: write it as claim:value=role"),
        ({"OIDC_ROLES": "groups:admins=owner"}, "“owner” is no role; the roles are viewer, editor, admin"),
        ({"OIDC_ROLES": "groups:a=admin,a=viewer"}, "“a” is there twice"),
    ],
)
def test_wrong_settings_stop_the_start_with_one_line(monkeypatch, given, said):
    with pytest.raises(SystemExit) as stopped:
        read(monkeypatch, **given)
    (line,) = str(stopped.value).splitlines()
    assert line.startswith("product-importer: ") and said in line
    assert "never" not in line


@pytest.mark.parametrize("issuer", ["http://localhost:8080/realms/a", "http://[::1]:8080", "http://127.0.0.1"])
def test_a_provider_on_this_machine_needs_no_tls(monkeypatch, issuer):
    read(monkeypatch, OIDC_ISSUER=issuer)
    assert settings().oidc_issuer == issuer


@pytest.mark.parametrize(
    ("text", "claims", "role"),
    [
        ("groups:admins=admin,staff=editor,*=viewer", {"groups": ["staff", "admins"]}, "admin"),
        ("groups:admins=admin,staff=editor,*=viewer", {"groups": ["staff"]}, "editor"),
        ("groups:admins=admin,staff=editor,*=viewer", {}, "viewer"),
        ("groups:admins=admin", {"groups": "admins"}, "admin"),
        ("groups:admins=admin", {"groups": ["Admins", "admins2", 1, None, {"admins": 1}]}, None),
        ("groups:admins=admin", {"groups": {"admins": True}}, None),
        ("groups:admins=admin", {}, None),
        ("groups: admins = admin , staff=editor", {"groups": ["admins"]}, "admin"),
        ("realm_access.roles:a=editor", {"realm_access": {"roles": ["a"]}}, "editor"),
        ("realm_access.roles:a=editor", {"realm_access.roles": ["a"]}, "editor"),
        ("realm_access.roles:a=editor", {"realm_access": ["a"]}, None),
        ("https%3A//shop.example/roles:a=admin", {"https://shop.example/roles": ["a"]}, "admin"),
        ("groups:CN%3Dadmins%2CO%3Dshop=admin", {"groups": ["CN=admins,O=shop"]}, "admin"),
        ("groups:urn:admins=admin", {"groups": ["urn:admins"]}, "admin"),
        ("groups:*=viewer", {"groups": ["*"]}, "viewer"),
    ],
)
def test_claims_give_the_highest_role(text, claims, role):
    assert parse_role_claim(text).role_of(claims) == role
