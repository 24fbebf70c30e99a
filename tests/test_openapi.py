"""Compare the API with its OpenAPI document: schemathesis sends valid and invalid requests.

Every answer must match the document, and none may be an internal error. Valid requests succeed, invalid ones fail.
"""

import json
import re
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig

from product_importer.api import api
from product_importer.catalog.attribute_filters import PREFIX
from product_importer.catalog.etags import TAGS_PATTERN
from product_importer.catalog.schemas import RESERVED, ProductCreate
from product_importer.catalog.service import create_product
from product_importer.core import db
from product_importer.core.outbound import http_client
from product_importer.core.pagination import Cursor
from product_importer.webhooks.schemas import WebhookCreate
from product_importer.webhooks.service import create_webhook
from tests.imports.conftest import run_import

__all__ = ["run_import"]

CONFIG = SchemathesisConfig.from_dict(
    {
        "generation": {"max-examples": 25, "deterministic": True, "database": "none"},
        "phases": {"coverage": {"unexpected-methods": ["DELETE", "GET", "PATCH", "POST", "PUT", "TRACE"]}},
        "checks": {
            # A valid request may still fail a precondition.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", "404", "409", "412"]},
            # The layer in front of the API asks who calls; these tests call the API itself.
            "ignored_auth": {"enabled": False},
            "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "415", "422"]},
        },
        "operations": [
            {
                # No schema can describe the content of a file and its columns.
                "include-path": ["/api/upload-csv", "/api/products/bulk"],
                "checks": {"positive_data_acceptance": {"expected-statuses": ["202", "400", "409", "422"]}},
            },
            {
                # Without filters it must be confirmed, and no worker ends the actions that are started.
                "include-path": "/api/products/actions",
                "checks": {"positive_data_acceptance": {"expected-statuses": ["202", "400", "429"]}},
            },
            {
                # No worker runs in a test, so 503 is right.
                "include-path": "/api/ready",
                "checks": {
                    "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]},
                    "positive_data_acceptance": {"expected-statuses": ["2xx", "503"]},
                },
            },
        ],
    }
)


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: object, value: object) -> bytes:
    """Send the text that was generated for a body of JSON Lines as it is."""
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


schema = schemathesis.openapi.from_asgi("/api/openapi.json", api, config=CONFIG)
numbers = count()


@pytest.fixture
def ended_import(run_import) -> str:
    """Return the id of an ended import with a rejected row; the events of a running one would not end."""
    return str(run_import("sku,name,description\na,A,\n,B,\n").id)


@pytest.fixture(autouse=True)
def nothing_leaves(monkeypatch) -> None:
    """Resolve no name, so that tests of webhooks send no requests."""

    def resolve(host: str, port: int) -> list[str]:
        raise OSError(f"{host} has no address in this test")

    monkeypatch.setattr(http_client, "resolve", resolve)


@schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_behaves_as_the_document_says(ended_import: str, case: Case):
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        make_reasonable(case, ended_import)
    case.call_and_validate()


def make_reasonable(case: Case, job_id: str) -> None:
    """Use existing ids most of the time, and follow rules that JSON Schema cannot express."""
    number = next(numbers)
    if "product_id" in case.path_parameters and number % 4:
        product = db.run(create_product, ProductCreate(sku=f"known {number}", name="Known"))
        case.path_parameters["product_id"] = str(product.id)
    if "job_id" in case.path_parameters and number % 4:
        case.path_parameters["job_id"] = job_id
    if "webhook_id" in case.path_parameters and number % 4:
        webhook = db.run(create_webhook, WebhookCreate(url="https://example.com/hook"))
        case.path_parameters["webhook_id"] = str(webhook.id)
    if isinstance(case.body, dict) and isinstance(case.body.get("url"), str):
        case.body = {**case.body, "url": "https://example.com/hook"}
    if case.path.endswith("/rows"):
        # Which lines and columns there are, no schema can say.
        case.body = {"rows": [{"line": 3}], "reasons": [{"code": "no_sku", "cells": {"sku": "b"}}]}
    if isinstance(case.body, dict) and "scopes" in case.body:
        case.body = {**case.body, "name": "Nightly import", "expires_at": "2999-12-31T00:00:00Z"}
    if "if-match" in case.headers and not re.search(TAGS_PATTERN, case.headers["if-match"]):
        # Schemathesis ignores the patterns of headers.
        case.headers["if-match"] = '"1"'
    if "columns" in case.query:
        # Which attributes exist, no schema can say.
        case.query["columns"] = ["sku", "name"]
    if "cursor" in case.query:
        case.query["cursor"] = Cursor("created_at", 2, ("0" * 32,)).encode()
        case.query.pop("page", None)
        case.query.pop("sort", None)
    for name in [name for name in case.query if name.startswith(PREFIX)]:
        # Nor which names a file may have.
        if not is_plain(name.removeprefix(PREFIX)):
            del case.query[name]
    if isinstance(case.body, dict):
        case.body = with_plain_names(case.body)
        if isinstance(values := case.body.get("values"), dict):
            case.body["values"] = with_plain_names(values, {"colour": "blue"})


def with_plain_names(fields: dict[str, Any], instead: dict[str, str] | None = None) -> dict[str, Any]:
    """Leave out attributes whose names no schema can forbid; where none is left, use others."""
    if not isinstance(fields.get("attributes"), dict) or not fields["attributes"]:
        return {**fields}
    kept = {name.strip(): value for name, value in fields["attributes"].items() if is_plain(name)}
    return {**fields, "attributes": kept or instead or {}}


def is_plain(name: str) -> bool:
    """Whether the name of an attribute may be a column name of a file."""
    return "".join(name.split()).isprintable() and name.strip().casefold() not in RESERVED
