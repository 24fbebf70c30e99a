"""The commands `import` and `export` say why another machine's server cannot be used, and keep the token secret."""

import ssl

import pytest

from tests.commands.remote_machine import TOKEN, reason, refusing, remote, run, self_signed, serving

__all__ = ["remote", "run"]

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("command", [("import", "-"), ("export", "-")], ids=["import", "export"])
@pytest.mark.parametrize(
    ("status", "token", "words"),
    [
        (401, TOKEN, "does not accept the token in PRODUCT_IMPORTER_TOKEN"),
        (401, "", "needs a token"),
        (404, TOKEN, "is no Product Importer"),
        (500, TOKEN, "it answered 500"),
    ],
)
def test_a_refusal_is_explained(run, command, status, token, words):
    tokens: list[str | None] = []
    with serving(refusing(status, tokens)) as server:
        assert words in reason(run(server, *command, PRODUCT_IMPORTER_TOKEN=token))
    assert tokens == [f"Bearer {token}" if token else None]


def test_a_token_that_does_not_suffice_is_explained(run):
    with serving(refusing(403, [])) as server:
        assert "does not allow this with the token" in reason(run(server, "export", "-"))


def test_a_redirect_is_not_followed(run):
    elsewhere: list[str | None] = []
    with (
        serving(refusing(200, elsewhere)) as target,
        serving(refusing(307, [], Location=f"{target}/api/jobs?secret=1")) as server,
    ):
        for command in (("import", "-"), ("export", "-")):
            line = reason(run(server, *command))
            assert "redirects to another address" in line and "secret" not in line
    assert elsewhere == []


def test_an_address_that_does_not_answer_is_explained(run):
    assert "cannot be reached" in reason(run("http://127.0.0.1:1", "import", "-"))
    assert "cannot be reached" in reason(run("http://nowhere.invalid", "export", "-", PRODUCT_IMPORTER_TOKEN=""))


def test_a_certificate_must_be_trusted(run, tmp_path):
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    tokens: list[str | None] = []
    with serving(refusing(401, tokens), context) as server:
        assert "no secure connection" in reason(run(server, "export", "-"))
        assert tokens == []
        assert "does not accept the token" in reason(run(server, "export", "-", SSL_CERT_FILE=str(certificate)))


@pytest.mark.parametrize(
    ("address", "token", "words"),
    [
        ("http://shop.example", TOKEN, "http:// to this machine only"),
        ("http://127.0.0.1.example", TOKEN, "http:// to this machine only"),
        ("shop.example", TOKEN, "PRODUCT_IMPORTER_URL: must be http"),
        ("https://shop.example/api", TOKEN, "PRODUCT_IMPORTER_URL: must be http"),
        ("https://user:pass@shop.example", TOKEN, "PRODUCT_IMPORTER_URL: must be http"),
        ("https://shop.example", "two words", "PRODUCT_IMPORTER_TOKEN: must be a token"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_sent(run, address, token, words):
    line = reason(run(address, "import", "-", PRODUCT_IMPORTER_TOKEN=token))
    assert words in line and "pass@" not in line and "two words" not in line
