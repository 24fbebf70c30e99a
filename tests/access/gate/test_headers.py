"""Security headers of every answer."""

import base64
import hashlib

import pytest

from product_importer.access.gate.headers import script_hashes


def policy(answer) -> dict[str, list[str]]:
    directives = (directive.split() for directive in answer.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in directives}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/page", {}, 200), ("/api/x", {}, 200), ("/none", {}, 404), ("/page", {"host": "evil.example"}, 400)],
)
def test_every_answer_has_security_headers(visit, path, headers, status):
    answer = visit().get(path, headers=headers)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert policy(answer)["frame-ancestors"] == ["'none'"]
    assert policy(answer)["default-src"] == ["'none'"]


@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ({"PUBLIC_URL": "https://shop.example"}, {}),
        ({"TRUSTED_PROXIES": "10.0.0.0/8", "ALLOWED_HOSTS": "localhost"}, {"x-forwarded-proto": "https"}),
    ],
)
def test_browsers_that_came_by_tls_come_by_nothing_else(visit, given, headers):
    secure, plain = visit(client="10.0.0.1", **given), visit(client="10.0.0.1")
    for path in ("/page", "/api/x", "/none"):
        strict = secure.get(path, headers=headers).headers["strict-transport-security"]
        assert strict == "max-age=31536000; includeSubDomains"
        # A stranger's header says nothing about TLS.
        assert "strict-transport-security" not in plain.get(path, headers=headers).headers
    assert "strict-transport-security" in secure.get("/page", headers=headers | {"host": "evil.example"}).headers


def test_a_page_runs_only_our_scripts(visit):
    sources = policy(visit().get("/page"))
    assert sources["script-src"] == ["'self'", "'unsafe-eval'", "'sha256-x='"]
    assert sources["connect-src"] == ["'self'"]
    assert "script-src" not in policy(visit().get("/api/x"))


def test_data_is_not_cached_and_not_readable_by_other_origins(visit):
    answer = visit().get("/api/x", headers={"origin": "http://evil.example"})
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers
    assert visit().get("/api/docs/assets/x").headers["cache-control"] == "max-age=60"


def test_a_page_is_not_cached_so_that_nobody_comes_back_to_it_after_the_sign_out(visit):
    assert visit().get("/page").headers["cache-control"] == "no-store"


def test_inline_scripts_are_found():
    scripts = ["let a = '&amp;<b>';\n", "import 'x'"]
    page = f"<script>{scripts[0]}</script><script src='/y.js'>no</script><SCRIPT type=module>{scripts[1]}</SCRIPT>"
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert script_hashes([page, page]) == {f"'sha256-{digest}'" for digest in digests}
