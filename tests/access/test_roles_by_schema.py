"""Send what the OpenAPI document describes, valid and invalid, as each role and as a token."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from product_importer.access.gate.layer import AccessLayer
from product_importer.access.schemas import Permission, Role
from product_importer.api import api
from product_importer.core.outbound import http_client
from product_importer.core.settings import settings as read_settings
from tests.access.people import add_person, add_token, bearer, cookie
from tests.test_openapi import as_lines

__all__ = ["as_lines"]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = ["stranger", *Role, "token"]
CONFIG = SchemathesisConfig.from_dict({"generation": {"max-examples": 4, "deterministic": True, "database": "none"}})
LAYER = AccessLayer(api, read_settings().model_copy(update={"auth": "on"}), set())
schema = schemathesis.openapi.from_dict(api.openapi(), config=CONFIG)
schema.app = LAYER


@pytest.fixture(params=CALLERS)
def headers(request: pytest.FixtureRequest, database: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a caller sends with each request."""

    def resolve(host: str, port: int) -> list[str]:
        raise OSError(f"{host} has no address in this test")

    monkeypatch.setattr(http_client, "resolve", resolve)
    if request.param == "stranger":
        return {}
    if request.param == "token":
        return bearer(add_token(add_person(Role.ADMIN), *Permission))
    return cookie(add_person(Role(request.param)))


@schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_each_answer_is_documented(headers: dict[str, str], case: Case):
    answer = case.call(base_url="http://localhost", headers=headers)
    # No worker runs in a test, so that 503 is right there.
    if case.path != "/api/ready" or answer.status_code != 503:
        case.validate_response(answer, checks=CHECKS)
