"""Signatures, verified by the published library for receivers."""

import base64
import json

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from product_importer.webhooks.delivery import signing
from product_importer.webhooks.delivery.http_attempt import encode_body
from tests.catalog.conftest import create

__all__ = ["create"]


def test_a_secret_is_32_random_bytes():
    first, second = signing.new_secret(), signing.new_secret()
    assert first != second and first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


def test_the_example_of_the_specification():
    # The message in the tests of Standard Webhooks' reference implementations.
    body = b'{"test": 2432232314}'
    made = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_signed_with_two_secrets_is_verified_with_each_and_no_other(
    create, client, webhook, receiver, send
):
    made = webhook(receiver.url, event_types=["product_created"])
    rotated = client.post(f"/api/webhooks/{made['id']}/rotate-secret").json()["secret"]
    create("SKU-ß ✓", "Näme ✓")
    send()
    [message] = receiver.received
    for secret in (made["secret"], rotated):
        assert Webhook(secret).verify(message.body, message.headers)["sku"] == "SKU-ß ✓"
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.new_secret()).verify(message.body, message.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(rotated).verify(message.body + b" ", message.headers)


def test_the_body_has_the_contract_s_fields_in_its_order():
    payload = {
        "timestamp": 1700000000.123,
        "sku": "S",
        "product_id": "p",
        "name": "N",
        "event_type": "product_created",
    }
    assert list(json.loads(encode_body(payload))) == ["event_type", "product_id", "sku", "name", "timestamp"]
    later = {"added": 1, "name": "ü", "event_type": "product_created"}
    assert encode_body(later) == '{"event_type":"product_created","name":"ü","added":1}'.encode()
