"""Secrets of webhooks in PostgreSQL are encrypted, follow the keys, and fail alone where no key opens them."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlmodel import col, select
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from product_importer import health, periodic
from product_importer.core import advisory_locks, db, secrets
from product_importer.core.advisory_locks import AdvisoryLock
from product_importer.core.settings import settings
from product_importer.webhooks import stored_secrets
from product_importer.webhooks.models import Webhook
from tests.catalog.conftest import create
from tests.waiting import wait_for
from tests.webhooks.conftest import Receiver, execute, fetch

__all__ = ["create"]

FIRST, SECOND, THIRD = "1" * 40, Fernet.generate_key().decode(), "3" * 40
STORED = "SELECT secret, previous_secret FROM webhook ORDER BY created_at, id"

Keys = Callable[..., None]


@pytest.fixture(autouse=True)
def keys(monkeypatch, client) -> Iterator[Keys]:
    """Give this process other keys, as a restart would; without an argument none. It begins with `FIRST`."""

    def use(*texts: str) -> None:
        monkeypatch.setattr(settings(), "secret_key", SecretStr(",".join(texts)) if texts else None)
        secrets.keyring.cache_clear()

    # No key in `DATA_DIR`. Whoever has connected stays connected.
    monkeypatch.setattr(settings(), "database_url", "postgresql+psycopg2://me@server/shop")
    use(FIRST)
    yield use
    monkeypatch.undo()
    secrets.keyring.cache_clear()


def verified(receiver: Receiver, *valid: str) -> None:
    """Check that the last message is verified with each of these secrets, and forget it."""
    message = receiver.received.pop()
    for secret in valid:
        Verifier(secret).verify(message.body, message.headers)


def encrypt() -> None:
    db.run(stored_secrets.encrypt)


def doctor() -> health.Check:
    [check] = [check for check in health.diagnose().checks if check.name == "secrets"]
    return check


def prefix(*texts: str) -> str:
    return secrets.Keyring(texts).prefix


def test_the_row_shows_neither_secret_and_messages_are_signed_with_both(client, webhook, receiver, send, create):
    made = webhook(receiver.url)
    assert "whsec_" not in fetch("SELECT webhook::text FROM webhook")[0][0]
    rotated = client.post(f"/api/webhooks/{made['id']}/rotate-secret").json()["secret"]
    [(row,)] = fetch("SELECT webhook::text FROM webhook")
    for secret in (made["secret"], rotated):
        assert secret not in row and secret.removeprefix("whsec_") not in row
    assert "whsec_" not in row and row.count(prefix(FIRST)) == 2
    create("A")
    send()
    verified(receiver, made["secret"], rotated)
    assert client.post(f"/api/webhooks/{made['id']}/test").json()["success"]
    verified(receiver, made["secret"], rotated)


def test_plain_secrets_are_encrypted_in_bounded_steps_and_stay_valid(
    client, webhook, receiver, send, create, keys, monkeypatch
):
    keys()
    made = [webhook(f"{receiver.url}/{number}") for number in range(5)]
    rotated = client.post(f"/api/webhooks/{made[0]['id']}/rotate-secret").json()["secret"]
    assert fetch(STORED)[0] == (rotated, made[0]["secret"])
    before = fetch("SELECT id, updated_at FROM webhook ORDER BY id")
    encrypt()
    assert fetch(STORED)[0] == (rotated, made[0]["secret"])
    keys(FIRST)
    monkeypatch.setattr(stored_secrets, "MAX_WEBHOOKS", 2)
    left = []
    for _ in range(3):
        encrypt()
        left.append(len(fetch("SELECT FROM webhook WHERE secret LIKE 'whsec%%'")))
    assert left == [3, 1, 0]
    assert fetch("SELECT FROM webhook WHERE webhook::text LIKE '%%whsec%%'") == []
    assert fetch("SELECT id, updated_at FROM webhook ORDER BY id") == before
    execute(f"UPDATE webhook SET enabled = false WHERE id <> '{made[0]['id']}'")
    create("A")
    send()
    verified(receiver, made[0]["secret"], rotated)


def test_a_plain_secret_is_encrypted_when_it_becomes_the_old_one(client, webhook, keys):
    keys()
    made = webhook("https://example.com/hook")
    keys(FIRST)
    client.post(f"/api/webhooks/{made['id']}/rotate-secret")
    [(_, previous)] = fetch(STORED)
    assert previous.startswith(prefix(FIRST))


def test_the_background_work_encrypts_what_is_plain(webhook, keys):
    keys()
    webhook("https://example.com/hook")
    keys(FIRST)

    async def work_until_encrypted() -> None:
        work = asyncio.create_task(periodic.keep_reconciling())
        await asyncio.to_thread(
            wait_for, lambda: fetch(STORED)[0][0].startswith(prefix(FIRST)), 60, "the secret is encrypted"
        )
        work.cancel()

    asyncio.run(work_until_encrypted())


def test_one_process_at_a_time_encrypts(webhook, keys):
    keys()
    secret = webhook("https://example.com/hook")["secret"]
    keys(FIRST)
    with db.session() as other:
        advisory_locks.hold(other, AdvisoryLock.ENCRYPT_SECRETS)
        encrypt()
        assert fetch(STORED) == [(secret, None)]
    encrypt()
    assert fetch(STORED) != [(secret, None)]


def test_a_locked_row_is_left_for_the_next_step(webhook, keys):
    keys()
    made = [webhook("https://example.com/hook") for _ in range(2)]
    keys(FIRST)
    with db.session() as other:
        other.scalars(select(Webhook).where(col(Webhook.id) == made[0]["id"]).with_for_update()).one()
        encrypt()
    assert [secret.startswith("fernet:") for secret, _ in fetch(STORED)] == [False, True]


def test_a_new_first_key_takes_over(client, webhook, receiver, send, create, keys):
    made = webhook(receiver.url)
    rotated = client.post(f"/api/webhooks/{made['id']}/rotate-secret").json()["secret"]
    keys(SECOND, FIRST)
    create("A")
    send()
    verified(receiver, made["secret"], rotated)
    assert doctor().ok and "1 not yet with the first key" in doctor().detail
    encrypt()
    [(row,)] = fetch("SELECT webhook::text FROM webhook")
    assert (row.count(prefix(SECOND)), row.count(prefix(FIRST))) == (2, 0)
    assert doctor().detail == "encrypted, webhooks: 1"
    stored = fetch(STORED)
    encrypt()
    assert fetch(STORED) == stored
    keys(SECOND)
    create("B")
    send()
    verified(receiver, made["secret"], rotated)


def test_after_a_lost_key_only_its_webhooks_fail_until_they_get_new_secrets(
    client, webhook, make_receiver, send, create, keys
):
    lost, kept = make_receiver(), make_receiver()
    made = webhook(lost.url)
    keys(SECOND)
    other = webhook(kept.url)
    encrypt()
    create("A")
    send()
    verified(kept, other["secret"])
    assert lost.received == []
    [delivery] = client.get(f"/api/webhooks/{made['id']}/deliveries").json()["items"]
    assert delivery["attempts"] == 1 and "SECRET_KEY" in delivery["error"]
    assert delivery["status"] == "pending" and delivery["status_code"] is None
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert not tested["success"] and "SECRET_KEY" in tested["error"]
    warned = doctor()
    assert not warned.ok and not warned.is_required
    assert made["id"] in warned.detail and "SECRET_KEY" in warned.detail and other["id"] not in warned.detail
    assert client.get("/api/webhooks").json()["total"] == 2
    secret = client.post(f"/api/webhooks/{made['id']}/rotate-secret").json()["secret"]
    assert doctor().ok
    client.post(f"/api/webhooks/{made['id']}/deliveries/{delivery['id']}/redeliver")
    send()
    verified(lost, secret)


def test_a_key_that_comes_back_opens_again(client, webhook, receiver, send, create, keys):
    made = webhook(receiver.url)
    keys(SECOND)
    encrypt()
    keys(SECOND, FIRST)
    create("A")
    send()
    verified(receiver, made["secret"])


def test_without_any_key_an_encrypted_secret_fails_and_doctor_names_it(client, webhook, receiver, keys):
    made = webhook(receiver.url)
    keys()
    tested = client.post(f"/api/webhooks/{made['id']}/test").json()
    assert not tested["success"] and "SECRET_KEY is not set" in tested["error"]
    assert made["id"] in doctor().detail


def test_without_a_key_secrets_stay_as_they_are_and_doctor_warns(webhook, receiver, send, create, keys):
    keys()
    made = webhook(receiver.url)
    encrypt()
    assert fetch(STORED) == [(made["secret"], None)]
    create("A")
    send()
    verified(receiver, made["secret"])
    warned = doctor()
    assert not warned.ok and not warned.is_required and "SECRET_KEY is not set" in warned.detail


def test_an_old_secret_that_no_key_opens_prevents_no_delivery(client, webhook, receiver, send, create, keys):
    made = webhook(receiver.url)
    keys(SECOND, FIRST)
    rotated = client.post(f"/api/webhooks/{made['id']}/rotate-secret").json()["secret"]
    execute(f"UPDATE webhook SET previous_secret = '{secrets.Keyring([THIRD]).encrypt(made['secret'])}'")
    create("A")
    send()
    message = receiver.received[0]
    verified(receiver, rotated)
    with pytest.raises(WebhookVerificationError):
        Verifier(made["secret"]).verify(message.body, message.headers)
    assert made["id"] in doctor().detail


def test_an_old_secret_is_forgotten_when_it_has_expired(client, webhook):
    made = webhook("https://example.com/hook")
    client.post(f"/api/webhooks/{made['id']}/rotate-secret")
    encrypt()
    [(newest, previous)] = fetch(STORED)
    assert previous
    execute("UPDATE webhook SET previous_secret_until = now() - interval '1 second'")
    encrypt()
    assert fetch(STORED) == [(newest, None)]


def test_a_deleted_webhook_keeps_no_secret_and_gets_none(client, webhook, keys):
    keys()
    made = webhook("https://example.com/hook")
    client.delete(f"/api/webhooks/{made['id']}")
    keys(FIRST)
    encrypt()
    assert fetch(STORED) == [("", None)]
    assert doctor().detail == "encrypted, webhooks: 0"


def test_damaged_secrets_keep_no_other_waiting(webhook, keys, monkeypatch):
    for _ in range(2):
        webhook("https://example.com/hook")
    execute("UPDATE webhook SET secret = left(secret, -10)")
    webhook("https://example.com/hook")
    keys(SECOND, FIRST)
    monkeypatch.setattr(stored_secrets, "MAX_WEBHOOKS", 1)

    def is_done() -> bool:
        encrypt()
        return [secret.startswith(prefix(SECOND)) for secret, _ in fetch(STORED)] == [False, False, True]

    wait_for(is_done, 15, "the undamaged secret is encrypted")
