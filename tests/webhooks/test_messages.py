"""The messages that receivers get are those that the section `webhooks` of the OpenAPI document describes."""

import json
from typing import Any

import jsonschema_rs
import pytest

from product_importer.api import describe
from product_importer.core.messages import MESSAGES
from product_importer.imports import tasks
from product_importer.webhooks.models import ImportEvents
from tests.imports.conftest import run_import
from tests.webhooks.conftest import Received

__all__ = ["run_import"]

# Needed by HTTP itself, or the same in every request.
OTHER_HEADERS = {
    "host", "content-type", "content-length", "connection", "accept", "accept-encoding", "user-agent",
}  # fmt: skip
LINE_TOO_LONG = "x" * (17 * 2**20)


@pytest.fixture
def everything(client, webhook, receiver, send, run_import) -> dict[str, list[Received]]:
    """One message of each way in which events are recorded, as a receiver got it, by type."""
    made = webhook(receiver.url, import_events=ImportEvents.EACH)
    product = client.post("/api/products", json={"sku": "ü", "name": "N"}).json()
    client.patch(f"/api/products/{product['id']}", json={"name": "M"})
    client.delete(f"/api/products/{product['id']}")
    run_import("sku,name,description\na,A,\nb,B,\n")
    changed = run_import("sku,name,description\na,C,\nc,C,\n")
    client.post(f"/api/jobs/{changed.id}/undo")
    tasks.run_undo(str(changed.id))
    run_import("sku,name,description\nd,D," + LINE_TOO_LONG)
    client.delete("/api/products", params={"confirm": "true"})
    client.post(f"/api/webhooks/{made['id']}/test")
    send()
    found: dict[str, list[Received]] = {}
    for message in receiver.received:
        found.setdefault(json.loads(message.body)["event_type"], []).append(message)
    return found


def test_every_message_is_as_described(everything):
    document = describe()
    assert everything.keys() == document["webhooks"].keys() == MESSAGES.keys()
    for event_type, messages in everything.items():
        for message in messages:
            check(document, event_type, message)


def check(document: dict[str, Any], event_type: str, message: Received) -> None:
    operation = document["webhooks"][event_type]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    body = json.loads(message.body)
    jsonschema_rs.validate(schema | {"components": document["components"]}, body)
    described = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert list(body) == list(described["properties"]) == described["required"]
    headers = {parameter["name"]: parameter["schema"] for parameter in operation["parameters"]}
    assert headers.keys() == message.headers.keys() - OTHER_HEADERS
    for name, wanted in headers.items():
        jsonschema_rs.validate(wanted, message.headers[name])
    assert message.headers["webhook-event"] == event_type
