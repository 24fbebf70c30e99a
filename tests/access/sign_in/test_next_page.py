"""After the sign-in, people go only to pages of this application."""

import pytest

from product_importer.access.sign_in.next_page import own_page


@pytest.mark.parametrize(
    "wanted",
    ["/", "/imports", "/imports/1?x=%2F%2Fevil.example#y", "/?q=http://evil.example", "/ä b", "/a//b", "/setups"],
)
def test_own_pages_are_kept(wanted):
    assert own_page(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "imports",
        " /imports",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/imports\\..\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        "/imports\r\nSet-Cookie: a=b",
        "/\0",
        "/\u2028/evil.example",
        "http://evil.example",
        "http:evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "//[",
        "?next=//evil.example",
        "/sign-in",
        "/sign-in?next=/imports",
        "/sign-in/",
        "/sign-in/oidc?code=x",
        "/sign-out",
        "/setup?token=x",
        "/./setup?token=x",
        "/imports/../setup?token=x",
        "/%73etup?token=x",
        "/%2e/sign-out",
        "/" + "x" * 2000,
    ],
)
def test_all_else_leads_to_the_first_page(wanted):
    assert own_page(wanted) == "/"
