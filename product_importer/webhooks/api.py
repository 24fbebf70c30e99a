"""REST routes of webhooks and their deliveries."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field

from product_importer.core import db
from product_importer.core.errors import problems
from product_importer.core.messages import MESSAGES, PRODUCT_MESSAGES
from product_importer.webhooks import delivery_log, service, testing
from product_importer.webhooks.schemas import (
    DeliveryDetail,
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
# What receivers get, for OpenAPI; nothing is routed here.
messages = APIRouter(tags=["messages"])

WebhookId = Annotated[UUID, Path(description="A webhook's `id`.")]
DeliveryId = Annotated[UUID, Path(description="A delivery's `id`.")]
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
    """Sends a signed message of the type `webhook_test` at once, and returns how the receiver answered.

    It is listed with the deliveries.
    """
    return await testing.test_webhook(webhook_id)


@router.post("/{webhook_id}/rotate-secret", summary="Give a webhook a new secret", responses=problems(404))
def rotate_webhook_secret(webhook_id: WebhookId) -> Secret:
    """The old secret stays valid for 24 h or until the next rotation: each message has both signatures."""
    return db.run(service.rotate_secret, webhook_id)


@router.get("/{webhook_id}/deliveries", summary="List a webhook's deliveries", responses=problems(404))
def list_deliveries(webhook_id: WebhookId, query: Annotated[DeliveryQuery, Query()]) -> DeliveryPage:
    """One page of the deliveries, newest first, each with its attempts."""
    return db.run(delivery_log.list_deliveries, webhook_id, query)


@router.get("/{webhook_id}/deliveries/{delivery_id}", summary="One delivery", responses=problems(404))
def read_delivery(webhook_id: WebhookId, delivery_id: DeliveryId) -> DeliveryDetail:
    """A delivery with the message that is sent, and each attempt with the headers of its request and answer."""
    return db.run(delivery_log.read_delivery, webhook_id, delivery_id)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    summary="Send a delivery again",
    responses=problems(404),
)
def redeliver_message(webhook_id: WebhookId, delivery_id: DeliveryId) -> DeliveryRead:
    """Sends the same message with the same `webhook-id` again, in the background."""
    return db.run(delivery_log.redeliver, webhook_id, delivery_id)


@router.post(
    "/{webhook_id}/redeliver",
    status_code=202,
    summary="Send again what failed since a time",
    responses=problems(404),
)
def redeliver_failed_messages(webhook_id: WebhookId, since: Since) -> Redelivered:
    """Sends every delivery again whose last attempt failed since then."""
    return db.run(delivery_log.redeliver_failed, webhook_id, since)


class MessageHeaders(BaseModel):
    """The headers of a message: those of Standard Webhooks 1.0, and the type of the event."""

    webhook_id: Annotated[str, Field(description="The message's id, the same in each attempt.")]
    webhook_timestamp: Annotated[
        str, Field(pattern="^[0-9]+$", description="When it was signed, in whole seconds since 1970.")
    ]
    webhook_signature: Annotated[
        str,
        Field(
            pattern="^v1,[A-Za-z0-9+/]+=*( v1,[A-Za-z0-9+/]+=*)?$",
            description="`v1,` and the HMAC-SHA256 of `{webhook-id}.{webhook-timestamp}.{body}` in Base64, by the "
            "key that follows `whsec_` in the secret. Two, with a space between them, for a day after a new secret.",
        ),
    ]
    webhook_event: Annotated[str, Field(description="The type of the event.")]


class ProductMessageHeaders(MessageHeaders):
    """The headers of a message about one product."""

    webhook_product_version: Annotated[
        str, Field(pattern="^[0-9]+$", description="The product's `version`. It only rises.")
    ]


ANSWERS: dict[int | str, dict[str, Any]] = {
    "410": {"description": "No more messages are wanted: the webhook is disabled."},
    "default": {"description": "Anything else is a failure, redirects too: the message is sent again later."},
}


def _describe_message(event_type: str, model: type[BaseModel]) -> None:
    """Add one type of message to the section `webhooks` of the OpenAPI document."""
    headers = ProductMessageHeaders if event_type in PRODUCT_MESSAGES else MessageHeaders

    def receive(message: model, given: Annotated[headers, Header()]) -> None:  # type: ignore[valid-type]
        """Never called."""

    messages.add_api_route(
        event_type,
        receive,
        methods=["POST"],
        operation_id=f"receive_{event_type}",
        summary=(model.__doc__ or "").rstrip("."),
        description="Sent to the URL of each webhook that has subscribed to this type.",
        response_class=Response,
        response_description="It was received; so says any other 2xx, too.",
        responses=ANSWERS,
        # Its signature says who sends it.
        openapi_extra={"security": []},
    )


for event_type, model in MESSAGES.items():
    _describe_message(event_type, model)
