"""Fixtures and helpers for tests of the catalogue."""

from collections.abc import Callable

import pytest

from product_importer.core import db
from tests.imports.conftest import run_import

__all__ = ["run_import"]


@pytest.fixture
def create(client) -> Callable[..., dict]:
    """Create a product by REST and return it."""

    def post(sku: str = "SKU-1", name: str = "Name", **fields: object) -> dict:
        answer = client.post("/api/products", json={"sku": sku, "name": name, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return post


def events() -> list[dict]:
    """Return the payloads of all events, in order."""
    with db.engine().connect() as connection:
        return [payload for (payload,) in connection.exec_driver_sql("SELECT payload FROM event ORDER BY id")]


def problem(answer, status: int, kind: str) -> dict:
    """Check that an answer is an RFC 9457 problem of this kind, and return it."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["type"] == f"/api/problems/{kind}"
    assert answer.json()["status"] == status and answer.json()["title"] and answer.json()["detail"]
    return answer.json()


def open_exports() -> int:
    """Return how many connections exports have."""
    count = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE application_name = 'product-importer export' AND datname = current_database()"
    )
    with db.engine().connect() as connection:
        return connection.exec_driver_sql(count).scalar_one()
