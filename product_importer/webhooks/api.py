"""REST routes of webhooks and their deliveries."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime

from product_importer.core import db
from product_importer.core.errors import problems
from product_importer.webhooks import delivery_log, service
from product_importer.webhooks.schemas import (
    DeliveryPage,
    DeliveryQuery,
    DeliveryRead,
    Redelivered,
    Secret,
    TestResult,
    WebhookCreate,
    WebhookCreated,
    WebhookPage,
    WebhookQuery,
    WebhookRead,
    WebhookUpdate,
)

router = APIRouter(prefix="/webhooks", tags=["webhooks"], responses=problems(422, 503))

WebhookId = Annotated[UUID, Path(description="A webhook's `id`.")]
Since = Annotated[AwareDatetime, Query(description="A time with its zone, such as `2026-11-01T00:00:00Z`.")]
LOCATION: dict[str, Any] = {
    "Location": {"description": "The webhook's address.", "schema": {"type": "string", "format": "uri-reference"}}
}


@router.get("", summary="List webhooks")
def list_webhooks(query: Annotated[WebhookQuery, Query()]) -> WebhookPage:
    """One page of the webhooks, newest first."""
    return db.run(service.list_webhooks, query)


@router.post("", status_code=201, summary="Create a webhook", responses={201: {"headers": LOCATION}, **problems(400)})
def create_webhook(given: WebhookCreate, response: Response) -> WebhookCreated:
    """The response holds the secret that signs the messages. It is not shown again."""
    webhook = db.run(service.create_webhook, given)
    response.headers["Location"] = f"/api/webhooks/{webhook.id}"
    return webhook


@router.get("/{webhook_id}", summary="One webhook", responses=problems(404))
def read_webhook(webhook_id: WebhookId) -> WebhookRead:
    """A webhook with its newest delivery."""
    return db.run(service.read_webhook, webhook_id)


@router.put("/{webhook_id}", summary="Change a webhook", responses=problems(400, 404))
def put_webhook(webhook_id: WebhookId, given: WebhookUpdate) -> WebhookRead:
    """Changes the given fields. A webhook that is enabled again gets the deliveries that wait for it."""
    return db.run(service.update_webhook, webhook_id, given)


@router.delete("/{webhook_id}", status_code=204, summary="Delete a webhook", responses=problems(404))
def delete_webhook(webhook_id: WebhookId) -> None:
    """Deletes the webhook and its deliveries."""
    db.run(service.delete_webhook, webhook_id)


@router.post("/{webhook_id}/test", summary="Send a test message", responses=problems(404))
async def test_webhook(webhook_id: WebhookId) -> TestResult:
    """Sends a signed message of the type `webhook_test` at once, and returns how the receiver answered."""
    return await service.test_webhook(webhook_id)


@router.post("/{webhook_id}/rotate-secret", summary="Give a webhook a new secret", responses=problems(404))
def rotate_secret(webhook_id: WebhookId) -> Secret:
    """The old secret stays valid for 24 h or until the next rotation: each message has both signatures."""
    return db.run(service.rotate_secret, webhook_id)


@router.get("/{webhook_id}/deliveries", summary="List a webhook's deliveries", responses=problems(404))
def list_deliveries(webhook_id: WebhookId, query: Annotated[DeliveryQuery, Query()]) -> DeliveryPage:
    """One page of the deliveries, newest first, each with its attempts."""
    return db.run(delivery_log.list_deliveries, webhook_id, query)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    summary="Send a delivery again",
    responses=problems(404),
)
def redeliver(webhook_id: WebhookId, delivery_id: UUID) -> DeliveryRead:
    """Sends the same message with the same `webhook-id` again, in the background."""
    return db.run(delivery_log.redeliver, webhook_id, delivery_id)


@router.post(
    "/{webhook_id}/redeliver",
    status_code=202,
    summary="Send again what failed since a time",
    responses=problems(404),
)
def redeliver_failed(webhook_id: WebhookId, since: Since) -> Redelivered:
    """Sends every delivery again whose last attempt failed since then."""
    return db.run(delivery_log.redeliver_failed, webhook_id, since)
